"""兑换清单: every article of every redemption, and what it comes to in points and money."""

import datetime
from decimal import Decimal

from django.db.models import DecimalField, F, Sum
from django.utils import timezone

from branches.access import sees_all, with_branch
from cadres.models import Export
from fengjie_cadres.reports.kinds import Table, for_anybody
from fengjie_cadres.reports.workbook import Column, Sheet
from points.forms import words_with_search
from points.forms.redemption import RedemptionFilter, redemptions_of
from points.models import RedemptionLine, RedemptionState

_LIST = [
    Column("单号", 15),
    Column("日期", 11),
    Column("地点", 18),
    Column("年度", 7, is_number=True),
    Column("姓名", 9),
    Column("党支部", 26),
    Column("物品", 16),
    Column("份数", 6, is_number=True),
    Column("每份积分", 9, is_number=True),
    Column("积分", 8, is_number=True),
    Column("单价（元）", 9, is_money=True),
    Column("金额（元）", 10, is_money=True),
    Column("状态", 9),
    Column("领取或取消时间", 16),
    Column("谁领的", 16),
    Column("谁约的", 9),
    Column("谁办的", 9),
]
_SUMS = [
    Column("状态", 10),
    Column("物品", 24),
    Column("份数", 8, is_number=True),
    Column("积分", 10, is_number=True),
    Column("单价（元）", 10, is_money=True),
    Column("金额（元）", 12, is_money=True),
]
_STATES = dict(RedemptionState.choices)


def _lines_of(export: Export):
    found = redemptions_of(export.params, export.asked_by)
    return RedemptionLine.objects.filter(redemption__in=found.order_by().values("pk"))


def _fill(export: Export, _: datetime.date) -> list[Sheet]:
    lines = _lines_of(export).select_related(
        "redemption__day__cycle", "redemption__retiree", "redemption__reserved_by",
        "redemption__ended_by", "stock__reward",
    )  # fmt: skip
    lines = with_branch(lines, person="redemption__retiree")
    lines = lines.order_by("redemption__day__date", "redemption_id", "id")
    rows = (_row(line) for line in lines.iterator(chunk_size=5000))
    return [
        Sheet("兑换清单", _LIST, rows),
        Sheet("兑换清单合计", _SUMS, _sums(_lines_of(export)), tab="合计"),
    ]


def _row(line: RedemptionLine) -> tuple:
    one, stock = line.redemption, line.stock
    ended = f"{timezone.localtime(one.ended_at):%Y-%m-%d %H:%M}" if one.ended_at else ""
    whom = ""
    if one.state == RedemptionState.COLLECTED:
        whom = f"{one.collector}（{one.relation}）" if one.collector else "本人"
    return (
        one.number, one.day.date.isoformat(), one.day.place, one.day.cycle.year, one.retiree.name,
        line.with_branch_name, stock.reward.name, line.quantity, line.points, line.sum, stock.value,
        None if stock.value is None else stock.value * line.quantity,
        one.get_state_display(), ended, whom, str(one.reserved_by or ""), str(one.ended_by or ""),
    )  # fmt: skip


def _sums(lines) -> list[tuple]:
    """By state and article, with a sum for each state: only what was collected has been spent."""
    money = Sum(F("quantity") * F("stock__value"), output_field=DecimalField())
    found = lines.order_by().values("redemption__state", "stock__reward__name", "stock__value")
    found = found.annotate(
        pieces=Sum("quantity"), spent=Sum(F("quantity") * F("points")), money=money
    )
    groups: dict[str, list] = {state: [] for state in _STATES}
    for each in found.order_by("stock__reward__name", "stock__value"):
        groups[each["redemption__state"]].append(each)
    rows = []
    for state, group in groups.items():
        if group:
            rows += [_sum(_STATES[state], each) for each in group]
            rows.append(_total(f"{_STATES[state]}合计", group))
    return rows


def _sum(state: str, each: dict) -> tuple:
    name, value = each["stock__reward__name"], each["stock__value"]
    return (state, name, each["pieces"], each["spent"], value, each["money"])


def _total(words: str, group: list[dict]) -> tuple:
    money = sum((each["money"] or Decimal(0) for each in group), Decimal(0))
    pieces, spent = (sum(each[name] for each in group) for name in ("pieces", "spent"))
    return (words, "", pieces, spent, None, money)


def _people(filled: dict, user) -> int:
    return redemptions_of(filled, user).order_by().values("retiree").distinct().count()


REDEMPTIONS = Table(
    "兑换清单",
    _fill,
    count=_people,
    words=for_anybody(words_with_search(RedemptionFilter)),
    is_for=sees_all,
)
