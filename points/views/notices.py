"""公示: everybody who is signed in reads it and may object; the office makes and answers it."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from branches.access import sees_all
from cadres.jobs import RefusedError
from cadres.roles import is_office, office_only
from points import notices as acts
from points.models import Cycle, Objection, PublicNotice
from points.views.notice_forms import (
    AnswerForm,
    MakeForm,
    ObjectionForm,
    people_of,
    postings_of,
)
from points.views.year_end import homes
from points.views.year_end_forms import ReasonForm

NOTICES_A_PAGE = 20


def _frame(request) -> dict:
    office = is_office(request.user)
    return {
        "is_office": office,
        "sees_all": sees_all(request.user),
        "frame": "desk.html" if sees_all(request.user) else "base.html",
    }


def _visible(request):
    """Everybody sees what is published; the office also drafts and what was withdrawn."""
    found = PublicNotice.objects.select_related("cycle", "published_by", "withdrawn_by")
    return found if is_office(request.user) else found.shown()


@require_GET
def notices(request):
    """公示: the newest first; for the office also what is to be answered."""
    page = Paginator(_visible(request), NOTICES_A_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, **_frame(request)}
    if context["is_office"]:
        waiting = Objection.objects.select_related("notice__cycle", "retiree", "raised_by")
        context["objections"] = [one for one in waiting if one.is_open]
    return render(request, "points/year_end/notices.html", context)


@require_http_methods(["GET", "POST"])
def notice(request, pk: int):
    """One notice: its figures, and a line for who does not agree."""
    found = get_object_or_404(_visible(request), pk=pk)
    form = ObjectionForm(request.POST or None, is_office=is_office(request.user))
    if request.method == "POST" and form.is_valid():
        try:
            acts.object_to(
                notice=found, by=request.user, retiree=request.user.retiree, **form.cleaned_data
            )
            messages.success(request, "已经收到您的意见，办公室会答复。")
            return redirect("points:notice", pk)
        except RefusedError as refusal:
            form.add_error(None, str(refusal))
    own = found.objections.select_related("retiree", "raised_by", "answered_by")
    if not is_office(request.user):
        own = own.filter(raised_by=request.user)
    context = {"notice": found, "form": form, "objections": own, **_frame(request)}
    context["is_open"] = acts.is_open(found)
    return render(request, "points/year_end/notice.html", context)


@office_only
@require_http_methods(["GET", "POST"])
def make(request):
    """A draft of a quarter's notice; made again, it takes today's figures."""
    form = MakeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = acts.make(homes=homes(), by=request.user, **form.asked())
            messages.success(request, "草稿已做好。看过没有错，再发布。")
            return redirect("points:notice", made.pk)
        except RefusedError as refusal:
            form.add_error(None, str(refusal))
    context = {"form": form, "has_cycles": Cycle.objects.exists(), **_frame(request)}
    return render(request, "points/year_end/notice_make.html", context)


def _tried(request, pk: int, act, done: str):
    try:
        act()
        messages.success(request, done)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    return redirect("points:notice", pk)


@office_only
@require_POST
def publish(request, pk: int):
    found = get_object_or_404(PublicNotice, pk=pk)
    return _tried(request, pk, lambda: acts.publish(notice=found, by=request.user), "已发布公示。")


@office_only
@require_POST
def withdraw(request, pk: int):
    found, form = get_object_or_404(PublicNotice, pk=pk), ReasonForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    return _tried(
        request,
        pk,
        lambda: acts.withdraw(notice=found, reason=reason, by=request.user),
        "已撤回公示。",
    )


@office_only
@require_http_methods(["GET", "POST"])
def objection(request, pk: int):
    """One objection: the office's answer, and the posting that is to be corrected."""
    found = get_object_or_404(
        Objection.objects.select_related(
            "notice__cycle", "retiree", "raised_by", "answered_by", "confirmed_by",
            "posting__rule", "posting__retiree",
        ),
        pk=pk,
    )  # fmt: skip
    q = request.POST.get("q", request.GET.get("q", "")).strip()
    postings = postings_of(found, q, request.user)
    searches = "search" in request.POST  # what is typed is kept, nothing is answered
    filled = {"initial": request.POST.dict()} if searches else {"data": request.POST or None}
    form = AnswerForm(**filled, postings=postings)
    if form.is_bound and form.is_valid():
        try:
            acts.answer(objection=found, by=request.user, **form.asked())
            messages.success(request, "已答复。")
            return redirect("points:objection", pk)
        except RefusedError as refusal:
            form.add_error(None, str(refusal))
    people = people_of(found, q, request.user)
    context = {"objection": found, "form": form, "q": q, "people": people, **_frame(request)}
    return render(request, "points/year_end/objection.html", context)


@office_only
@require_POST
def confirm(request, pk: int):
    """A second person agrees to the correction, or does not."""
    found = get_object_or_404(Objection, pk=pk)
    try:
        if request.POST.get("agreed") == "yes":
            done = acts.confirm(objection=found, by=request.user)
            messages.success(request, _DONE[done])
        elif request.POST.get("agreed") == "no":
            acts.decline(objection=found, by=request.user)
            messages.success(request, "已退回，请重新答复。")
        else:
            messages.error(request, "请选同意或不同意。")
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    return redirect("points:objection", pk)


_DONE = {
    "reversed": "已同意，已更正。",
    "waiting": "已同意。那一年的积分已不能变动，更正还要在“积分审批”里补办。",
    "nothing": "这一笔已经更正过了。",
}
