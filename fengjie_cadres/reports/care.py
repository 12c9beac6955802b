"""The workbook of the care for people."""

import datetime

from branches.access import with_branch
from cadres.dates import age_on
from cadres.forms import care_filter_in_words, care_of, people_of_care
from cadres.models import CareKind, Export, Sex
from fengjie_cadres.reports.kinds import Table, for_anybody
from fengjie_cadres.reports.workbook import Column, Sheet

_KINDS = dict(CareKind.choices)
_SEXES = dict(Sex.choices)

COLUMNS = [
    Column("日期", 11),
    Column("姓名", 9),
    Column("性别", 5),
    Column("年龄", 5, is_number=True),
    Column("原工作单位", 24),
    Column("党支部", 28),
    Column("居住乡镇(街道)", 13),
    Column("种类", 10),
    Column("地点", 14),
    Column("看望的人", 16),
    Column("慰问品或慰问金", 16),
    Column("情况", 30),
    Column("出院日期", 11),
    Column("登记人", 10),
]


def care_ledger(export: Export, today: datetime.date) -> list[Sheet]:
    """关心关爱台账 of a filter, by date; the words only where they are the asker's to read."""
    found = with_branch(care_of(export.params, export.asked_by), person="retiree")
    rows = found.order_by("on", "id").values_list(
        "on", "retiree__name", "retiree__sex", "retiree__birth_date", "retiree__unit__name",
        "with_branch_name", "retiree__township__name", "kind", "entered_by__name", "is_readable",
        "until", "place", "visitors", "given", "words",
    )  # fmt: skip
    lines = (_line(row) for row in rows.iterator(chunk_size=5000))
    return [Sheet("关心关爱台账", COLUMNS, lines)]


def _line(row: tuple) -> tuple:
    on, name, sex, born, unit, branch, township, kind, entered, is_readable, until, *said = row
    if not is_readable:
        until, said = None, [""] * len(said)
    return (
        on.isoformat(), name, _SEXES.get(sex), age_on(born, on), unit, branch, township,
        _KINDS[kind], *said, until.isoformat() if until else "", entered,
    )  # fmt: skip


CARE = Table(
    "关心关爱台账", care_ledger, count=people_of_care, words=for_anybody(care_filter_in_words)
)
