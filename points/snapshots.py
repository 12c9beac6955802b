"""What a public notice says: sums of a quarter or a year, by branch; names only with stars.

`homes` (person → name of the branch that serves them) comes from the page that asks: branches
stand to the right of points.
"""

import datetime
from collections import defaultdict
from collections.abc import Mapping

from django.db.models import F, QuerySet, Sum
from django.utils import timezone

from cadres.models import Retiree
from points.models import Account, AccountKind, Cycle, RedemptionLine, RedemptionState, Transfer

Homes = Mapping[int, str]
NO_BRANCH = "没有联系服务的支部"
_MONTHS = 3


def masked_name(name: str) -> str:
    """张三 → 张*, 张小三 → 张*三; a longer one keeps its first and last character."""
    if len(name) <= 2:
        return name[:1] + "*"
    return name[0] + "*" * (len(name) - 2) + name[-1]


def quarter_starts_on(cycle: Cycle, quarter: int) -> datetime.date:
    return datetime.date(cycle.year, _MONTHS * (quarter - 1) + 1, 1)


def quarter_ends_on(cycle: Cycle, quarter: int) -> datetime.date:
    if quarter == 4:
        return datetime.date(cycle.year, 12, 31)
    return quarter_starts_on(cycle, quarter + 1) - datetime.timedelta(1)


def of_quarter(cycle: Cycle, quarter: int, with_names: bool, homes: Homes) -> dict:
    """Of what was booked in the quarter, whenever it happened.

    What is booked after the year is over stands in the notice of the year's end.
    """
    first, last = quarter_starts_on(cycle, quarter), quarter_ends_on(cycle, quarter)
    zone = timezone.get_current_timezone()
    since = datetime.datetime.combine(first, datetime.time(), zone)
    until = datetime.datetime.combine(last + datetime.timedelta(1), datetime.time(), zone)
    moved = Transfer.objects.filter(cycle=cycle, posted_at__gte=since, posted_at__lt=until)
    flows = _flows(moved)
    words = f"{first.year}年{first.month}月{first.day}日至{last.month}月{last.day}日"
    shown = {"year": cycle.year, "period": words, "branches": _by_branch(flows, homes)}
    shown |= {"totals": _totals(flows), "rewards": _rewards(cycle, since, until)}
    return shown | {"names": _names(flows, homes) if with_names else []}


def of_year(cycle: Cycle, homes: Homes, ends: QuerySet[Account], figures: dict) -> dict:
    """Of the whole year; `ends` are the rows of points.outcome.people, `figures` their sums."""
    flows = _flows(Transfer.objects.filter(cycle=cycle))
    for pk, carried, expiring in ends.values_list("retiree", "carried", "expiring"):
        flows[pk] |= {"carried": int(carried), "expiring": int(expiring)}
    policy = {"percent": cycle.carry_percent, "cap": cycle.carry_cap}
    rest = sum(figures.get(name, 0) for name in ("carried", "expiring"))
    policy["frozen"] = figures.get("held", 0) - rest  # what waits for a ruling
    return {
        "year": cycle.year,
        "period": f"{cycle.year}年全年",
        "branches": _by_branch(flows, homes),
        "totals": _totals(flows),
        "rewards": _rewards(cycle),
        "names": [],
        "rollover": figures | policy,
    }


def _flows(moved: QuerySet[Transfer]) -> dict[int, dict[str, int]]:
    """Person → system's account → points, as they count in its figure."""
    found = moved.with_member().order_by().values_list("member", "flow").annotate(Sum("counted"))
    people: dict[int, dict[str, int]] = defaultdict(dict)
    for member, flow, points in found:
        people[member][flow] = points
    return people


_SHOWN = (AccountKind.ISSUED.value, AccountKind.REDEEMED.value, "carried", "expiring")


def _totals(flows: dict) -> dict[str, int]:
    sums = {name: sum(own.get(name, 0) for own in flows.values()) for name in _SHOWN}
    redeemed = sum(1 for own in flows.values() if own.get(AccountKind.REDEEMED.value, 0) > 0)
    return sums | {"people": len(flows), "redeemers": redeemed}


def _by_branch(flows: dict, homes: Homes) -> list[dict]:
    groups: dict[str, dict] = defaultdict(dict)
    for pk, own in flows.items():
        groups[homes.get(pk) or NO_BRANCH][pk] = own
    rows = [{"name": name, **_totals(own)} for name, own in groups.items()]
    return sorted(rows, key=lambda row: (row["name"] == NO_BRANCH, row["name"]))


def _rewards(cycle: Cycle, since=None, until=None) -> list[dict]:
    """What was handed out."""
    lines = RedemptionLine.objects.filter(
        redemption__day__cycle=cycle, redemption__state=RedemptionState.COLLECTED
    )
    if since:
        lines = lines.filter(redemption__ended_at__gte=since, redemption__ended_at__lt=until)
    found = lines.order_by().values(name=F("stock__reward__name"))
    found = found.annotate(number=Sum("quantity"), points=Sum(F("quantity") * F("points")))
    return list(found.order_by("name"))


def _names(flows: dict, homes: Homes) -> list[dict]:
    """Who has redeemed, with stars: nobody's consent to being named in full is recorded yet."""
    redeemed = {
        pk: own[AccountKind.REDEEMED.value]
        for pk, own in flows.items()
        if own.get(AccountKind.REDEEMED.value, 0) > 0
    }
    people = Retiree.objects.filter(pk__in=redeemed).order_by("name_pinyin", "pk")
    return [
        {"name": masked_name(name), "branch": homes.get(pk) or NO_BRANCH, "points": redeemed[pk]}
        for pk, name in people.values_list("pk", "name")
    ]
