"""The people as those see them who may look: list, page, a number in full, another class."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from branches.access import cared_for, sees_all, visible_branches, visible_care, visible_retirees
from branches.models import Membership
from cadres import actions, disclosure
from cadres.care import may_amend
from cadres.forms import PeopleFilter, ReclassifyForm, RevealForm, people_of
from cadres.jobs import RefusedError
from cadres.keys import key_in
from cadres.models import AccessEntry, AccessKind, ActivityClass, Retiree, Secret, Status, Township
from cadres.roles import is_office, office_only

PEOPLE_A_PAGE = 50


@require_GET
def people(request):
    """The list with its filter, for everybody who sees more than one person."""
    if not (sees_all(request.user) or visible_branches(request.user).exists()):
        raise PermissionDenied
    filled = {key: value for key, value in request.GET.items() if value and key != "page"}
    form = PeopleFilter(filled, user=request.user)
    found = people_of(filled, request.user).select_related("unit")
    page = Paginator(found.order_by("name_pinyin", "id"), PEOPLE_A_PAGE).get_page(
        request.GET.get("page")
    )
    query = request.GET.copy()
    query.pop("page", None)
    _as_they_were(page, form.status_then)
    context = {"form": form, "page": page, "query": query.urlencode()}
    context |= {"q": filled.get("q", ""), "is_office": is_office(request.user)}
    context["frame"] = "desk.html" if sees_all(request.user) else "base.html"  # an old hand's phone
    return render(request, "cadres/people.html", context)


def _as_they_were(page, status: str) -> None:
    """Class, place and status of the day that the filter asks about, in words."""
    places = dict(Township.objects.values_list("pk", "name"))
    for person in page:
        person.shown_class = ActivityClass(person.class_then).label if person.class_then else ""
        person.shown_township = places.get(person.township_then, "")
        person.shown_status = Status(status or person.status).label


def _visible(request, pk: int) -> Retiree:
    """Somebody else's people do not exist."""
    people = visible_retirees(request.user).select_related("unit", "township", "community")
    return get_object_or_404(people, pk=pk)


@require_GET
def person(request, pk: int):
    """One person with masked numbers, the ledgers, and who has looked at the full numbers."""
    return render(request, "cadres/person.html", _person_context(request, _visible(request, pk)))


def _person_context(request, retiree: Retiree, form: RevealForm | None = None) -> dict:
    memberships = Membership.objects.filter(retiree=retiree).select_related("branch")
    return {
        "person": retiree,
        "age": retiree.age_on(timezone.localdate()),
        "memberships": memberships,
        "class_changes": retiree.class_changes.select_related("decided_by"),
        "seen": _seen(retiree),
        "may_see_seen": _may_see_seen(request.user, retiree),
        "may_reveal": _may_reveal(request.user, retiree),
        "form": form or RevealForm(),
        "is_office": is_office(request.user),
        "sees_all": sees_all(request.user),
        **_care_context(request.user, retiree),
    }


def _may_see_seen(user, retiree: Retiree) -> bool:
    """Who looked and why: for the office, the serving secretary, the person; not for a leader."""
    return is_office(user) or user.retiree_id == retiree.pk or not sees_all(user)


def _seen(retiree: Retiree):
    seen = AccessEntry.objects.filter(retiree=retiree, kind=AccessKind.REVEAL)
    return seen.select_related("user")[:50]


def _care_context(user, retiree: Retiree) -> dict:
    """Latest first; who may not read the words is told how many records there are."""
    records = visible_care(user).filter(retiree=retiree).select_related("entered_by")
    return {
        "care": [(record, may_amend(record, user)) for record in records],
        "may_enter_care": cared_for(user).filter(pk=retiree.pk).exists(),
    }


def _may_reveal(user, retiree: Retiree) -> bool:
    """The office, and the secretary of the branch that serves the person."""
    if user.retiree_id == retiree.pk:
        return False
    return is_office(user) or not sees_all(user)


@require_POST
def reveal(request, pk: int):
    """Shows one number in full, once, after writing down who looked and why."""
    retiree = _visible(request, pk)
    if not _may_reveal(request.user, retiree):
        raise PermissionDenied
    form = RevealForm(request.POST)
    context = _person_context(request, retiree, form)
    if form.is_valid():
        try:
            number = disclosure.reveal(retiree=retiree, by=request.user, **form.cleaned_data)
            label = Secret(form.cleaned_data["secret"]).label
            context |= {"shown": number or "没有登记", "shown_label": label, "form": RevealForm()}
        except RefusedError as refusal:
            messages.error(request, str(refusal))
    return render(request, "cadres/person.html", context)


#: One action changes at most so many people's class; more are a matter for a roster import.
MOST_AT_ONCE = 500


@office_only
@require_POST
def reclassify(request):
    """One page for the people ticked in the list: first the form, then, filled in, the action."""
    keys = {key for key in map(key_in, request.POST.getlist("person")) if key}
    chosen = Retiree.objects.active().filter(pk__in=keys)
    if not keys or not chosen.exists():
        messages.error(request, "请先在名单里勾选要调整的人。")
        return redirect("cadres:people")
    return _reclassified(request, chosen, is_filled="activity_class" in request.POST)


@office_only
@require_http_methods(["GET", "POST"])
def reclassify_found(request):
    """The same for everybody whom the filter in the address finds, however many pages."""
    filled = {key: value for key, value in request.GET.items() if value}
    chosen = people_of(filled, request.user).active()
    return _reclassified(request, chosen, is_filled=request.method == "POST", is_filter=True)


def _reclassified(request, chosen, *, is_filled: bool, is_filter: bool = False):
    count = chosen.count()
    if count > MOST_AT_ONCE:
        words = f"一次最多调整 {MOST_AT_ONCE} 人，现在有 {count} 人，请缩小范围。"
        messages.error(request, words)
        return redirect("cadres:people")
    form = ReclassifyForm(request.POST if is_filled else None, initial={"on": timezone.localdate()})
    if is_filled and form.is_valid():
        try:
            if is_filter and request.POST.get("count") != str(count):
                raise RefusedError(f"筛出的人刚才变了，现在是 {count} 人，请核对后再确定。")
            changes = actions.reclassify_many(
                people=Retiree.objects.filter(pk__in=list(chosen.values_list("pk", flat=True))),
                by=request.user,
                **form.cleaned_data,
            )
            messages.success(request, _changed(len(changes), count))
            return redirect("cadres:people")
        except RefusedError as refusal:
            form.add_error(None, str(refusal))
    context = {"form": form, "people": chosen, "count": count, "is_filter": is_filter}
    return render(request, "cadres/reclassify.html", context)


def _changed(changes: int, people: int) -> str:
    same = people - changes
    return f"已调整 {changes} 人。" + (f"{same} 人本来就是这一类。" if same else "")
