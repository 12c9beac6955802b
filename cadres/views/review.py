"""The review list: whose class is due to be looked at, and what is decided about it."""

from dataclasses import dataclass

from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from cadres import reviews
from cadres.classification import Due, Facts, Suggestion, due, suggest
from cadres.forms import ReclassifyForm
from cadres.forms.review import ReviewFilter, ReviewForm, people_to_review, seen_in
from cadres.jobs import RefusedError
from cadres.models import ActivityClass, CareKind, Retiree
from cadres.review_list import due_conditions, due_counts, due_people, facts_of
from cadres.reviews import Seen
from cadres.roles import office_only

PEOPLE_A_PAGE = 50
_NOT_THIS_PERSON = "没有收到这一位的情况，没有保存。请重新打开这一页再办。"


@dataclass(frozen=True)
class Row:
    """A person of the list as shown; `key` is what the row posts."""

    person: Retiree
    facts: Facts
    reasons: list[Due]
    suggestion: Suggestion | None

    @property
    def key(self) -> str:
        suggested = self.suggestion.activity_class if self.suggestion else ""
        return f"{self.person.pk}-{self.facts.activity_class}-{suggested}"

    @property
    def suggested(self) -> str:
        return ActivityClass(self.suggestion.activity_class).label if self.suggestion else ""

    @property
    def until(self):
        return self.suggestion and self.suggestion.until(self.facts.day)


def _rows(people: list[Retiree]) -> list[Row]:
    facts = facts_of(people, timezone.localdate())
    return [Row(p, facts[p.pk], due(facts[p.pk]), suggest(facts[p.pk])) for p in people]


@office_only
@require_http_methods(["GET", "POST"])
def review_list(request):
    """Who is due, why, and what is suggested; decided one by one or for those who are ticked."""
    form = ReviewForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and _is_decided(request, form):
        return redirect(request.get_full_path())
    return render(request, "cadres/review_list.html", _list_context(request) | {"form": form})


def _list_context(request) -> dict:
    filled = {key: value for key, value in request.GET.items() if value and key != "page"}
    boxes = ReviewFilter(filled, user=request.user)
    why = boxes.chosen().get("why", "")
    people, conditions = people_to_review(filled, request.user), due_conditions(_today())
    counts = due_counts(people, conditions)
    found = due_people(people, conditions, why).select_related("unit")
    paginator = Paginator(found.order_by("name_pinyin", "id"), PEOPLE_A_PAGE)
    paginator.count = counts[why]
    page = paginator.get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    others = query.copy()
    others.pop("why", None)
    return {
        "boxes": boxes,
        "q": filled.get("q", ""),
        "page": page,
        "rows": _rows(list(page)),
        "tabs": [(kind, label, counts[kind]) for kind, label in [("", "全部"), *Due.choices]],
        "why": why,
        "query": query.urlencode(),
        "others": others.urlencode(),
        "ticked": request.POST.getlist("person"),
        "all_ticked": request.GET.get("tick") == "all" and request.method == "GET",
    }


def _today():
    return timezone.localdate()


def _is_decided(request, form: ReviewForm, person: Retiree | None = None) -> bool:
    """Does what the pressed button says; what is refused stands in the form's errors."""
    one = request.POST.get("accept_one") or request.POST.get("keep_one")
    seen = seen_in([one] if one else request.POST.getlist("person"))
    if person:
        seen = _seen_of(person, seen)
    is_accepted = "accept_one" in request.POST or request.POST.get("decision") == "accept"
    if not form.is_valid():
        return False
    if not seen:
        form.add_error(None, _NOT_THIS_PERSON if person else "请先勾选要处理的人。")
        return False
    act = reviews.accept if is_accepted else reviews.keep
    try:
        written = act(seen=seen, by=request.user, **form.cleaned_data)
    except RefusedError as refusal:
        form.add_error(None, str(refusal))
        return False
    messages.success(request, _said(is_accepted, len(written)))
    return True


def _said(is_accepted: bool, written: int) -> str:
    if not written:
        return "这些人刚才已经办过，没有再记。"
    return f"已按建议调整 {written} 人。" if is_accepted else f"已记下：{written} 人维持原类别。"


@office_only
@require_http_methods(["GET", "POST"])
def review(request, pk: int):
    """One person: everything that is known for the decision, and any class may be given."""
    person = get_object_or_404(Retiree.objects.active().select_related("unit", "township"), pk=pk)
    is_other = "decide" in request.POST
    form = ReviewForm(request.POST if request.POST and not is_other else None)
    other = ReclassifyForm(
        request.POST if is_other else None, prefix="other", initial={"on": _today()}
    )
    if request.method == "POST":
        is_done = (
            _is_given(request, other, person) if is_other else _is_decided(request, form, person)
        )
        if is_done:
            return redirect("cadres:review-list")
    [row] = _rows([person])
    context = {
        "row": row,
        "form": form,
        "other": other,
        "class_changes": person.class_changes.select_related("decided_by"),
        "reviews": person.class_reviews.select_related("reviewed_by"),
        "stays": person.care_records.filter(kind=CareKind.HOSPITAL),
    }
    return render(request, "cadres/review.html", context)


def _seen_of(person: Retiree, seen: list[Seen]) -> list[Seen]:
    """On a person's own page nobody else is decided about, whatever was posted."""
    return [one for one in seen if one.pk == person.pk]


def _is_given(request, form: ReclassifyForm, person: Retiree) -> bool:
    seen = _seen_of(person, seen_in(request.POST.getlist("person")))
    if not form.is_valid():
        return False
    if not seen:
        form.add_error(None, _NOT_THIS_PERSON)
        return False
    try:
        given = reviews.decide(seen=seen[0], by=request.user, **form.cleaned_data)
    except RefusedError as refusal:
        form.add_error(None, str(refusal))
        return False
    label = given.change.get_activity_class_display()
    messages.success(request, f"{given.retiree}已调整为“{label}”。")
    return True
