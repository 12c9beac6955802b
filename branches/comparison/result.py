"""The result of a comparison in words: its lists, and each row as a page and a workbook show it.

Numbers are masked in all of it, those in columns that nobody knows too.
"""

import functools
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Count, Q, QuerySet, TextField, Value
from django.db.models.functions import Concat

from branches.comparison.judge import COMPARED
from branches.models import ImportBatch, StagedRow, Verdict
from branches.preview import Wording
from cadres.cleaning import ERROR
from cadres.dates import in_words
from cadres.lists import DIED, shown_cell
from cadres.models import Retiree, Status
from cadres.rosters import LABELS

#: Verdict of a row → what its list is called. A row without one is somebody whom the list lacks.
LISTS = {
    Verdict.UPDATED: "两边都有但不同",
    Verdict.UNCHANGED: "两边都有且一致",
    Verdict.CREATED: "只在表中",
    "": "只在我们这里",
    Verdict.REJECTED: "看不清的行",
}
#: The list of those without a verdict, in addresses.
ONLY_HERE = "ours"
_NUMBERS = ("id_number", "phone", "second_phone")
#: What of a list a row says about itself, the name aside.
_FACTS = [c for c in COMPARED if c not in ("name", "died_on")]
NAMESAKES = 5


def key_of(verdict: str) -> str:
    return verdict or ONLY_HERE


def found_by(rows: QuerySet[StagedRow], words: str) -> QuerySet[StagedRow]:
    """Rows by a person's name, pinyin or initials, as it stands in the list or on record."""
    words = words.replace("\0", "").strip()[:60]
    if not words:
        return rows
    tokens = Concat(Value(" "), "search_words", output_field=TextField())
    people = Retiree.objects.search(words).order_by().values("pk")
    return rows.annotate(tokens=tokens).filter(
        Q(name__contains=words) | Q(tokens__contains=f" {words.lower()}") | Q(retiree__in=people)
    )


def counted(rows: QuerySet[StagedRow]) -> list[tuple[str, str, int]]:
    """The lists of a result: key, name, how many."""
    counts = dict(rows.order_by().values_list("verdict").annotate(Count("pk")))
    return [(key_of(verdict), name, counts.get(verdict, 0)) for verdict, name in LISTS.items()]


@dataclass
class Line:
    """One row in words. `differences`: (field, ours, theirs); `reasons`: why it was not compared;
    `said`: what the list has of it; `namesakes`: people on record of that name, and their birth.
    """

    row: StagedRow
    place: str
    died_on: str
    differences: list[tuple[str, str, str]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)
    namesakes: list[tuple[Retiree, str]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """As the list has it; who has none there, but a number, is named by the record."""
        person = self.row.retiree
        return shown_cell(self.row.name) or (f"（系统里：{person.name}）" if person else "")

    @property
    def all_notes(self) -> str:
        return "；".join(text.rstrip("。") for text in [*self.reasons, *self.notes])

    @property
    def died_in_words(self) -> str:
        return in_words(self.died_on)

    @property
    def may_depart(self) -> bool:
        """The list says that somebody has died who is still on record."""
        person = self.row.retiree
        return bool(self.died_on and person and person.status == Status.ACTIVE)

    @property
    def died_on_day(self) -> str:
        """The date of death when it is known to the day."""
        return self.died_on if len(self.died_on) == 10 else ""


class Result:
    """Turns the rows of one comparison into words; what they name is asked for once."""

    def __init__(self, batch: ImportBatch):
        self.batch = batch
        self.wording = Wording()
        self.layout = batch.notes.get("layout", {})

    @property
    def has_deaths(self) -> bool:
        return any("died_on" in sheet["columns"] for sheet in self.layout.values())

    @functools.cached_property
    def facts(self) -> list[str]:
        """What the list says of anybody at all, by its Chinese name."""
        given = StagedRow.objects.filter(batch=self.batch).aggregate(
            **{column: Count(column) for column in _FACTS}
        )
        return [self.label(column) for column in _FACTS if given[column]]

    @property
    def headings(self) -> list[str]:
        """Columns of the list that nobody knows: shown as they are."""
        return list(dict.fromkeys(h for name in self.layout for _, h in self._others_of(name)))

    def lines(self, rows: Iterable[StagedRow]) -> list[Line]:
        """The rows in words, with the people they may be mixed up with."""
        found = [self.line(row) for row in rows]
        self._add_namesakes(found)
        return found

    def line(self, row: StagedRow) -> Line:
        died = next((p["value"] for p in row.problems if p["code"] == DIED), "")
        return Line(
            row,
            place=self._place(row),
            died_on=died,
            differences=self._differences(row),
            reasons=[p["message"] for p in row.all_problems if p["level"] == ERROR],
            notes=[
                self._note(p) for p in row.all_problems if p["level"] != ERROR and p["code"] != DIED
            ],
            said={
                self.label(column): self.value(column, getattr(row, column))
                for column in _FACTS
                if getattr(row, column) is not None
            },
            others=self._others(row),
        )

    def label(self, column: str) -> str:
        return LABELS[column.removesuffix("_id")]

    def value(self, column: str, value) -> str:
        """A value as people read it; the numbers in it masked."""
        if column == "died_on":
            return in_words(value) if value else "（空）"
        said = self.wording.value(column, value)
        return said if column in _NUMBERS else shown_cell(said)

    def _differences(self, row: StagedRow) -> list[tuple[str, str, str]]:
        return [
            (self.label(c), self.value(c, row.changes[c][0]), self._theirs(c, *row.changes[c]))
            for c in COMPARED
            if c in row.changes
        ]

    def _theirs(self, column: str, ours, theirs) -> str:
        """Two numbers that look alike behind their stars differ, but not where: list after list
        would read out the hidden digits."""
        said = self.value(column, theirs)
        is_alike = column in _NUMBERS and ours and said == self.value(column, ours)
        return f"{said}（不同）" if is_alike else said

    def _place(self, row: StagedRow) -> str:
        sheet = f"{row.sheet} " if len(self.layout) > 1 else ""
        return f"{sheet}第 {row.row} 行" if row.row else ""

    def _note(self, problem: dict) -> str:
        message, value = problem["message"], problem["value"]
        return message if value in message else f"{message}（表中：{value}）"

    def _others_of(self, sheet: str) -> list[tuple[int, str]]:
        """Columns shown as they are, and 备注, which is compared with nothing."""
        layout = self.layout.get(sheet, {})
        remark = layout.get("columns", {}).get("remark")
        remarks = [] if remark is None else [(remark, LABELS["remark"])]
        return [(at, shown_cell(name)) for at, name in [*layout.get("others", []), *remarks]]

    def _others(self, row: StagedRow) -> dict[str, str]:
        found = {}
        for at, heading in self._others_of(row.sheet):
            text = shown_cell(row.cells[at]) if at < len(row.cells) else ""
            if text:
                found[heading] = text
        return found

    def _add_namesakes(self, lines: list[Line]) -> None:
        """People on record who are called like somebody for whom nobody was found."""
        strangers = [line for line in lines if line.row.retiree_id is None and line.row.name]
        people = defaultdict(list)
        names = {line.row.name for line in strangers}
        for person in Retiree.objects.filter(name__in=names).select_related("unit"):
            people[person.name].append((person, in_words(person.birth_date)))
        for line in strangers:
            line.namesakes = people[line.row.name][:NAMESAKES]
