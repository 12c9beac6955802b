"""表彰激励: thresholds, candidates, lists that wait, who was commended, certificates to print."""

from django import forms
from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from branches.access import with_branch
from cadres.jobs import RefusedError
from cadres.keys import key_in
from cadres.roles import Role, has_role, office_only
from points import commendations as acts
from points.forms import DecideForm
from points.models import CommendationKind, CommendationList, Cycle, RulingState
from points.views.rulings import head_only
from points.views.year_end_forms import digits

MOST = {"points": 99_999, "amount": 99_999}


class ThresholdForm(forms.Form):
    """From how many points on, and for a subsidy how much each gets."""

    points = forms.IntegerField(
        widget=digits(),
        label="至少得多少分",
        min_value=1,
        max_value=MOST["points"],
        error_messages={
            "required": "请填写至少得多少分。",
            "invalid": "请填写整数。",
            "min_value": "分数要大于零。",
            "max_value": "分数太大。",
        },
    )
    amount = forms.IntegerField(
        widget=digits(),
        label="每人补贴多少元",
        min_value=1,
        max_value=MOST["amount"],
        error_messages={
            "required": "请填写每人多少元。",
            "invalid": "请填写整数。",
            "min_value": "金额要大于零。",
            "max_value": "金额太大。",
        },
    )

    def __init__(self, *args, kind: str, **kwargs):
        super().__init__(*args, **kwargs)
        if kind != CommendationKind.SUBSIDY:
            del self.fields["amount"]


def _cycle(year: int) -> Cycle:
    return get_object_or_404(Cycle, year=year)


def _kind(kind: str) -> CommendationKind:
    if kind not in CommendationKind.values:
        raise Http404
    return CommendationKind(kind)


@office_only
@require_GET
def latest(request):
    """表彰激励 of the year that is being closed, else of the newest."""
    closing = Cycle.objects.exclude(status="open").order_by("-year").first()
    cycle = closing or Cycle.objects.latest_on(timezone.localdate())
    if cycle is None:
        return render(request, "points/year_end/commendations.html", {"is_office": True})
    return redirect("points:commendations", cycle.year)


@office_only
@require_GET
def year(request, year: int):
    """One year: of each kind the threshold, how many reach it, what waits, who has it."""
    cycle = _cycle(year)
    thresholds = {found.kind: found for found in cycle.thresholds.select_related("set_by")}
    waiting = cycle.commendation_lists.filter(state=RulingState.WAITING)
    waits = {found.kind: found for found in waiting.select_related("asked_by")}
    kinds = [
        {
            "kind": kind,
            "threshold": (threshold := thresholds.get(kind)),
            "candidates": acts.candidates(threshold).count() if threshold else 0,
            "waiting": waits.get(kind),
            "granted": acts.granted(cycle, kind).count(),
        }
        for kind in CommendationKind
    ]
    context = {"cycle": cycle, "kinds": kinds, "cycles": Cycle.objects.all(), **_who(request)}
    return render(request, "points/year_end/commendations.html", context)


def _who(request) -> dict:
    return {"is_office": True, "is_head": has_role(request.user, Role.OFFICE_HEAD)}


@head_only
@require_http_methods(["GET", "POST"])
def threshold(request, year: int, kind: str):
    """The head says from how many points on."""
    cycle, kind = _cycle(year), _kind(kind)
    found = cycle.thresholds.filter(kind=kind).first()
    initial = {"points": found.points, "amount": found.amount} if found else {}
    form = ThresholdForm(request.POST or None, kind=kind, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = {"amount": None} | form.cleaned_data
        acts.set_threshold(cycle=cycle, kind=kind, by=request.user, **values)
        messages.success(request, "标准已定。")
        return redirect("points:commendations", year)
    context = {"form": form, "cycle": cycle, "kind": kind, **_who(request)}
    return render(request, "points/year_end/threshold.html", context)


@office_only
@require_http_methods(["GET", "POST"])
def candidates(request, year: int, kind: str):
    """Who reaches the threshold; those who are ticked are proposed to the head."""
    cycle, kind = _cycle(year), _kind(kind)
    found = get_object_or_404(cycle.thresholds.select_related("cycle"), kind=kind)
    if request.method == "POST":
        chosen = [pk for pk in map(key_in, request.POST.getlist("account")) if pk]
        try:
            acts.propose(threshold=found, accounts=chosen, by=request.user)
            messages.success(request, "名单已提出，等负责人审批。")
            return redirect("points:commendations", year)
        except RefusedError as refusal:
            messages.error(request, str(refusal))
    rows = with_branch(acts.candidates(found).select_related("retiree__unit"), person="retiree")
    context = {"cycle": cycle, "kind": kind, "threshold": found, "rows": rows, **_who(request)}
    return render(request, "points/year_end/candidates.html", context)


@office_only
@require_GET
def commendation_list(request, pk: int):
    """A list that waits, or was decided."""
    found = get_object_or_404(
        CommendationList.objects.select_related("cycle", "asked_by", "decided_by"), pk=pk
    )
    people = with_branch(found.people.select_related("retiree__unit"), person="retiree")
    people = people.order_by("number", "-earned", "retiree__name_pinyin", "id")
    context = {"list": found, "people": people, **_who(request)}
    return render(request, "points/year_end/commendation_list.html", context)


@head_only
@require_POST
def decide(request, pk: int):
    found, form = get_object_or_404(CommendationList, pk=pk), DecideForm(request.POST)
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, errors[0])
        return redirect("points:commendation-list", pk)
    try:
        words = form.cleaned_data["words"]
        acts.decide(found=found, agreed=form.is_agreed, words=words, by=request.user)
        messages.success(request, "已同意，已编号。" if form.is_agreed else "已记录：不同意。")
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    return redirect("points:commendation-list", pk)


@office_only
@require_GET
def granted(request, year: int, kind: str):
    """Who was commended: a list for the board."""
    cycle, kind = _cycle(year), _kind(kind)
    rows = with_branch(acts.granted(cycle, kind), person="retiree")
    context = {"cycle": cycle, "kind": kind, "rows": rows, **_who(request)}
    return render(request, "points/year_end/granted.html", context)


@office_only
@require_GET
def certificates(request, year: int):
    """Certificates to print, one on a sheet, with their numbers."""
    cycle = _cycle(year)
    rows = acts.granted(cycle, CommendationKind.CERTIFICATE)
    if one := request.GET.get("number", ""):
        rows = rows.filter(number=key_in(one))
    context = {"cycle": cycle, "rows": rows, "today": timezone.localdate(), **_who(request)}
    return render(request, "points/year_end/certificates.html", context)
