"""Paper: the list of a day to print, and what was written on it typed back."""

from itertools import groupby

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import IntegerField, OuterRef, Subquery
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from branches.access import sees_all, visible_branches, with_branch
from cadres.keys import key_in
from cadres.models import Retiree
from points.forms.paper import BLANKS, HandedForm, ReservedForm, late_key
from points.models import Account, Redemption, RedemptionDay, RedemptionState
from points.views.gates import frame, till_day, works_at

#: What may be listed beside the reservations.
SHOWN = {"": "只列有预约的", "points": "列出所有有积分的", "all": "列出所有在册的"}


@require_GET
def day_sheet(request, pk: int):
    """签领表: reservations and, if wished, everybody with a balance; a sheet for each branch."""
    day = till_day(request.user, pk)
    if not (sees_all(request.user) or works_at(request.user, day)):
        raise PermissionDenied
    show = request.GET.get("show", "")
    show = show if show in SHOWN and sees_all(request.user) else ""
    people = _people(day, show)
    if branch := key_in(request.GET.get("branch")):
        people = people.filter(with_branch=branch)
    context = {
        "day": day,
        "sheets": _sheets(day, people),
        "stocks": day.stocks.select_related("reward").filter(brought__gt=0),
        "shows": SHOWN.items(),
        "show": show,
        "branches": visible_branches(request.user),
        "branch": branch,
        **frame(request.user),
    }
    return render(request, "points/redemption/sheet.html", context)


def _people(day: RedemptionDay, show: str):
    reserved = day.redemptions.filter(state=RedemptionState.RESERVED)
    balance = Account.objects.filter(retiree=OuterRef("pk"), cycle=day.cycle_id).values("balance")
    people = with_branch(Retiree.objects.active()).select_related("unit")
    people = people.annotate(
        with_balance=Subquery(balance[:1], output_field=IntegerField())
    ).order_by("with_branch", "name_pinyin", "id")
    if show == "all":
        return people
    holding = Account.objects.filter(cycle=day.cycle_id, balance__gt=0, frozen_at=None)
    theirs = reserved.order_by().values("retiree")
    if show == "points":
        theirs = theirs.union(holding.order_by().values("retiree"), all=True)
    return people.filter(pk__in=theirs)


def _sheets(day: RedemptionDay, people) -> list[tuple[str, list]]:
    """(branch, rows of person and reservation); somebody with two reservations has two rows."""
    reserved = day.redemptions.filter(state=RedemptionState.RESERVED).with_lines()
    by_person = {}
    for one in reserved.order_by("id"):
        by_person.setdefault(one.retiree_id, []).append(one)
    rows = [
        (person, redemption) for person in people for redemption in by_person.get(person.pk, [None])
    ]
    sheets = []
    for _, group in groupby(rows, key=lambda row: row[0].with_branch):
        group = list(group)
        sheets.append((group[0][0].with_branch_name or "没有支部联系服务", group))
    return sheets


# ---- typed back ----------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def day_paper(request, pk: int):
    """A row for each reservation and some for people served without; good rows are written, the
    others stay as they were typed and say why."""
    day = till_day(request.user, pk)
    if not works_at(request.user, day):
        raise PermissionDenied
    if not day.has_come:
        context = {"day": day, "closed": True, **frame(request.user)}
        return render(request, "points/redemption/paper.html", context)
    typed = request.POST if request.method == "POST" else None
    rows, blanks = _forms(day, typed)
    done = [form for form in [*rows, *blanks] if typed and form.write(by=request.user)]
    failed = [form for form in [*rows, *blanks] if form.fault]
    before = [form.before.number for form in done if form.before]
    if len(done) > len(before):
        messages.success(request, f"已记下 {len(done) - len(before)} 行。")
    if before:
        words = f"有 {len(before)} 行以前已经记下（单号 {'、'.join(before)}），这一次没有另记。"
        messages.success(request, words)
    if failed:
        messages.error(request, f"有 {len(failed)} 行没有记下，原因写在各行下面。")
    elif typed and done:
        return redirect("points:day-paper", day.pk)
    context = {
        "day": day,
        "rows": [form for form in rows if form not in done],
        "blanks": _kept(day, blanks, done),
        "stocks": day.stocks.select_related("reward").filter(brought__gt=0),
        **frame(request.user),
    }
    return render(request, "points/redemption/paper.html", context)


def _forms(day: RedemptionDay, typed) -> tuple[list[ReservedForm], list[HandedForm]]:
    """Sent, the rows are those that were shown: one that has been ended meanwhile says so."""
    shown = day.redemptions.filter(state__in=[RedemptionState.RESERVED, RedemptionState.LAPSED])
    if typed is not None:
        keys = [key_in(key) for key in typed.getlist("row")[:5000]]
        shown = Redemption.objects.filter(day=day, pk__in=keys)
    shown = with_branch(shown.with_lines(), person="retiree")
    shown = shown.order_by("with_branch", "retiree__name_pinyin", "id")
    stocks = list(day.stocks.select_related("reward").filter(brought__gt=0))
    shown = list(shown) if typed is not None else _unwritten(day, shown)
    rows = [ReservedForm(typed, redemption=one) for one in shown]
    blanks = [HandedForm(typed, day=day, stocks=stocks, number=n) for n in range(BLANKS)]
    return rows, blanks


def _unwritten(day: RedemptionDay, shown) -> list[Redemption]:
    """Without what lapsed and was written afterwards: it has a slip of its own."""
    late = day.redemptions.filter(state=RedemptionState.COLLECTED)
    written = set(late.order_by().values_list("key", flat=True))
    return [one for one in shown if late_key(one) not in written]


def _kept(day: RedemptionDay, blanks: list[HandedForm], done: list) -> list[HandedForm]:
    """Rows that were written become empty ones, with keys of their own."""
    stocks = blanks[0].stocks
    return [
        HandedForm(None, day=day, stocks=stocks, number=form.number) if form in done else form
        for form in blanks
    ]
