"""Who may see which rows. Views fetch people and branches through here, always."""

from collections.abc import Iterable

from django.db.models import (
    BooleanField,
    Exists,
    ExpressionWrapper,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.utils import timezone

from branches.models import Branch, CommitteeSeat, Membership, MembershipKind, SeatKind
from cadres.models import Announcement, CareRecord, Retiree
from cadres.roles import Role, has_role, is_office

#: Key of the role that is no group.
SECRETARY = "secretary"
_ROLES = {
    Role.OFFICE_HEAD.value: Role.OFFICE_HEAD.label,
    Role.OFFICE_STAFF.value: Role.OFFICE_STAFF.label,
    Role.LEADER.value: Role.LEADER.label,
    SECRETARY: "支部书记",
    Role.CONTACT.value: Role.CONTACT.label,
    Role.AUDITOR.value: Role.AUDITOR.label,
    Role.RETIREE.value: Role.RETIREE.label,
}


def sees_all(user) -> bool:
    """The office and leaders see the whole county; an auditor sees logs, not people."""
    return is_office(user) or has_role(user, Role.LEADER)


def secretary_branches(user) -> QuerySet[Branch]:
    """Branches whose secretary's seat the user holds today."""
    if not user.is_active or user.retiree_id is None:
        return Branch.objects.none()
    seats = CommitteeSeat.objects.on(timezone.localdate()).filter(
        retiree=user.retiree_id, kind=SeatKind.SECRETARY
    )
    return Branch.objects.filter(pk__in=seats.order_by().values("branch_id"))


def roles_of(user) -> dict[str, str]:
    """The roles somebody has today, by key and in words; the first is the one he comes for.

    A secretary is known by his seat, a 老同志 by his own record, the others by their groups.
    """
    held = {role for role in Role if has_role(user, role)}
    if secretary_branches(user).exists():
        held.add(SECRETARY)
    if user.is_active and user.retiree_id is not None:
        held.add(Role.RETIREE)
    return {key: label for key, label in _ROLES.items() if key in held}


def visible_branches(user) -> QuerySet[Branch]:
    """All for the office and leaders, one's own for a secretary, none for others."""
    return Branch.objects.all() if sees_all(user) else secretary_branches(user)


def visible_retirees(user) -> QuerySet[Retiree]:
    """All for the office and leaders; the served people for a secretary; oneself for a retiree."""
    if sees_all(user):
        return Retiree.objects.all()
    if not user.is_active or user.retiree_id is None:
        return Retiree.objects.none()
    mine = Q(pk=user.retiree_id) | Q(pk__in=served_by(secretary_branches(user)))
    return Retiree.objects.filter(mine)


def served_by(branches: Iterable[Branch]) -> QuerySet:
    """The keys of the people whom some of these branches serve today."""
    served = Membership.objects.on(timezone.localdate()).filter(
        kind=MembershipKind.SERVED, branch__in=branches
    )
    return served.order_by().values("retiree_id")


def with_branch(rows: QuerySet, person: str = "pk") -> QuerySet:
    """Beside each row the branch that serves its person today: key and name."""
    served = Membership.objects.on(timezone.localdate()).filter(
        retiree=OuterRef(person), kind=MembershipKind.SERVED
    )
    return rows.annotate(
        with_branch=Subquery(served.values("branch_id")[:1]),
        with_branch_name=Subquery(served.values("branch__name")[:1]),
    )


def cared_for(user) -> QuerySet[Retiree]:
    """For whom a user enters care: anybody for the office, the served people for a secretary."""
    if is_office(user):
        return Retiree.objects.all()
    return Retiree.objects.filter(pk__in=served_by(secretary_branches(user)))


def visible_care(user) -> QuerySet[CareRecord]:
    """The care for the people a user sees; `is_readable` says whether its words are theirs to read.

    They are the office's, the serving secretary's and the person's. A leader sees that there is
    a record, not what it says.
    """
    if is_office(user):
        return CareRecord.objects.annotate(is_readable=Value(True, output_field=BooleanField()))
    records = CareRecord.objects.filter(retiree__in=visible_retirees(user))
    own = Q(retiree__in=cared_for(user)) | Q(retiree=user.retiree_id)
    return records.annotate(is_readable=ExpressionWrapper(own, output_field=BooleanField()))


def announced_to(branches: Iterable[Branch]) -> QuerySet[Announcement]:
    """What these branches read: about the people they serve, and those they served to the end."""
    served = Membership.objects.filter(kind=MembershipKind.SERVED)
    after = Q(since__gt=OuterRef("since")) | Q(since=OuterRef("since"), pk__gt=OuterRef("pk"))
    later = served.filter(after, retiree=OuterRef("retiree"))
    last_here = served.filter(~Exists(later), branch__in=list(branches))
    return Announcement.objects.filter(retiree__in=last_here.order_by().values("retiree_id"))
