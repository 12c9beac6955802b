"""A look at somebody's class: the suggestion accepted, the class kept, or another one given.

Each decision is about what was seen: a person whose class or whose suggestion has changed
meanwhile is named and nothing is written. The same decision sent twice has one effect.
"""

import datetime
from collections import defaultdict
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from cadres.actions import hold, reclassify, reclassify_many, some_names
from cadres.classification import Suggestion, suggest
from cadres.jobs import RefusedError
from cadres.models import ClassChange, ClassReview, Retiree, ReviewOutcome, User
from cadres.review_list import facts_of, refusals

SOURCE = "复核"


class ReviewRefusedError(RefusedError):
    """The decision is not written: what was seen is no longer so, or it makes no sense."""


@dataclass(frozen=True)
class Seen:
    """What stood on the page: who, in which class, with which suggestion (empty: none)."""

    pk: int
    activity_class: str
    suggested: str = ""


@transaction.atomic
def accept(*, seen: list[Seen], on: datetime.date, by: User, reason: str = "") -> list[ClassReview]:
    """Gives everybody the class that was suggested, from a day on; who has it by now is done.

    The number of queries depends on the different suggestions, not on the people. Raises
    ReviewRefusedError or ReclassifyRefusedError, naming people.
    """
    people = _held(seen)
    open_ = [one for one in seen if not _is_done(one, people[one.pk])]
    suggestions = _suggestions([people[one.pk] for one in open_])
    _refuse_changed(open_, people)
    _refuse(open_, people, lambda one: not suggestions[one.pk], "系统对这些人没有建议：{}。")
    _refuse(
        open_,
        people,
        lambda one: suggestions[one.pk].activity_class != one.suggested,
        "这些人的建议刚才变了：{}。请看过新的建议再定。",
    )
    changes = _give([people[one.pk] for one in open_], suggestions, on, by)
    return _write(changes, suggestions, on, by, reason)


@transaction.atomic
def keep(*, seen: list[Seen], on: datetime.date, by: User, reason: str = "") -> list[ClassReview]:
    """Writes down that the classes were looked at and stay; the suggestion is silent for a year.

    Raises ReviewRefusedError, naming people.
    """
    if on > timezone.localdate():
        raise ReviewRefusedError("复核日期不能晚于今天。")
    people = _held(seen)
    _refuse_changed(seen, people)
    words = "还没有类别的人不能“维持”：{}。请给出类别。"
    _refuse(seen, people, lambda one: not one.activity_class, words)
    _refuse_earlier(people, on)
    suggestions = _suggestions(people.values())
    done = set(
        refusals(timezone.localdate())
        .filter(retiree__in=people, reviewed_on=on)
        .values_list("retiree_id", "why")
    )
    reviews = [
        _review(person, suggestions[pk], on, by, reason)
        for pk, person in people.items()
        if (pk, suggestions[pk].why if suggestions[pk] else "") not in done
    ]
    return ClassReview.objects.bulk_create(reviews)


@transaction.atomic
def decide(
    *,
    seen: Seen,
    activity_class: str,
    on: datetime.date,
    by: User,
    reason_kind: str,
    reason: str = "",
    until: datetime.date | None = None,
) -> ClassReview:
    """Gives one person another class than the suggested one, or its own with another end.

    Raises ReviewRefusedError or ReclassifyRefusedError.
    """
    person = _held([seen])[seen.pk]
    done = person.class_changes.filter(
        activity_class=activity_class, effective_from=on, until=until, source=SOURCE
    ).first()
    if done and person.class_changes.first() == done:
        return done.review
    _refuse_changed([seen], {person.pk: person})
    suggestions = _suggestions([person])
    change = reclassify(
        retiree=person,
        activity_class=activity_class,
        on=on,
        by=by,
        reason_kind=reason_kind,
        reason=reason,
        until=until,
        source=SOURCE,
    )
    [review] = _write([change], suggestions, on, by, reason)
    return review


# ---- what was seen, and what is so now ---------------------------------------------------------


def _held(seen: list[Seen]) -> dict[int, Retiree]:
    people = {p.pk: p for p in hold(Retiree.objects.active().filter(pk__in={s.pk for s in seen}))}
    if not people or any(one.pk not in people for one in seen):
        raise ReviewRefusedError("有人已经不在册，请重新打开复核名单再定。")
    return people


def _suggestions(people) -> dict[int, Suggestion | None]:
    facts = facts_of(people, timezone.localdate())
    return {pk: suggest(known) for pk, known in facts.items()}


def _is_done(one: Seen, person: Retiree) -> bool:
    """The second post of the same form: the person is where the first one put them."""
    return bool(one.suggested) and person.activity_class == one.suggested != one.activity_class


def _refuse_changed(seen: list[Seen], people: dict[int, Retiree]) -> None:
    _refuse(
        seen,
        people,
        lambda one: people[one.pk].activity_class != one.activity_class,
        "这些人的类别刚才已经改了：{}。请看过新的情况再定。",
    )


def _refuse(seen: list[Seen], people: dict[int, Retiree], is_wrong, words: str) -> None:
    names = [people[one.pk].name for one in seen if is_wrong(one)]
    if names:
        raise ReviewRefusedError(words.format(some_names(names)))


def _refuse_earlier(people: dict[int, Retiree], on: datetime.date) -> None:
    later = ClassChange.objects.filter(retiree__in=people, effective_from__gt=on)
    keys = set(later.values_list("retiree_id", flat=True))
    if keys:
        names = [person.name for pk, person in people.items() if pk in keys]
        raise ReviewRefusedError(f"这些人在 {on:%Y-%m-%d} 以后才定的类别：{some_names(names)}。")


# ---- writing -----------------------------------------------------------------------------------


def _give(
    people: list[Retiree], suggestions: dict[int, Suggestion], on: datetime.date, by: User
) -> list[ClassChange]:
    """A change for each person; those with like suggestions together."""
    alike = defaultdict(list)
    for person in people:
        found = suggestions[person.pk]
        alike[found.activity_class, found.reason_kind, found.until(on)].append(person.pk)
    changes = []
    for (activity_class, reason_kind, until), keys in alike.items():
        changes += reclassify_many(
            people=Retiree.objects.filter(pk__in=keys),
            activity_class=activity_class,
            on=on,
            by=by,
            reason_kind=reason_kind,
            until=until,
            source=SOURCE,
            reasons={pk: suggestions[pk].why for pk in keys},
        )
    return changes


def _write(changes, suggestions, on, by, reason) -> list[ClassReview]:
    return ClassReview.objects.bulk_create(
        _review(change.retiree, suggestions[change.retiree_id], on, by, reason, change)
        for change in changes
    )


def _review(
    person: Retiree,
    suggestion: Suggestion | None,
    on: datetime.date,
    by: User,
    reason: str,
    change: ClassChange | None = None,
) -> ClassReview:
    return ClassReview(
        retiree=person,
        reviewed_on=on,
        outcome=ReviewOutcome.CHANGED if change else ReviewOutcome.KEPT,
        suggested=suggestion.activity_class if suggestion else "",
        why=suggestion.why if suggestion else "",
        reason=reason[:200],
        change=change,
        reviewed_by=by,
    )
