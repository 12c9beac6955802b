"""The workbooks of the year's end: 结转名单, 催办名单."""

import datetime

from branches.access import with_branch
from cadres.masking import mask_phone
from cadres.models import Export
from cadres.roles import is_office
from fengjie_cadres.reports.kinds import Table
from fengjie_cadres.reports.workbook import Column, Sheet
from points.models import Account, Cycle
from points.views.year_end_forms import RolloverFilter, losing_of, rollover_of

_ROLLOVER = [
    Column("姓名", 9),
    Column("原工作单位", 28),
    Column("党支部", 30),
    Column("结余", 8, is_number=True),
    Column("已预约", 8, is_number=True),
    Column("转入下年", 9, is_number=True),
    Column("作废", 8, is_number=True),
    Column("账户状态", 24),
]
_CALLS = [
    Column("党支部", 30),
    Column("姓名", 9),
    Column("联系电话", 14),
    Column("结余", 8, is_number=True),
    Column("将作废", 8, is_number=True),
    Column("打过电话", 12),
    Column("回话", 24),
]


def _cycle(filled: dict) -> Cycle | None:
    """The year of the address; a page always says it."""
    year = str(filled.get("cycle", ""))
    return Cycle.objects.filter(year=year).first() if year.isdecimal() else None


def _rows(filled: dict, user):
    cycle = _cycle(filled)
    return rollover_of(cycle, filled, user) if cycle else Account.objects.none()


def _losing(filled: dict, user):
    cycle = _cycle(filled)
    return losing_of(cycle, user) if cycle else Account.objects.none()


def _rollover(export: Export, _: datetime.date) -> list[Sheet]:
    found = with_branch(_rows(export.params, export.asked_by), person="retiree")
    rows = found.order_by("retiree__name_pinyin", "id").values_list(
        "retiree__name", "retiree__unit__name", "with_branch_name", "held", "reserved", "carried",
        "expiring", "frozen_at", "frozen_why",
    )  # fmt: skip
    lines = (_line(row) for row in rows.iterator(chunk_size=5000))
    return [Sheet("结转名单", _ROLLOVER, lines)]


def _line(row: tuple) -> tuple:
    *shown, frozen_at, why = row
    return (*shown, f"已冻结：{why}" if frozen_at else "正常")


def _calls(export: Export, _: datetime.date) -> list[Sheet]:
    found = with_branch(_losing(export.params, export.asked_by), person="retiree")
    rows = found.order_by("with_branch_name", "-expiring", "id").values_list(
        "with_branch_name", "retiree__name", "retiree__phone", "held", "expiring"
    )
    lines = (
        (branch or "没有联系服务的支部", name, mask_phone(phone), held, expiring, "", "")
        for branch, name, phone, held, expiring in rows.iterator(chunk_size=5000)
    )
    return [Sheet("催办名单", _CALLS, lines)]


def _words(filled: dict) -> str:
    searched = [f"搜索：{filled['q']}"] if filled.get("q") else []
    year = [f"年度：{filled.get('cycle', '')}"]
    return "；".join(filter(None, [*year, RolloverFilter(filled).in_words(), *searched]))


ROLLOVER = Table(
    "积分结转名单",
    _rollover,
    count=lambda filled, user: _rows(filled, user).count(),
    words=_words,
    is_for=is_office,
)
CALLS = Table(
    "积分催办名单",
    _calls,
    count=lambda filled, user: _losing(filled, user).count(),
    words=_words,
    is_for=is_office,
)
