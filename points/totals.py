"""Sums of the books: issued, carried in, redeemed, expired, carried out, outstanding.

In every cycle, issued + carried in = redeemed + expired + carried out + outstanding. What was
issued is net: awards and adjustments, less what was deducted or taken back.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from django.db.models import F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from points.models import SYSTEM_KINDS, Account, AccountKind, Transfer

#: What the system's accounts are called in figures, in their order.
FLOWS = {
    AccountKind.ISSUED.value: "发放",
    AccountKind.CARRIED_IN.value: "上年转入",
    AccountKind.REDEEMED.value: "兑换",
    AccountKind.EXPIRED.value: "作废",
    AccountKind.CARRIED_OUT.value: "转入下年",
}


@dataclass
class Totals:
    """The sums of one row of a table: flow → points, and what is outstanding."""

    flows: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    outstanding: int = 0

    @property
    def adds_up(self) -> bool:
        came = self.flows[AccountKind.ISSUED] + self.flows[AccountKind.CARRIED_IN]
        went = sum(self.flows[kind] for kind in SYSTEM_KINDS) - came
        return came == went + self.outstanding

    def add(self, other: "Totals") -> None:
        for flow, points in other.flows.items():
            self.flows[flow] += points
        self.outstanding += other.outstanding


def totals_by(name: str, transfers: QuerySet[Transfer], accounts: QuerySet[Account]) -> dict:
    """Value of a field (`cycle`, `member`) → the sums of its transfers and balances."""
    found = defaultdict(Totals)
    flows = transfers.with_member().order_by().values(name, "flow").annotate(sum=Sum("counted"))
    for row in flows:
        found[row[name]].flows[row["flow"]] = row["sum"]
    of_account = {"member": "retiree"}.get(name, name)
    for row in accounts.order_by().values(of_account).annotate(sum=Sum("balance")):
        found[row[of_account]].outstanding = row["sum"]
    return dict(found)


def issued_by_rule(transfers: QuerySet[Transfer]) -> dict[str | None, int]:
    """Code of the rule → what was issued by it; None: by hand and what was owed."""
    found = transfers.with_member().filter(flow=AccountKind.ISSUED).order_by()
    return dict(found.values_list("rule__code").annotate(sum=Sum("counted")))


def with_earned(accounts: QuerySet[Account]) -> QuerySet[Account]:
    """Beside each member's account what was issued into it, net."""
    given = Transfer.objects.filter(
        to_account=OuterRef("pk"), from_account__kind=AccountKind.ISSUED
    )
    taken = Transfer.objects.filter(
        from_account=OuterRef("pk"), to_account__kind=AccountKind.ISSUED
    )
    return accounts.annotate(
        given=_sum(given, "to_account"), taken=_sum(taken, "from_account")
    ).annotate(earned=F("given") - F("taken"))


def _sum(transfers: QuerySet, account: str):
    found = transfers.order_by().values(account).annotate(sum=Sum("amount")).values("sum")
    return Coalesce(Subquery(found), 0)
