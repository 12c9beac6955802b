"""年度结转: what it comes to, how much is carried, publish, withdraw, start; whom to call."""

from itertools import groupby

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from branches.access import secretary_branches, with_branch
from cadres.jobs import Job, RefusedError
from cadres.models import SECOND_PERSON_FROM, Retiree
from cadres.roles import Role, has_role, is_office, office_only
from points import notices
from points import rollover as steps
from points.forms import NONE
from points.models import Cycle, Posting, PostingState, Rollover
from points.outcome import people, totals
from points.snapshots import NO_BRANCH
from points.views.rulings import head_only
from points.views.year_end_forms import (
    PolicyForm,
    ReasonForm,
    RolloverFilter,
    losing_of,
    rollover_of,
)

ROWS_A_PAGE = 50


def homes() -> dict[int, str]:
    """Person → the branch that serves them today."""
    found = with_branch(Retiree.objects.order_by())
    return dict(found.filter(with_branch__isnull=False).values_list("pk", "with_branch_name"))


def _cycle(year: int) -> Cycle:
    return get_object_or_404(Cycle, year=year)


def _filled(request) -> dict:
    return {key: value for key, value in request.GET.items() if value and key != "page"}


@office_only
@require_GET
def cycles(request):
    """年度结转: every year and how far it is."""
    context = {"cycles": Cycle.objects.all(), "is_office": True}
    return render(request, "points/year_end/cycles.html", context)


@office_only
@require_GET
def rollover(request, year: int):
    """One year: what it comes to for each person, and what the head may do next."""
    cycle, filled = _cycle(year), _filled(request)
    found = rollover_of(cycle, filled, request.user)
    rows = with_branch(found.select_related("retiree"), person="retiree")
    rows = rows.order_by("-expiring", "-held", "retiree__name_pinyin", "id")
    page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "cycle": cycle,
        "form": RolloverFilter(filled),
        "page": page,
        "query": query.urlencode(),
        "q": request.GET.get("q", ""),
        "all": totals(people(cycle)),
        "sums": totals(found),
        "is_office": True,
    }
    return render(request, "points/year_end/rollover.html", context | _state(request, cycle))


def _state(request, cycle: Cycle) -> dict:
    """How far the year is, and what stands in the way."""
    found = Rollover.objects.select_related("job", "started_by").filter(cycle=cycle).first()
    late = Posting.objects.filter(
        state=PostingState.WAITING, occurred_on__range=(cycle.starts_on, cycle.ends_on)
    )
    return {
        "is_head": has_role(request.user, Role.OFFICE_HEAD),
        "notice": notices.of_rollover(cycle),
        "rollover": found,
        "is_posting": bool(found and not found.job.is_finished),
        "has_begun": steps.has_begun(cycle),
        "faults": steps.faults_of_posting(cycle)
        if cycle.published_at
        else steps.faults_of_publishing(cycle),
        "frozen": steps.frozen(cycle).count(),
        "late": late.count(),
    }


@head_only
@require_http_methods(["GET", "POST"])
def policy(request, year: int):
    """How much of what is left is carried into the next year."""
    cycle = _cycle(year)
    form = PolicyForm(request.POST or None, cycle=cycle)
    if request.method == "POST" and form.is_valid():
        try:
            steps.set_policy(cycle=cycle, by=request.user, **form.cleaned_data)
            messages.success(request, "结转办法已定。")
            return redirect("points:rollover", year)
        except RefusedError as refusal:
            form.add_error(None, str(refusal))
    context = {"form": form, "cycle": cycle, "is_office": True}
    return render(request, "points/year_end/policy.html", context)


def _tried(request, year: int, act, done: str):
    """Does a step, or says why not; back to the year's page."""
    try:
        act()
        messages.success(request, done)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    return redirect("points:rollover", year)


@head_only
@require_POST
def publish(request, year: int):
    cycle = _cycle(year)
    return _tried(
        request,
        year,
        lambda: steps.publish(cycle=cycle, homes=homes(), by=request.user),
        "已公示。从现在起这一年的积分不再变动。",
    )


@head_only
@require_POST
def withdraw(request, year: int):
    cycle, form = _cycle(year), ReasonForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    return _tried(
        request,
        year,
        lambda: steps.withdraw(cycle=cycle, reason=reason, by=request.user),
        "已撤回公示。",
    )


@head_only
@require_POST
def start(request, year: int):
    """Has it posted; the page of the job shows how far it is."""
    try:
        job: Job = steps.start(cycle=_cycle(year), by=request.user)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
        return redirect("points:rollover", year)
    return redirect(job)


@require_GET
def calls(request, year: int):
    """催办名单: who is about to lose points, a sheet for each branch; a secretary's own."""
    if not (is_office(request.user) or secretary_branches(request.user).exists()):
        raise PermissionDenied
    cycle = _cycle(year)
    rows = with_branch(losing_of(cycle, request.user), person="retiree")
    rows = rows.select_related("retiree").order_by(
        "with_branch_name", "with_branch", "-expiring", "retiree__name_pinyin", "id"
    )
    sheets = [
        (name or NO_BRANCH, branch or NONE, list(group))
        for (name, branch), group in groupby(
            rows, key=lambda row: (row.with_branch_name, row.with_branch)
        )
    ]
    context = {
        "cycle": cycle,
        "sheets": sheets,
        "second_person_from": SECOND_PERSON_FROM,
        "count": sum(len(lines) for *_, lines in sheets),
        "is_office": is_office(request.user),
        "frame": "desk.html" if is_office(request.user) else "base.html",
    }
    return render(request, "points/year_end/calls.html", context)
