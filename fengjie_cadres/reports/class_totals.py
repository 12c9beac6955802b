"""分类人数: classes by place, branch, level or age, as at any day; they add up to the people."""

import datetime
from collections import Counter
from dataclasses import dataclass

from django.db.models import Case, CharField, Count, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Cast
from django.utils import timezone

from branches.access import sees_all
from branches.models import Branch, Membership, MembershipKind
from cadres.asat import read_day
from cadres.forms import AGE_BANDS, NOWHERE, UNCLASSED, people_of
from cadres.models import ActivityClass, Area, Export, Township, UnitLevel, User
from cadres.models.people import old_enough
from fengjie_cadres.reports.figures import FIGURES
from fengjie_cadres.reports.kinds import Table
from fengjie_cadres.reports.workbook import Column, Sheet

#: What the rows may be, and the box of the people's list that narrows by it.
BY = {
    "township": "乡镇(街道)",
    "area": "片区",
    "branch": "党支部",
    "unit_level": "单位层级",
    "age": "年龄",
}
CLASSES = [*ActivityClass.choices, (UNCLASSED, "未分类")]


@dataclass(frozen=True)
class Cell:
    """A number and the list that it opens ("" where no list can be asked for)."""

    number: int
    address: str = ""


@dataclass(frozen=True)
class TotalsRow:
    """A place, branch …: its classes in their order, and all of them."""

    label: str
    cells: list[Cell]
    total: Cell


def asked(filled: dict) -> tuple[str, datetime.date]:
    """What the rows are and on which day, of an address: by township and today, unless it says."""
    by, today = filled.get("by"), timezone.localdate()
    return by if by in BY else "township", min(read_day(filled.get("on")) or today, today)


def class_totals(user: User, by: str, on: datetime.date) -> list[TotalsRow]:
    """The rows, those without people left out, and the sum of all last; one query and the names."""
    people = people_of(FIGURES["retirees"].asked(on), user).order_by()
    counts: Counter = Counter()
    found = _with_row(people, by, on).values("row", "class_then").annotate(people=Count("pk"))
    for group in found:
        counts[group["row"] or "", group["class_then"] or UNCLASSED] += group["people"]
    names = _names(by)
    keys = [key for key in names if any(counts[key, code] for code, _ in CLASSES)]
    rows = [_row(names[key], counts, by, key, on) for key in keys]
    if any(key not in names for key, _ in counts):
        rows.append(_unknown(counts, names, by, on))
    return [*rows, _sum(rows, on)]


def _names(by: str) -> dict[str, str]:
    """Key of a row → its name, in the order in which they stand."""
    if by == "age":
        return dict(AGE_BANDS)
    if by == "unit_level":
        return dict(UnitLevel.choices)
    model = {"township": Township, "area": Area, "branch": Branch}[by]
    return {str(pk): name for pk, name in model.objects.values_list("pk", "name")}


def _with_row(people: QuerySet, by: str, on: datetime.date) -> QuerySet:
    """The people with `row`, the key of the row in which each is counted."""
    if by == "age":
        lowest = [(band, int(band.split("-")[0])) for band in reversed(AGE_BANDS)]
        known = ~Q(birth_date="")
        bands = [When(known & (old_enough(low, on) if low else Q()), Value(b)) for b, low in lowest]
        return people.annotate(row=Case(*bands, default=Value("")))
    if by == "unit_level":
        return people.annotate(row=F("unit__unit_level"))
    key = {"township": F("township_then"), "area": _area(), "branch": _branch(on)}[by]
    return people.annotate(row=Cast(key, CharField()))


def _area() -> Subquery:
    township = Township.objects.filter(pk=OuterRef("township_then"))
    return Subquery(township.values("area_id")[:1])


def _branch(on: datetime.date) -> Subquery:
    served = Membership.objects.on(on).filter(retiree=OuterRef("pk"), kind=MembershipKind.SERVED)
    return Subquery(served.values("branch_id")[:1])


def _row(label: str, counts: Counter, by: str, key: str, on: datetime.date) -> TotalsRow:
    figure = FIGURES["retirees"]
    cells = [
        Cell(counts[key, code], figure.address(on, activity_class=code, **{by: key}))
        for code, _ in CLASSES
    ]
    total = Cell(sum(cell.number for cell in cells), figure.address(on, **{by: key}))
    return TotalsRow(label, cells, total)


def _unknown(counts: Counter, names: dict, by: str, on: datetime.date) -> TotalsRow:
    """Whoever belongs to none of the rows; of places the list can be asked for."""
    found = Counter()
    for (key, code), number in counts.items():
        found[NOWHERE, code] += 0 if key in names else number
    row = _row("没有登记", found, by, NOWHERE, on)
    if by == "township":
        return row
    return TotalsRow(row.label, [Cell(c.number) for c in row.cells], Cell(row.total.number))


def _sum(rows: list[TotalsRow], on: datetime.date) -> TotalsRow:
    figure = FIGURES["retirees"]
    cells = [
        Cell(sum(row.cells[i].number for row in rows), figure.address(on, activity_class=code))
        for i, (code, _) in enumerate(CLASSES)
    ]
    return TotalsRow("合计", cells, Cell(sum(row.total.number for row in rows), figure.address(on)))


# ---- the workbook ------------------------------------------------------------------------------


def _sheets(export: Export, _: datetime.date) -> list[Sheet]:
    """分类人数 as its page shows it, the sum last."""
    by, on = asked(export.params)
    numbers = [Column(label, 16, is_number=True) for label in [*(n for _, n in CLASSES), "合计"]]
    rows = (
        (row.label, *(cell.number for cell in row.cells), row.total.number)
        for row in class_totals(export.asked_by, by, on)
    )
    return [Sheet("分类人数统计表", [Column(BY[by], 36), *numbers], rows)]


def _people(filled: dict, user: User) -> int:
    _, on = asked(filled)
    return FIGURES["retirees"].count(user, on)


def _words(filled: dict, user: User) -> str:
    by, on = asked(filled)
    return f"长期在奉居住的在册人员；按{BY[by]}分；截至 {on.isoformat()}"


TOTALS = Table("分类人数统计表", _sheets, count=_people, words=_words, is_for=sees_all)
