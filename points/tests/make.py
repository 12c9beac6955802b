"""Plain makers of cycles, causes and balances."""

import datetime
import itertools

from cadres.models import Retiree, User
from cadres.tests.make import make_retiree
from points import ledger
from points.models import Account, Cycle, Posting, Rule

_numbers = itertools.count(1)
DAY = datetime.date(2025, 3, 1)


def make_cycle(year: int = 2025, **fields) -> Cycle:
    """A cycle that is open to this day, unless told otherwise."""
    cycle = ledger.open_cycle(
        year=year, redeem_until=fields.pop("redeem_until", datetime.date(2099, 1, 31))
    )
    if fields:
        Cycle.objects.filter(pk=cycle.pk).update(**fields)
    return Cycle.objects.get(pk=cycle.pk)


def make_rule(code: str = "", **fields) -> Rule:
    """A rule that is none of the county's seventeen, 2 points without a cap."""
    fields = {
        "name": "测试规则", "direction": "award", "points": 2, "per": "次",
        "valid_from": datetime.date(2020, 1, 1), "verified_by": "老干部局", "cause": "测试",
        "credited": "本人",
    } | fields  # fmt: skip
    return Rule.objects.create(code=code or f"test_{next(_numbers)}", **fields)


def awarded(
    retiree: Retiree, points: int, *, on: datetime.date = DAY, by: User | None = None
) -> Posting:
    """So many points for a person, by a rule of one point."""
    rule = Rule.objects.filter(code="test_one").first() or make_rule("test_one", points=1)
    return ledger.award(
        source=f"test:{next(_numbers)}", retiree=retiree, code=rule.code, on=on, by=by, units=points
    )


def make_rich(points: int = 100, **fields) -> Retiree:
    """A person with points in the cycle of 2025."""
    make_cycle()
    retiree = make_retiree(**fields)
    awarded(retiree, points)
    return retiree


def balance(retiree: Retiree, year: int = 2025) -> int:
    account = Account.objects.filter(retiree=retiree, cycle__year=year).first()
    return account.balance if account else 0
