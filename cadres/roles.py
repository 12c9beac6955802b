"""Who may do what: roles are groups; a branch secretary is whoever holds the seat today."""

import functools

from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import Q


class Role(models.TextChoices):
    """角色（支部书记由支委任职决定，不在此列）"""

    OFFICE_STAFF = "office_staff", "工作人员"
    OFFICE_HEAD = "office_head", "负责人"
    CONTACT = "community_contact", "村社区联络员"
    RETIREE = "retiree", "老同志"
    LEADER = "leader", "领导"
    AUDITOR = "auditor", "审计"


#: Roles that only the head (or the superuser) gives or takes: they check on the office.
ABOVE = (Role.OFFICE_HEAD.label, Role.AUDITOR.label)
#: Roles that work at the desk (the admin).
AT_DESK = (Role.OFFICE_STAFF.label, Role.OFFICE_HEAD.label)

#: What each role may do in the admin: app.model → permission verbs. Nobody may delete people.
_DESK = {
    "cadres.retiree": "view add change",
    "cadres.residence": "view",
    "cadres.classchange": "view",
    "cadres.unit": "view add change",
    "cadres.unitalias": "view add change delete",
    "cadres.area": "view add change",
    "cadres.township": "view change",
    "cadres.townshipalias": "view add change delete",
    "cadres.community": "view add change",
    "cadres.communityalias": "view add change delete",
    "cadres.user": "view add change",
    "branches.branch": "view add change",
    "branches.branchalias": "view add change delete",
    "branches.membership": "view add change",
    "branches.committeeseat": "view add change",
    "branches.importbatch": "view add change",
    "points.rule": "view",
    "points.reward": "view add change",
}
PERMISSIONS = {Role.OFFICE_STAFF: _DESK, Role.OFFICE_HEAD: _DESK}


def has_role(user, *roles: Role) -> bool:
    """True when the user is in one of the roles' groups (asked once per request)."""
    if not user.is_active:
        return False
    if not hasattr(user, "_role_names"):
        user._role_names = set(user.groups.values_list("name", flat=True))
    return any(role.label in user._role_names for role in roles)


def is_office(user) -> bool:
    """Office staff or the office head."""
    return has_role(user, Role.OFFICE_STAFF, Role.OFFICE_HEAD)


@transaction.atomic
def load_roles() -> None:
    """Makes the groups and gives each exactly the permissions of this table."""
    for role in Role:
        group, _ = Group.objects.get_or_create(name=role.label)
        group.permissions.set(_permissions(PERMISSIONS.get(role, {})))


def give_role(user, role: Role) -> None:
    """Puts a user into a role; the office's people may open the desk."""
    user.groups.add(Group.objects.get(name=role.label))
    if role in PERMISSIONS and not user.is_staff:
        user.is_staff = True
        user.save(update_fields=["is_staff"])


def _permissions(table: dict[str, str]):
    wanted = Q(pk=None)
    for label, verbs in table.items():
        app, model = label.split(".")
        names = [f"{verb}_{model}" for verb in verbs.split()]
        wanted |= Q(content_type__app_label=app, codename__in=names)
    return Permission.objects.filter(wanted)


def is_above(user) -> bool:
    """Whether the user stands above the office's staff: the head, or the superuser."""
    return user.is_superuser or has_role(user, Role.OFFICE_HEAD)


def fault_of_roles(acting, user, before: set[str], after: set[str]) -> str:
    """Why `acting` may not change a user's roles (names) so; empty when it may be done.

    Nobody but the head appoints heads and auditors, and nobody appoints himself.
    """
    changed = before ^ after
    if changed and user.pk and user.pk == acting.pk:
        return "不能改自己的角色，请由负责人来改。"
    if changed & set(ABOVE) and not is_above(acting):
        return "“负责人”“审计”两个角色，只有负责人可以指定或取消。"
    return ""


def may_change_account(acting, user, roles: set[str]) -> bool:
    """A superuser's or a head's account (its password too) is not the staff's to change."""
    if user.pk is None or user.pk == acting.pk or acting.is_superuser:
        return True
    return not user.is_superuser and (is_above(acting) or not roles & set(ABOVE))


def office_only(view):
    """Decorator for views of the office: everybody else reads that the page is not for them."""

    @functools.wraps(view)
    def checked(request, *args, **kwargs):
        if not is_office(request.user):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return checked
