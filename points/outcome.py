"""What the year's end comes to for each person: asked of the database for everybody at once."""

from django.db.models import (
    Case,
    Count,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from points.models import Account, AccountKind, Cycle, Redemption, RedemptionState, Transfer


def people(cycle: Cycle) -> QuerySet[Account]:
    """Beside each account that holds something: held, reserved, carried, expiring.

    Before posting this is what the policy will do, afterwards what was done. What a frozen
    account holds waits for a ruling: nothing of it is carried or expires.
    """
    found = Account.objects.of_members().filter(cycle=cycle)
    moved = {"out": "carry", "gone": "expire"} if has_posted(cycle) else {}
    done = {
        name: Coalesce(Sum("outgoing__amount", filter=Q(outgoing__kind=kind)), 0)
        for name, kind in moved.items()
    }
    found = found.annotate(
        **({"out": _ZERO, "gone": _ZERO} | done), due=_due(cycle), reserved=_reserved(cycle)
    )
    found = found.annotate(
        held=F("balance") + F("out") + F("gone"),
        carried=F("out") + F("due"),
        expiring=F("gone") + Case(When(frozen_at=None, then=F("balance") - F("due")), default=0),
    )
    return found.filter(Q(held__gt=0) | Q(reserved__gt=0))


_ZERO = Value(0, output_field=IntegerField())


def has_posted(cycle: Cycle) -> bool:
    """Whether the cycle's points have begun to expire or to be carried away."""
    ends = cycle.accounts.filter(kind__in=[AccountKind.EXPIRED, AccountKind.CARRIED_OUT])
    return Transfer.objects.filter(to_account__in=ends, kind__in=["expire", "carry"]).exists()


def _due(cycle: Cycle):
    """What of a balance will be carried, by the rule that posts it."""
    carried = Func(
        F("balance"),
        Value(cycle.carry_percent, output_field=IntegerField()),
        Value(cycle.carry_cap, output_field=IntegerField()),
        function="points_carried",
        output_field=IntegerField(),
    )
    return Case(When(frozen_at=None, then=carried), default=0)


def _reserved(cycle: Cycle):
    """Points spent on what was reserved and nobody has collected."""
    open_ones = Redemption.objects.filter(day__cycle=cycle, state=RedemptionState.RESERVED)
    if not open_ones.exists():  # as at every year's end, before it may be published
        return _ZERO
    own = open_ones.filter(retiree=OuterRef("retiree")).order_by().values("retiree")
    sums = own.annotate(sum=Sum("points")).values("sum")
    return Coalesce(Subquery(sums, output_field=IntegerField()), 0)


def totals(found: QuerySet[Account]) -> dict[str, int]:
    """People and sums of some rows of `people`."""
    names = ("held", "reserved", "carried", "expiring")
    loses = Case(When(expiring__gt=0, then=1), default=0)
    sums = (
        found.order_by()
        .annotate(loses=loses)
        .aggregate(
            people=Count("pk"),
            losing=Coalesce(Sum("loses"), 0),
            **{f"all_{name}": Coalesce(Sum(name), 0) for name in names},
        )
    )
    return {name.removeprefix("all_"): int(value) for name, value in sums.items()}
