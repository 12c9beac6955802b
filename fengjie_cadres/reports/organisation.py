"""The tables of units and branches."""

import datetime

from branches.access import sees_all, visible_branches
from branches.forms import BranchFilter
from cadres.forms import UnitFilter
from cadres.models import Export, Unit
from fengjie_cadres.reports.kinds import Table, words_of
from fengjie_cadres.reports.workbook import Column, Sheet

_BRANCHES = [
    Column("名称", 36),
    Column("片区", 12),
    Column("所在乡镇(街道)", 14),
    Column("书记", 10),
    Column("组织关系在此（人）", 12, is_number=True),
    Column("联系服务（人）", 12, is_number=True),
    Column("成立日期", 12),
    Column("特色", 20),
]
_UNITS = [
    Column("名称", 36),
    Column("性质", 10),
    Column("行业", 12),
    Column("层级", 10),
    Column("在册人数", 10, is_number=True),
    Column("正常活动", 10, is_number=True),
    Column("适当参加活动", 12, is_number=True),
    Column("不能参加活动", 12, is_number=True),
]


def _of_branches(export: Export, _: datetime.date) -> list[Sheet]:
    found = BranchFilter(export.params).filter(visible_branches(export.asked_by))
    columns = (
        "name", "area__name", "township__name", "secretary_name", "affiliated", "served",
        "founded_on", "brand",
    )  # fmt: skip
    rows = found.with_people().with_secretary().values_list(*columns)
    return [Sheet("支部情况表", _BRANCHES, (_dated(row) for row in rows))]


def _dated(row: tuple) -> tuple:
    *first, founded, brand = row
    return (*first, founded.isoformat() if founded else "", brand)


def _of_units(export: Export, _: datetime.date) -> list[Sheet]:
    found = UnitFilter(export.params).filter(Unit.objects.with_people())
    columns = ("name", "nature", "sector", "unit_level", "people")
    rows = found.values_list(*columns, *(f"people_{code}" for code in "abc"))
    return [Sheet("指导单位情况表", _UNITS, rows)]


BRANCHES = Table(
    "支部情况表",
    _of_branches,
    count=lambda filled, user: 0,
    words=words_of(BranchFilter),
    is_for=lambda user: visible_branches(user).exists(),
)
UNITS = Table(
    "指导单位情况表",
    _of_units,
    count=lambda filled, user: 0,
    words=words_of(UnitFilter),
    is_for=sees_all,
)
