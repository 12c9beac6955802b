"""The review list: whose class is due to be looked at, found in the database.

`cadres/classification.py` says what is due of one person's facts; the conditions here say the
same of all people at once (a test holds the two together), and `facts_of` gathers the facts of
those who are shown. Subqueries stand uncorrelated (`pk IN (…)`), so that each is asked once,
however many people there are.
"""

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterable

from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Count,
    Exists,
    Expression,
    ExpressionWrapper,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Concat, Left

from cadres import classification
from cadres.classification import (
    MODERATE_FROM_AGE,
    RESTING_FROM_AGE,
    Due,
    Facts,
    Health,
    Rule,
    class_of,
    health_of,
    sentence,
)
from cadres.dates import add_months, latest_birth_for_age
from cadres.models import (
    ActivityClass,
    CareKind,
    CareRecord,
    ClassChange,
    ClassReason,
    ClassReview,
    Retiree,
    ReviewOutcome,
)

B, C = ActivityClass.B, ActivityClass.C


def due_conditions(day: datetime.date) -> dict[Due, Q]:
    """`classification.due` as conditions on people, reason by reason."""
    is_classed = ~Q(activity_class="")
    return {
        Due.UNCLASSED: Q(activity_class=""),
        Due.SUGGESTED: _suggested(day),
        Due.ENDING: is_classed & Q(pk__in=_ending(day)),
        Due.AGE: is_classed & _any(_passed(age, day) for age in classification.REVIEW_AGES),
        Due.OVERDUE: is_classed & ~_looked_since(_year_before(day), day),
    }


def due_people(people: QuerySet[Retiree], conditions: dict[Due, Q], why: str = "") -> QuerySet:
    """Those whose class is due, for one reason or for any."""
    return people.filter(conditions[Due(why)] if why else _any(conditions.values()))


def due_counts(people: QuerySet[Retiree], conditions: dict[Due, Q]) -> dict[str, int]:
    """How many are due for each reason, and ("") for any; each condition is asked once."""
    flags = {
        f"due_{reason}": ExpressionWrapper(condition, output_field=BooleanField())
        for reason, condition in conditions.items()
    }
    grouped = people.order_by().annotate(**flags).values(*flags).annotate(number=Count("pk"))
    counts = Counter()
    for row in grouped:
        reasons = [name.removeprefix("due_") for name in flags if row[name]]
        counts.update(dict.fromkeys([*reasons, ""] if reasons else [], row["number"]))
    return {reason: counts[reason] for reason in [*Due.values, ""]}


def _any(conditions: Iterable[Q]) -> Q:
    found = Q(pk=None)
    for condition in conditions:
        found |= condition
    return found


def _year_before(day: datetime.date) -> datetime.date:
    return add_months(day, -classification.REVIEW_MONTHS)


# ---- looked at ---------------------------------------------------------------------------------


def _decisions(day: datetime.date) -> QuerySet[ClassChange]:
    """Changes of class that somebody decided; what fell back by itself nobody has looked at."""
    return ClassChange.objects.filter(effective_from__lte=day).exclude(
        reason_kind=ClassReason.LAPSED
    )


def _reviews(day: datetime.date) -> QuerySet[ClassReview]:
    return ClassReview.objects.filter(reviewed_on__lte=day)


def _looked_since(since: datetime.date, day: datetime.date) -> Q:
    changed = _decisions(day).filter(effective_from__gt=since)
    reviewed = _reviews(day).filter(reviewed_on__gt=since)
    return Q(pk__in=_people_of(changed)) | Q(pk__in=_people_of(reviewed))


def _people_of(rows: QuerySet) -> QuerySet:
    return rows.order_by().values("retiree_id")


def _passed(age: int, day: datetime.date) -> Q:
    """Of this age by now, and not looked at since the birthday."""
    old = Q(retiree__birth_date__lte=latest_birth_for_age(age, day))
    changed = _at_age(age, _decisions(day).filter(old), "effective_from")
    reviewed = _at_age(age, _reviews(day).filter(old), "reviewed_on")
    return _aged(age, day) & ~(Q(pk__in=_people_of(changed)) | Q(pk__in=_people_of(reviewed)))


def _at_age(age: int, rows: QuerySet, field: str) -> QuerySet:
    """Rows whose person was of this age on their day."""
    latest = Func(
        F(field),
        template=f"to_char(%(expressions)s - interval '{age} years', 'YYYY-MM-DD')",
        output_field=CharField(),
    )
    rows = rows.annotate(latest_birth=latest).exclude(retiree__birth_date="")
    return rows.filter(retiree__birth_date__lte=F("latest_birth")).exclude(
        retiree__birth_date=Left("latest_birth", 7)
    )


def _aged(age: int, day: datetime.date) -> Q:
    """`age_on(birth_date, day) >= age`: of whom only the month is known, from the next one on."""
    latest = latest_birth_for_age(age, day)
    return Q(birth_date__lte=latest) & ~Q(birth_date__in=["", latest[:7]])


# ---- suggestions -------------------------------------------------------------------------------


def _suggested(day: datetime.date) -> Q:
    """The suggestion is another class than the person's own, and was not refused of late."""
    rules = _rules(day)
    wanted = Case(
        *[When(holds, then=_is_wanted(rule, day)) for rule, holds in rules.items()],
        default=Value(False),
        output_field=BooleanField(),
    )
    return Q(wanted) | _recovered(day, rules)


def _rules(day: datetime.date) -> dict[Rule, Q]:
    """When each rule holds that asks for less activity, the strictest first."""
    words = _words_of_health()
    return {
        Rule.GRAVE_HEALTH: Q(health__in=words[Health.GRAVE]),
        Rule.RESTING_AGE: _aged(RESTING_FROM_AGE, day) & ~Q(health__in=words[Health.GOOD]),
        Rule.IN_HOSPITAL: Q(pk__in=_people_of(_in_hospital(day))),
        Rule.WEAK_HEALTH: Q(health__in=words[Health.WEAK]),
        Rule.MODERATE_AGE: _aged(MODERATE_FROM_AGE, day),
    }


def _words_of_health() -> dict[Health, list[str]]:
    """The entries that occur, read one by one: there are few, and PostgreSQL reads them slowly."""
    found = defaultdict(list)
    for words in Retiree.objects.exclude(health="").order_by().values_list("health").distinct():
        found[health_of(*words)].append(*words)
    return found


def _is_wanted(rule: Rule, day: datetime.date) -> ExpressionWrapper:
    is_more_active = Q(activity_class__gt="", activity_class__lt=class_of(rule))
    refused = Q(pk__in=_people_of(_refusals(rule, day)))
    return ExpressionWrapper(is_more_active & ~refused, output_field=BooleanField())


def _recovered(day: datetime.date, rules: dict[Rule, Q]) -> Q:
    """Given the class for a stay in hospital, out of it long enough, and nothing else speaks."""
    long_ago = day - datetime.timedelta(classification.RECOVERY_DAYS)
    left = _last_stays(day).filter(until__lt=long_ago)
    refused = _refusals(Rule.RECOVERED, day)
    given = _last_changes().filter(
        reason_kind=ClassReason.HOSPITAL,
        effective_from__lt=long_ago,
        retiree__in=_people_of(left),
    )
    given = given.exclude(retiree__in=_people_of(refused)).annotate(before=_class_before())
    found = Q(pk=None)
    for activity_class in (B, C):
        asked = [holds for rule, holds in rules.items() if class_of(rule) >= activity_class]
        back = given.filter(before__lt=activity_class)
        found |= Q(activity_class=activity_class, pk__in=_people_of(back)) & ~_any(asked)
    return found


def _class_before() -> Coalesce:
    """The lasting class before one that was given for a stay in hospital; empty without one."""
    before = ClassChange.objects.filter(retiree=OuterRef("retiree"), until=None)
    before = before.exclude(reason_kind=ClassReason.HOSPITAL)
    before = before.order_by("-effective_from", "-id").values("activity_class")
    return Coalesce(Subquery(before[:1]), Value(""))


def _last_changes() -> QuerySet[ClassChange]:
    """Of each person the entry of the class ledger that counts."""
    own = ClassChange.objects.filter(retiree=OuterRef("retiree"))
    later = Q(effective_from__gt=OuterRef("effective_from")) | Q(
        effective_from=OuterRef("effective_from"), pk__gt=OuterRef("pk")
    )
    return ClassChange.objects.filter(~Exists(own.filter(later)))


def _ending(day: datetime.date) -> QuerySet:
    """People whose temporary class ends soon, and whom nobody has looked at since that began."""
    days = datetime.timedelta(classification.ENDING_DAYS)
    reviewed = _reviews(day).filter(
        retiree=OuterRef("retiree"), reviewed_on__gte=OuterRef("until") - days
    )
    ending = _last_changes().filter(until__lte=day + days, effective_from__lt=F("until") - days)
    return _people_of(ending.filter(~Exists(reviewed)))


# ---- stays in hospital, and suggestions that were refused --------------------------------------


def _last_stays(day: datetime.date) -> QuerySet[CareRecord]:
    """Of each person the last stay in hospital that had begun by a day."""
    stays = CareRecord.objects.filter(kind=CareKind.HOSPITAL, on__lte=day)
    later = stays.filter(retiree=OuterRef("retiree"), on__gt=OuterRef("on"))
    return stays.filter(~Exists(later))


def _in_hospital(day: datetime.date) -> QuerySet[CareRecord]:
    since = day - datetime.timedelta(classification.HOSPITAL_DAYS)
    return _last_stays(day).filter(Q(until=None) | Q(until__gt=day), on__gte=since)


def refusals(day: datetime.date) -> QuerySet[ClassReview]:
    """Reviews of the last twelve months that kept the class, and after which it stayed."""
    later = ClassChange.objects.filter(
        retiree=OuterRef("retiree"), created_at__gt=OuterRef("created_at")
    )
    kept = _reviews(day).filter(outcome=ReviewOutcome.KEPT, reviewed_on__gt=_year_before(day))
    return kept.filter(~Exists(later))


def _refusals(rule: Rule, day: datetime.date) -> QuerySet:
    """Rows, one at least for each person, who was kept in spite of this rule's very sentence."""
    if rule == Rule.IN_HOSPITAL:
        return _refused_stays(rule, _in_hospital(day), "on", day)
    if rule == Rule.RECOVERED:
        return _refused_stays(rule, _last_stays(day), "until", day)
    return refusals(day).filter(why=_said(rule, F("retiree__health")))


def _refused_stays(rule: Rule, stays: QuerySet, field: str, day: datetime.date) -> QuerySet:
    said = Func(F(field), Value("YYYY-MM-DD"), function="to_char", output_field=CharField())
    own = refusals(day).filter(retiree=OuterRef("retiree"), why=OuterRef("said"))
    return stays.annotate(said=_said(rule, said)).filter(Exists(own))


def _said(rule: Rule, own: Expression) -> Expression:
    """The rule's sentence with a person's own words in it."""
    head, gap, tail = sentence(rule).partition("{}")
    return Concat(Value(head), own, Value(tail), output_field=CharField()) if gap else Value(head)


# ---- the facts of those who are shown ----------------------------------------------------------


def facts_of(people: Iterable[Retiree], day: datetime.date) -> dict[int, Facts]:
    """The facts of each person by key; three queries, however many people."""
    people = list(people)
    keys = [person.pk for person in people]
    changes, reviews, stays = defaultdict(list), defaultdict(list), {}
    for change in ClassChange.objects.filter(retiree__in=keys):
        changes[change.retiree_id].append(change)
    kept = Exists(refusals(day).filter(pk=OuterRef("pk")))
    for review in _reviews(day).filter(retiree__in=keys).annotate(is_refusal=kept):
        reviews[review.retiree_id].append(review)
    for stay in _last_stays(day).filter(retiree__in=keys):
        stays[stay.retiree_id] = stay
    return {p.pk: _facts(p, changes[p.pk], reviews[p.pk], stays.get(p.pk), day) for p in people}


def _facts(
    person: Retiree,
    changes: list[ClassChange],
    reviews: list[ClassReview],
    stay: CareRecord | None,
    day: datetime.date,
) -> Facts:
    last = changes[0] if changes else ClassChange()
    reviewed = [review.reviewed_on for review in reviews]
    decided = [
        change.effective_from
        for change in changes
        if change.reason_kind != ClassReason.LAPSED and change.effective_from <= day
    ]
    return Facts(
        day=day,
        activity_class=person.activity_class,
        birth_date=person.birth_date,
        health=person.health,
        class_since=last.effective_from,
        class_until=last.until,
        class_reason=last.reason_kind if changes else "",
        class_before=_before(changes),
        entered_hospital=stay.on if stay else None,
        left_hospital=stay.until if stay else None,
        looked_on=max([*reviewed, *decided], default=None),
        reviewed_on=max(reviewed, default=None),
        refused=frozenset(review.why for review in reviews if review.is_refusal),
    )


def _before(changes: list[ClassChange]) -> str:
    """As `_class_before`, of the entries of one person, latest first."""
    lasting = (c for c in changes if c.until is None and c.reason_kind != ClassReason.HOSPITAL)
    return next((change.activity_class for change in lasting), "")
