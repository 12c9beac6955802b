"""Care for people: entered in one page, listed, mended, taken back."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from branches.access import (
    announced_to,
    cared_for,
    secretary_branches,
    sees_all,
    served_by,
    visible_branches,
    visible_care,
    with_branch,
)
from branches.models import Branch
from cadres import care
from cadres.care import already_recorded, may_amend
from cadres.forms import CareFilter, CareForm, CareForManyForm, VoidForm, care_of
from cadres.jobs import RefusedError
from cadres.keys import key_in
from cadres.models import ActivityClass, CareKind, CareRecord, Retiree, Status
from cadres.roles import is_office
from cadres.visiting import OLD, facts_of

RECORDS_A_PAGE = 50
FOUND = 20


def frame(user) -> dict:
    """The office works at a desk, secretaries and the retired read large type."""
    return {
        "frame": "desk.html" if sees_all(user) else "base.html",
        "is_office": is_office(user),
    }


def enters_care(user) -> bool:
    """The office, and secretaries."""
    return is_office(user) or secretary_branches(user).exists()


@require_http_methods(["GET", "POST"])
def care_new(request):
    """Finds the person, or a branch's people, and takes down what was done for them."""
    if not enters_care(request.user):
        raise PermissionDenied
    if key := request.GET.get("person"):
        return _for_one(request, get_object_or_404(_asked(cared_for(request.user), key)))
    if key := request.GET.get("branch"):
        return _for_many(request, get_object_or_404(_own_branches(request.user), pk=key_in(key)))
    return _find(request)


def _asked(people, key: str):
    return with_branch(people).select_related("unit").filter(pk=key_in(key))


def _own_branches(user):
    return Branch.objects.all() if is_office(user) else secretary_branches(user)


def _find(request):
    """Namesakes are told apart by birth year, unit and branch."""
    words = " ".join(request.GET.get("q", "").split())
    found = []
    if words:
        people = cared_for(request.user).active()
        people = with_branch(people.search(words, by_number=is_office(request.user)))
        found = list(people.select_related("unit").order_by("name_pinyin", "id")[: FOUND + 1])
    context = {
        "q": words,
        "found": found[:FOUND],
        "are_more": len(found) > FOUND,
        "branches": _own_branches(request.user),
        **frame(request.user),
    }
    return render(request, "cadres/care_find.html", context)


def _for_one(request, person: Retiree):
    form = _care_form(request, person, _filled(request))
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data["kind"] == CareKind.DEATH:
            asked = {"kind": "deceased", "on": form.cleaned_data["on"].isoformat()}
            return redirect(f"{reverse('branches:departure', args=[person.pk])}?{urlencode(asked)}")
        try:
            record = care.record_care(retiree=person, by=request.user, **form.cleaned_data)
            messages.success(request, _recorded(request, record))
            return redirect(f"{person.get_absolute_url()}#care")
        except RefusedError as refusal:
            form.add_error(None, str(refusal))
    context = {"person": person, "form": form, **frame(request.user)}
    return render(request, "cadres/care_one.html", context)


def _filled(request):
    return request.POST if request.method == "POST" else None


def _care_form(request, person: Retiree, filled, record: CareRecord | None = None) -> CareForm:
    """Only the office is led to the page of a death; nobody mends another kind into one."""
    may_die = is_office(request.user) and record is None and not person.died_on
    kinds = [kind for kind in CareKind if may_die or kind != CareKind.DEATH]
    initial = {"on": timezone.localdate(), "kind": request.GET.get("kind")}
    if record:
        initial = {name: getattr(record, name) for name in CareForm.field_order}
    return CareForm(filled, initial=initial, kinds=kinds)


def _recorded(request, record: CareRecord) -> str:
    words = f"已登记{record.retiree}的“{record.get_kind_display()}”。"
    if not record.is_open_stay or record.retiree.status != Status.ACTIVE:
        return words
    if not is_office(request.user):
        return words + "办公室会据此复核活动类别；出院了请再来填上出院日期。"
    review = reverse("cadres:review", args=[record.retiree_id])
    return format_html('{}<a href="{}">住院了，复核一下活动类别</a>', words, review)


def _for_many(request, branch: Branch):
    """One visit to the ticked people of a branch; who is visited first stands first."""
    people = _people_of(branch)
    ticked = set(request.POST.getlist("person"))
    form = CareForManyForm(
        _filled(request),
        initial={"on": timezone.localdate(), "kind": request.GET.get("kind")},
    )
    done = None
    if request.method == "POST" and form.is_valid():
        done = _recorded_for_many(request, form, [p for p in people if str(p.pk) in ticked])
    if done:
        return done
    rows = [(person, str(person.pk) in ticked) for person in people]
    context = {"branch": branch, "rows": rows, "form": form, **frame(request.user)}
    return render(request, "cadres/care_many.html", context)


def _people_of(branch: Branch) -> list[Retiree]:
    served = served_by(Branch.objects.filter(pk=branch.pk))
    people = list(Retiree.objects.active().filter(pk__in=served).order_by("name_pinyin", "id"))
    today = timezone.localdate()
    facts = facts_of(people, today)
    for person in people:
        person.age, person.visited_on = person.age_on(today), facts[person.pk].visited_on
        person.comes_first = person.activity_class == ActivityClass.C or (person.age or 0) >= OLD
    return sorted(people, key=lambda person: not person.comes_first)


def _recorded_for_many(request, form: CareForManyForm, chosen: list[Retiree]):
    if not chosen:
        form.add_error(None, "请先勾选要登记的人。")
        return None
    try:
        made, skipped = care.record_care_for_many(
            people=Retiree.objects.filter(pk__in=[person.pk for person in chosen]),
            by=request.user,
            **form.cleaned_data,
        )
    except RefusedError as refusal:
        form.add_error(None, str(refusal))
        return None
    messages.success(request, f"已登记 {len(made)} 人。{already_recorded(skipped)}")
    asked = {"since": form.cleaned_data["on"], "until": form.cleaned_data["on"]}
    return redirect(f"{reverse('cadres:care')}?{urlencode(asked)}")


# ---- the list -----------------------------------------------------------------------------------


def refuse_others(user) -> None:
    """The lists are for who sees more than one person."""
    if not (sees_all(user) or visible_branches(user).exists()):
        raise PermissionDenied


@require_GET
def care_list(request):
    """What was done for whom, latest first; a leader sees that it was, not the words."""
    refuse_others(request.user)
    filled = {key: value for key, value in request.GET.items() if value and key != "page"}
    records = with_branch(care_of(filled, request.user), person="retiree")
    records = records.select_related("retiree__unit", "entered_by").order_by("-on", "-id")
    page = Paginator(records, RECORDS_A_PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "form": CareFilter(filled, user=request.user),
        "page": page,
        "rows": [(record, may_amend(record, request.user)) for record in page],
        "q": filled.get("q", ""),
        "query": query.urlencode(),
        "may_enter": enters_care(request.user),
        "announcements": announced_to(secretary_branches(request.user))[:5],
        **frame(request.user),
    }
    return render(request, "cadres/care_list.html", context)


# ---- one record ---------------------------------------------------------------------------------


def _own_record(request, pk: int) -> CareRecord:
    """Records of somebody else's people do not exist; others' records are not mine to mend."""
    records = visible_care(request.user).select_related("retiree__unit", "entered_by")
    record = get_object_or_404(records, pk=pk)
    if not (enters_care(request.user) and may_amend(record, request.user)):
        raise PermissionDenied
    return record


@require_http_methods(["GET", "POST"])
def care_record(request, pk: int):
    """Puts a record right: a mistake, or the day of leaving hospital."""
    record = _own_record(request, pk)
    form = _care_form(request, record.retiree, _filled(request), record)
    if request.method == "POST" and form.is_valid():
        try:
            care.amend_care(record=record, by=request.user, **form.cleaned_data)
            messages.success(request, "已保存。")
            return redirect(f"{record.retiree.get_absolute_url()}#care")
        except RefusedError as refusal:
            form.add_error(None, str(refusal))
    return _record_page(request, record, form, VoidForm(auto_id="void-%s"))


@require_POST
def care_void(request, pk: int):
    """Takes a record back, with a reason; sent twice, it is taken back once."""
    gone = CareRecord.everything.filter(
        pk=pk, is_void=True, retiree__in=cared_for(request.user)
    ).first()
    if gone and enters_care(request.user):
        messages.success(request, "已经撤销。")
        return redirect(f"{gone.retiree.get_absolute_url()}#care")
    record = _own_record(request, pk)
    form = VoidForm(request.POST, auto_id="void-%s")
    if form.is_valid():
        try:
            care.void_care(record=record, by=request.user, **form.cleaned_data)
            messages.success(request, "已撤销这一条。")
            return redirect(f"{record.retiree.get_absolute_url()}#care")
        except RefusedError as refusal:
            form.add_error(None, str(refusal))
    return _record_page(request, record, _care_form(request, record.retiree, None, record), form)


def _record_page(request, record: CareRecord, form: CareForm, void_form: VoidForm):
    context = {"record": record, "form": form, "void_form": void_form, **frame(request.user)}
    return render(request, "cadres/care_record.html", context)
