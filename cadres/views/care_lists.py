"""Lists to print, a sheet for each branch: whose birthday it is, and whom to visit."""

import datetime
from dataclasses import dataclass, field
from itertools import groupby

from django.db.models import Exists, OuterRef
from django.db.models.functions import Substr
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.http import require_GET

from branches.access import cared_for, sees_all, visible_retirees, with_branch
from cadres.forms import BirthdayFilter, VisitFilter
from cadres.models import CareKind, CareRecord, Retiree
from cadres.views.care import enters_care, frame, refuse_others
from cadres.visiting import facts_of, reasons


@dataclass(frozen=True)
class Line:
    """One person of a list, and what the list says of them."""

    person: Retiree
    age: int | None
    words: str
    visited_on: datetime.date | None = None
    why: dict = field(default_factory=dict)
    is_done: bool = False

    @property
    def is_round(self) -> bool:
        """Sixty, seventy, eighty …"""
        return bool(self.age) and self.age % 10 == 0


def _people(request, branch: str):
    """Who is served, by branch and name; who is served by nobody comes last."""
    user = request.user
    people = with_branch((visible_retirees if sees_all(user) else cared_for)(user).active())
    if branch:
        people = people.filter(with_branch=branch)
    people = people.select_related("unit", "township", "community")
    return people.order_by("with_branch", "name_pinyin", "id")


def _branch(line: Line) -> tuple[bool, int]:
    return line.person.with_branch is None, line.person.with_branch or 0


def _sheets(lines: list[Line]) -> list[tuple[str, list[Line]]]:
    """Branch by branch, as `_people` orders them."""
    groups = groupby(lines, key=lambda line: line.person.with_branch)
    sheets = [list(group) for _, group in groups]
    return [(sheet[0].person.with_branch_name or "没有支部联系服务", sheet) for sheet in sheets]


def _page(request, template: str, form, lines: list[Line], **context):
    context |= {"form": form, "sheets": _sheets(lines), "count": len(lines)}
    context |= {"may_enter": enters_care(request.user), **frame(request.user)}
    return render(request, template, context)


@require_GET
def birthdays(request):
    """Who turns what age in a month; who is known to the month only stands at its end."""
    refuse_others(request.user)
    today = timezone.localdate()
    asked = {"year": str(today.year), "month": str(today.month), **request.GET.dict()}
    form = BirthdayFilter(asked, user=request.user, today=today)
    chosen = form.chosen()
    year, month = (int(chosen.get(n, getattr(today, n))) for n in ("year", "month"))
    people = _people(request, chosen.get("branch", ""))
    people = people.annotate(born_in=Substr("birth_date", 6, 2), is_greeted=_greeted(year))
    lines = [
        Line(person, year - int(person.birth_date[:4]), _day(person), is_done=person.is_greeted)
        for person in people.filter(born_in=f"{month:02d}")
    ]
    lines.sort(key=lambda line: (*_branch(line), line.person.birth_date[8:] or "99"))
    title = f"{year}年{month}月生日名单"
    return _page(request, "cadres/care_birthdays.html", form, lines, title=title)


def _greeted(year: int) -> Exists:
    return Exists(
        CareRecord.objects.filter(retiree=OuterRef("pk"), kind=CareKind.BIRTHDAY, on__year=year)
    )


def _day(person: Retiree) -> str:
    day = person.birth_date[8:]
    return f"{int(person.birth_date[5:7])}月{int(day)}日" if day else "日不详"


@require_GET
def visits(request):
    """Whom to visit and why, with blanks for date and signature."""
    refuse_others(request.user)
    today = timezone.localdate()
    form = VisitFilter(request.GET, user=request.user)
    chosen = form.chosen()
    people = list(_people(request, chosen.get("branch", "")))
    facts = facts_of(people, today)
    lines = []
    for person in people:
        known = facts[person.pk]
        why = reasons(known, today)
        if chosen["why"] in why if chosen.get("why") else why:
            lines.append(Line(person, known.age, "；".join(why.values()), known.visited_on, why))
    title = f"走访名单（{date_format(today)}）"
    lines.sort(key=lambda line: (*_branch(line), -len(line.why)))  # the most urgent first
    return _page(request, "cadres/care_visits.html", form, lines, title=title)
