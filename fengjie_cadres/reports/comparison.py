"""信息比对 as a workbook: a summary, and a sheet for each list of the result."""

import datetime
from collections.abc import Iterator

from django.http import Http404
from django.utils import timezone

from branches.comparison.read import EXPORT, SCOPES, has_result, in_words, people_in, rows_of
from branches.comparison.result import LISTS, Line, Result
from branches.models import ImportBatch, Verdict
from cadres.dates import in_words as date_in_words
from cadres.keys import key_in
from cadres.models import Export, Retiree
from cadres.roles import is_office
from fengjie_cadres.reports.kinds import Table, for_anybody
from fengjie_cadres.reports.workbook import Column, Sheet

KIND = EXPORT
#: Verdict → name of the sheet.
TABS = {
    Verdict.UPDATED: "两边不同",
    Verdict.UNCHANGED: "两边一致",
    Verdict.CREATED: "只在表中",
    "": "只在我们这里",
    Verdict.REJECTED: "看不清",
}
#: Widths of what a list says, where they are not the usual one.
WIDTHS = {"身份证号": 21, "性别": 5, "民族": 8, "原工作单位": 24, "详细地址": 24, "所在党支部": 30}
_PERSON = [Column("性别", 5), Column("出生年月", 14), Column("原工作单位", 24), Column("状态", 8)]
_DIED = Column("表中去世时间", 14)
_NOTES = Column("说明", 40)


def _batch(filled: dict) -> ImportBatch:
    key = key_in(str(filled.get("batch", "")))
    batch = ImportBatch.objects.comparisons().filter(pk=key).first()
    if batch is None or not has_result(batch):
        raise Http404
    return batch


def count(filled: dict, user) -> int:
    """How many people the comparison named in a filled address has. Raises Http404."""
    return people_in(_batch(filled))


def words(filled: dict) -> str:
    return in_words(_batch(filled))


def fill(export: Export, _: datetime.date) -> list[Sheet]:
    """The sheets of a comparison; numbers are masked in all of them."""
    batch = _batch(export.params)
    result = Result(batch)
    lists = {
        Verdict.UPDATED: _different,
        Verdict.UNCHANGED: _same,
        Verdict.CREATED: _only_there,
        "": _only_here,
        Verdict.REJECTED: _unclear,
    }
    return [
        _summary(batch),
        *(_sheet(batch, verdict, *fill(batch, result)) for verdict, fill in lists.items()),
    ]


def _sheet(batch: ImportBatch, verdict: str, columns: list[Column], rows: Iterator) -> Sheet:
    return Sheet(f"{batch.file_name}：{LISTS[verdict]}", columns, rows, TABS[verdict])


def _summary(batch: ImportBatch) -> Sheet:
    columns = [Column("项目", 22), Column("数量", 10, is_number=True), Column("说明", 60)]
    counts = {
        Verdict.UPDATED: (batch.updated, "逐项列在“两边不同”，一项一行"),
        Verdict.UNCHANGED: (batch.unchanged, "表中填了的内容与登记的相同"),
        Verdict.CREATED: (batch.created, "我们没有登记，或者认不出是哪一位"),
        "": (batch.missing, "在比对范围内登记在册，表中没有"),
        Verdict.REJECTED: (batch.rejected, "没有可用的姓名、同一个人出现两次，或分不清是哪一位"),
    }
    rows = [
        ("名单来源", None, batch.file_name),
        ("文件", None, batch.notes.get("file", "")),
        ("比对范围", None, SCOPES[batch.scope]),
        ("比对时间", None, f"{timezone.localtime(batch.uploaded_at):%Y-%m-%d %H:%M}"),
        ("表中人员（行）", batch.rows, ""),
        *((LISTS[verdict], number, said) for verdict, (number, said) in counts.items()),
    ]
    return Sheet(f"信息比对：{batch.file_name}", columns, rows, "汇总")


def _lines(batch: ImportBatch, result: Result, verdict: str) -> Iterator[Line]:
    """Everybody of a list, a part at a time."""
    rows = rows_of(batch).filter(verdict=verdict).select_related("retiree__unit")
    return (result.line(row) for row in rows.iterator(chunk_size=2000))


def _place(result: Result) -> Column:
    return Column("表中位置", 20 if len(result.layout) > 1 else 10)


def _others(result: Result) -> list[Column]:
    return [Column(heading, 14) for heading in result.headings]


def _other_cells(result: Result, line: Line) -> list[str]:
    return [line.others.get(heading, "") for heading in result.headings]


def _person(person: Retiree) -> tuple:
    unit = person.unit.name if person.unit else ""
    born = date_in_words(person.birth_date)
    return person.get_sex_display(), born, unit, _status(person)


def _status(person: Retiree) -> str:
    return person.get_status_display()


def _different(batch: ImportBatch, result: Result):
    """A row for each thing that differs."""
    columns = [
        Column("姓名", 9), _place(result), *_PERSON, Column("项目", 14), Column("我们登记的", 24),
        Column("表中的", 24), _NOTES, *_others(result),
    ]  # fmt: skip
    rows = (
        (
            line.name, line.place, *_person(line.row.retiree), label, ours, theirs,
            line.all_notes, *_other_cells(result, line),
        )
        for line in _lines(batch, result, Verdict.UPDATED)
        for label, ours, theirs in line.differences
    )  # fmt: skip
    return columns, rows


def _same(batch: ImportBatch, result: Result):
    died = [_DIED] if result.has_deaths else []
    columns = [Column("姓名", 9), _place(result), *_PERSON, *died, _NOTES, *_others(result)]
    rows = (
        (
            line.name, line.place, *_person(line.row.retiree),
            *([line.died_in_words] if died else []), line.all_notes,
            *_other_cells(result, line),
        )
        for line in _lines(batch, result, Verdict.UNCHANGED)
    )  # fmt: skip
    return columns, rows


def _as_in_the_list(batch: ImportBatch, result: Result, verdict: str, notes: Column):
    died = [_DIED] if result.has_deaths else []
    said = [Column(label, WIDTHS.get(label, 14)) for label in result.facts]
    columns = [Column("姓名", 9), _place(result), *said, *died, notes, *_others(result)]
    rows = (
        (
            line.name, line.place, *(line.said.get(label, "") for label in result.facts),
            *([line.died_in_words] if died else []), line.all_notes,
            *_other_cells(result, line),
        )
        for line in _lines(batch, result, verdict)
    )  # fmt: skip
    return columns, rows


def _only_there(batch: ImportBatch, result: Result):
    return _as_in_the_list(batch, result, Verdict.CREATED, _NOTES)


def _unclear(batch: ImportBatch, result: Result):
    return _as_in_the_list(batch, result, Verdict.REJECTED, Column("为什么看不清", 40))


def _only_here(batch: ImportBatch, result: Result):
    columns = [
        Column("姓名", 9), *_PERSON, Column("居住乡镇(街道)", 14), Column("活动类别", 14), _NOTES,
    ]  # fmt: skip
    rows = (
        (
            line.name, *_person(line.row.retiree),
            result.wording.value("township_id", line.row.retiree.township_id or None),
            line.row.retiree.get_activity_class_display() or "未分类", line.all_notes,
        )
        for line in _lines(batch, result, "")
    )  # fmt: skip
    return columns, rows


COMPARISON = Table("信息比对", fill, count, for_anybody(words), is_for=is_office)
