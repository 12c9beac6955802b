"""How people come to branches: by organisational relation, or served where they live."""

import datetime

from django.db import transaction
from django.db.models import Q

from branches.models import Branch, Membership, MembershipKind
from cadres.jobs import RefusedError
from cadres.models import Retiree, User

DESK = "工作人员登记"


class JoinRefusedError(RefusedError):
    """The person cannot come to the branch on this day."""


@transaction.atomic
def join(*, retiree: Retiree, branch: Branch, on: datetime.date, by: User) -> list[Membership]:
    """From a day on the branch serves the person, and a party member is affiliated to it.

    Relations of these kinds to another branch end on that day, or are corrected when they began
    on it. Raises JoinRefusedError when the day lies before them.
    """
    kinds = [MembershipKind.SERVED]
    if retiree.is_party_member:
        kinds.insert(0, MembershipKind.AFFILIATED)
    _hold(retiree)
    return [_belong(retiree, branch, kind, on) for kind in kinds]


@transaction.atomic
def serve_by_residence(*, retiree: Retiree, on: datetime.date, by: User) -> Membership | None:
    """Who is served by no branch gets the one of the place of residence, if there is one.

    Not who is served until a planned day, or will be from one on.
    """
    _hold(retiree)
    not_over = Q(until=None) | Q(until__gt=on)
    served = retiree.memberships.filter(not_over, kind=MembershipKind.SERVED).first()
    branch = None if served else branch_of_residence(retiree)
    return _belong(retiree, branch, MembershipKind.SERVED, on) if branch else served


def branch_of_residence(retiree: Retiree) -> Branch | None:
    """The branch named after the community, else the township's first (as in roster imports)."""
    if retiree.township_id is None:
        return None
    branches = list(Branch.objects.filter(township=retiree.township_id).order_by("id"))
    place = retiree.community.short_name if retiree.community else None
    named = (branch for branch in branches if place and place in branch.name)
    return next(named, branches[0] if branches else None)


def _hold(retiree: Retiree) -> None:
    Retiree.objects.select_for_update(no_key=True).get(pk=retiree.pk)


def _belong(retiree: Retiree, branch: Branch, kind: str, on: datetime.date) -> Membership:
    ledger = retiree.memberships.filter(kind=kind)
    current = ledger.current().first()
    if current and current.branch_id == branch.pk:
        return current
    last = current or ledger.first()
    if last and on < (last.until or last.since):
        day = last.until or last.since
        raise JoinRefusedError(
            f"日期不能早于上一次{last.get_kind_display()}记录的 {day:%Y-%m-%d}。"
        )
    if current and current.since == on:
        current.branch, current.source = branch, DESK
        current.save(update_fields=["branch", "source"])
        return current
    if current:
        current.until = on
        current.save(update_fields=["until"])
    return Membership.objects.create(
        retiree=retiree, branch=branch, kind=kind, since=on, source=DESK
    )
