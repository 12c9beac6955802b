"""The demo county, built through the same actions the pages use. Each issue adds its part."""

import datetime
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.db import transaction

from branches import roster
from branches.models import Branch, CommitteeSeat, ImportBatch, ImportState, SeatKind
from cadres.jobs import RefusedError
from cadres.models import Community, Retiree, User
from cadres.roles import Role, give_role

ROSTER = Path(__file__).with_name("data") / "demo_roster.xlsx"
FILE_NAME = "示范县花名册.xlsx"
#: The demo's year is 2025: classes, residences and memberships count from its first day.
SINCE = datetime.date(2025, 1, 1)
PASSWORD = settings.DEMO_PASSWORD
#: User name, shown name, role (None: the branch secretary, whose role is the seat).
LOGINS = [
    ("staff", "王科长", Role.OFFICE_STAFF),
    ("head", "李局长", Role.OFFICE_HEAD),
    ("secretary", "", None),
    ("contact", "陈联络员", Role.CONTACT),
    ("retiree", "", Role.RETIREE),
    ("leader", "张部长", Role.LEADER),
    ("auditor", "刘审计", Role.AUDITOR),
]


class RealPeopleError(RefusedError):
    """The demo is not loaded where it is not asked for, or where real people are."""


def load() -> str:
    """Builds what is missing of the demo county; one sentence about what it did."""
    if not settings.DEMO:
        raise RealPeopleError("这里没有打开示范模式（DEMO=1），不载入示范数据。")
    if _is_loaded():
        return "示范县已经在了。"
    if Retiree.objects.exists():
        raise RealPeopleError("这里已经有真实人员，不载入示范数据。")
    with transaction.atomic():
        batch = _import_roster()
        _make_logins()
    return f"示范县已建好：{batch.created} 位老同志。"


def _is_loaded() -> bool:
    written = ImportBatch.objects.filter(file_name=FILE_NAME, state=ImportState.WRITTEN)
    return written.exists() and User.objects.filter(username=LOGINS[0][0]).exists()


def _import_roster() -> ImportBatch:
    with open(ROSTER, "rb") as file:
        batch = roster.accept_upload(
            file=File(file, name=FILE_NAME), by=None, effective_on=SINCE, in_background=False
        )
    return roster.write(batch=roster.stage(batch=batch), by=None)


def _make_logins() -> None:
    branch = Branch.objects.order_by("pk").first()
    members = Retiree.objects.filter(
        memberships__branch=branch, memberships__kind="affiliated", activity_class="A"
    ).order_by("pk")
    secretary, retiree = members[0], members[1]
    CommitteeSeat.objects.create(
        branch=branch, retiree=secretary, kind=SeatKind.SECRETARY, since=SINCE
    )
    own = {"secretary": secretary, "retiree": retiree}
    for username, name, role in LOGINS:
        person = own.get(username)
        user = User.objects.create_user(
            username,
            PASSWORD,
            name=person.name if person else name,
            retiree=person,
            community=Community.objects.first() if role == Role.CONTACT else None,
        )
        if role:
            give_role(user, role)


def logins() -> list[tuple[str, str, str]]:
    """(role, shown name, user name) of each demo log-in that is there."""
    users = User.objects.in_bulk([name for name, _, _ in LOGINS], field_name="username")
    return [
        (role.label if role else "支部书记", str(users[name]), name)
        for name, _, role in LOGINS
        if name in users
    ]
