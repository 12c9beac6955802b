"""Accounts: the office's first two, one-time passwords, changing one's own."""

import re
import secrets

from django.contrib.auth.models import Group
from django.db import transaction

from cadres import throttle, two_step
from cadres.jobs import RefusedError
from cadres.models import User
from cadres.roles import Role, give_role, is_office, load_roles

#: Without letters and digits that look alike on paper.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_PASSWORD = ["password", "password_changed_at", "must_change_password"]


class AccountRefusedError(RefusedError):
    """The account is not made or opened again; the text says why."""


def one_time_password() -> str:
    """Twelve random characters in groups of four, to be read off a slip of paper."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))
    return "-".join(groups)


@transaction.atomic
def create_office(
    *, head: tuple[str, str], staff: tuple[str, str], by: User | None
) -> list[tuple[User, str]]:
    """The first head and the first of the staff, each (user name, name), with one-time passwords.

    Raises AccountRefusedError where an active head is already, and for names that cannot be.
    """
    if Group.objects.filter(name__in=Role.labels).count() < len(Role.labels):
        load_roles()
    Group.objects.select_for_update().get(name=Role.OFFICE_HEAD.label)  # two at once wait here
    check_empty()
    if head[0].strip() == staff[0].strip():
        raise AccountRefusedError("负责人和工作人员要用不同的用户名。")
    return [_made(*head, Role.OFFICE_HEAD), _made(*staff, Role.OFFICE_STAFF)]


def check_empty() -> None:
    """Raises AccountRefusedError where there is an active head: who opens accounts is there."""
    heads = User.objects.filter(groups__name=Role.OFFICE_HEAD.label, is_active=True)
    if heads.exists():
        raise AccountRefusedError(
            "已经有负责人了：请用负责人的账号登录，在办公桌的“用户”里开户。"
            "登录不了，请加 --reset 用户名，重设一次性密码。"
        )


def _made(username: str, name: str, role: Role) -> tuple[User, str]:
    username, name = username.strip(), name.strip()
    check_names(username, name)
    password = one_time_password()
    user = User.objects.create_user(username, password, name=name, must_change_password=True)
    give_role(user, role)
    return user, password


def check_names(username: str, name: str) -> None:
    """Raises AccountRefusedError when this cannot be a new user's name."""
    limit = User._meta.get_field("username").max_length
    if not username or not name or max(len(username), len(name)) > limit:
        raise AccountRefusedError(f"用户名和姓名都要填，各不超过 {limit} 个字。")
    if re.search(r"[\s\x00-\x1f]", username):
        raise AccountRefusedError("用户名里不能有空格。")
    if re.fullmatch(r"1\d{10}", username):
        raise AccountRefusedError("用户名不能是手机号，请换一个。")
    if User.objects.filter(username=username).exists():
        raise AccountRefusedError(f"用户名“{username}”已经有了，请换一个。")


@transaction.atomic
def reset_office_user(*, username: str, by: User | None) -> tuple[User, str]:
    """A new one-time password for somebody of the office who cannot get in any more.

    Also takes back what may have locked him out: wrong tries and the second step. Raises
    AccountRefusedError when there is no such active user of the office.
    """
    user = User.objects.select_for_update().filter(username=username.strip()).first()
    if user is None or not is_office(user):
        raise AccountRefusedError(f"没有叫“{username}”的、启用的工作人员或负责人。")
    password = one_time_password()
    user.set_password(password)
    user.must_change_password = True
    user.save(update_fields=_PASSWORD)
    throttle.forget(user)
    two_step.switch_off(user=user, by=by)
    return user, password


@transaction.atomic
def change_password(*, password: str, by: User) -> None:
    """One's own new password; whether the old one was known is the caller's question."""
    by.set_password(password)
    by.must_change_password = False
    by.save(update_fields=_PASSWORD)
