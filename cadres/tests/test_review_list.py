"""The review list in the database says of everybody what `classification.due` says of one."""

import datetime
import random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cadres import review_list
from cadres.classification import Due, Rule, due, suggest
from cadres.models import CareRecord, ClassChange, ClassReview, Retiree
from cadres.review_list import due_conditions, due_counts, due_people, facts_of
from cadres.tests.make import make_care, make_class_change, make_retiree, make_review

pytestmark = pytest.mark.django_db
DAY = datetime.date(2026, 3, 31)
HEALTH = [
    "", "", "良好", "身体健康", "健康状况一般", "高血压", "卧床", "无重病", "半失能", "重病",
    "行动不便", "没有失能", "术后", "慢性病较重", "很好", "轻度痴呆", "不健康", "长期住院",
]  # fmt: skip


def days_before(number: int) -> datetime.date:
    return DAY - datetime.timedelta(number)


class County:
    """Made-up people whose ages, entries and dates lie around every threshold."""

    def __init__(self, seed: int, size: int):
        self.random = random.Random(seed)
        self.people = Retiree.objects.bulk_create(
            Retiree(name="某人", birth_date=self.birth(), health=self.pick(*HEALTH))
            for _ in range(size)
        )
        self.write(ClassChange, self.change, 0, 1, 1, 2, 3)
        self.write(CareRecord, self.stay, 0, 0, 1, 2)
        self.give_classes()
        self.facts = facts_of(self.people, DAY)
        self.write(ClassReview, self.review, 0, 0, 0, 1, 2)
        self.write(ClassChange, self.change, 0, 0, 0, 0, 1)
        self.give_classes()
        with connection.cursor() as cursor:
            # Where everybody was made a second ago the planner believes that the tables are empty.
            cursor.execute("SET LOCAL enable_nestloop = off")

    def pick(self, *choices):
        return self.random.choice(choices)

    def write(self, model, made, *numbers):
        rows = [made(person) for person in self.people for _ in range(self.pick(*numbers))]
        model.objects.bulk_create(rows, ignore_conflicts=model == CareRecord)

    def give_classes(self):
        last = {change.retiree_id: change for change in ClassChange.objects.latest_on(DAY)}
        for person in self.people:
            change = last.get(person.pk)
            person.activity_class = change.activity_class if change else self.pick("", "", "A")
        Retiree.objects.bulk_update(self.people, ["activity_class"])

    def day(self, most: int = 500) -> datetime.date:
        near = self.pick(0, 14, 30, 60, 365, most)
        return days_before(max(0, near + self.random.randint(-3, 3)))

    def birth(self) -> str:
        if self.random.random() < 0.05:
            return ""
        year = DAY.year - self.pick(65, 79, 80, 81, 89, 90, 91, 92)
        month = self.pick(1, 2, 3, 4, 12)
        day = self.pick(1, 27, 28) if month == 2 else self.pick(1, 28, 30)
        return f"{year}-{month:02d}" + self.pick(f"-{day:02d}", f"-{day:02d}", "")

    def change(self, person):
        on = self.day()
        return ClassChange(
            retiree=person,
            activity_class=self.pick(*"ABC"),
            effective_from=on,
            until=self.pick(None, None, on + datetime.timedelta(self.random.randint(1, 500))),
            reason_kind=self.pick("age", "import", "hospital", "hospital", "lapsed"),
        )

    def stay(self, person):
        on = self.day(90)
        until = self.pick(None, min(on + datetime.timedelta(self.random.randint(0, 70)), DAY))
        return CareRecord(retiree=person, kind="hospital", on=on, until=until)

    def review(self, person):
        """Often a refusal of what is suggested on the day."""
        suggestion = suggest(self.facts[person.pk])
        why = self.pick(suggestion.why, suggestion.why, "别的理由") if suggestion else ""
        return ClassReview(retiree=person, reviewed_on=self.day(), outcome="kept", why=why)


def by_rules(county: County) -> dict[Due, set[int]]:
    facts = facts_of(county.people, DAY)
    return {kind: {pk for pk, known in facts.items() if kind in due(known)} for kind in Due}


def by_database() -> dict[Due, set[int]]:
    conditions, everybody = due_conditions(DAY), Retiree.objects.all()
    return {
        kind: set(due_people(everybody, conditions, kind).values_list("pk", flat=True))
        for kind in Due
    }


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))]
)
def test_the_database_and_the_rules_agree_about_everybody(seed):
    county = County(seed, 600)
    expected, found = by_rules(county), by_database()
    facts = facts_of(county.people, DAY)
    for kind in Due:
        wrong = expected[kind] ^ found[kind]
        assert not wrong, (kind, [(pk in found[kind], facts[pk]) for pk in list(wrong)[:3]])
    conditions = due_conditions(DAY)
    anybody = set(due_people(Retiree.objects.all(), conditions).values_list("pk", flat=True))
    assert anybody == set().union(*expected.values())
    counts = due_counts(Retiree.objects.all(), conditions)
    assert counts == {kind: len(keys) for kind, keys in expected.items()} | {"": len(anybody)}


def test_a_threshold_that_only_one_of_them_knows_is_seen(monkeypatch):
    county = County(0, 300)
    monkeypatch.setattr(review_list, "MODERATE_FROM_AGE", 81)
    assert by_rules(county) != by_database()


def test_the_made_up_people_meet_every_reason_and_every_rule():
    county = County(1, 800)
    facts = facts_of(county.people, DAY).values()
    assert {kind for known in facts for kind in due(known)} == set(Due)
    found = [suggest(known) for known in facts]
    assert {suggestion.rule for suggestion in found if suggestion} == set(Rule)
    refused = [s for s, known in zip(found, facts, strict=True) if s and s.why in known.refused]
    assert {suggestion.rule for suggestion in refused} >= {"in_hospital", "grave_health"}


def test_the_number_of_queries_does_not_depend_on_the_number_of_people():
    counts = []
    for size in (1, 20):
        people = County(size, size).people
        with CaptureQueriesContext(connection) as queries:
            conditions = due_conditions(DAY)
            due_counts(Retiree.objects.all(), conditions)
            list(due_people(Retiree.objects.all(), conditions))
            facts_of(people, DAY)
        counts.append(len(queries))
    assert counts[0] == counts[1] == 6


# ---- by itself, one by one ---------------------------------------------------------------------


def why_due(person) -> list[str]:
    found = [kind for kind, keys in by_database().items() if person.pk in keys]
    assert found == due(facts_of([person], DAY)[person.pk])
    return found


def a_person(activity_class="A", on="2026-01-01", reason_kind="review", **fields):
    person = make_retiree(**({"birth_date": "1955-05-05", "health": "良好"} | fields))
    make_class_change(person, activity_class, on, reason_kind=reason_kind)
    return person


def test_a_person_in_hospital_is_on_the_list_by_herself():
    person = a_person()
    assert why_due(person) == []
    make_care(person, "hospital", days_before(3))
    assert why_due(person) == ["suggested"]
    person.care_records.update(until=days_before(1))
    assert why_due(person) == []


def test_visits_are_no_stays_in_hospital():
    person = a_person()
    make_care(person, "visit", days_before(3))
    assert why_due(person) == []


def test_a_refused_suggestion_is_silent_until_the_facts_are_worse():
    person = a_person(birth_date="1945-01-01")
    assert why_due(person) == ["suggested"]
    facts = facts_of([person], DAY)[person.pk]
    make_review(person, days_before(10), suggested="B", why=suggest(facts).why)
    assert why_due(person) == []
    person.health = "行动不便"
    person.save()
    assert why_due(person) == ["suggested"]


def test_another_stay_in_hospital_is_another_suggestion():
    person = a_person()
    make_care(person, "hospital", days_before(40), until=days_before(30))
    first = make_care(person, "hospital", days_before(20))
    why = suggest(facts_of([person], DAY)[person.pk]).why
    make_review(person, days_before(19), suggested="C", why=why)
    assert why_due(person) == []
    first.until = days_before(10)
    first.save()
    make_care(person, "hospital", days_before(2))
    assert why_due(person) == ["suggested"]


def test_a_refusal_counts_for_twelve_months_and_only_for_the_class_of_then():
    person = a_person(birth_date="1944-01-01")
    why = suggest(facts_of([person], DAY)[person.pk]).why
    review = make_review(person, datetime.date(2025, 4, 1), suggested="B", why=why)
    assert why_due(person) == []
    ClassReview.objects.filter(pk=review.pk).update(reviewed_on=datetime.date(2025, 3, 31))
    assert why_due(person) == ["suggested"]
    ClassReview.objects.filter(pk=review.pk).update(reviewed_on=days_before(5))
    make_class_change(person, "B", days_before(4).isoformat())
    make_class_change(person, "A", days_before(3).isoformat())
    assert why_due(person) == ["suggested"]


@pytest.mark.parametrize(
    ("reason_kind", "on", "expected"),
    [
        ("import", "2025-04-01", []),
        ("import", "2025-03-31", ["overdue"]),
        ("health", "2025-04-01", []),
        ("lapsed", "2026-03-01", ["overdue"]),
    ],
)
def test_who_was_not_looked_at_for_twelve_months_is_due(reason_kind, on, expected):
    assert why_due(a_person(on=on, reason_kind=reason_kind)) == expected


def test_a_review_counts_as_a_look():
    person = a_person(on="2024-01-01")
    make_review(person, datetime.date(2025, 4, 1))
    assert why_due(person) == []


def test_a_birthday_since_the_last_look_makes_due():
    person = a_person("C", on="2026-01-01", birth_date="1936-02-01")
    assert why_due(person) == ["age"]
    make_review(person, datetime.date(2026, 2, 1))
    assert why_due(person) == []


@pytest.mark.parametrize(
    ("born", "looked_on", "expected"),
    [
        ("1936-02", "2026-02-28", ["age"]),
        ("1936-02", "2026-03-01", []),
        ("1936-03", "2026-02-28", []),
        ("1936-02-28", "2026-02-28", []),
    ],
)
def test_of_a_month_of_birth_the_next_one_counts(born, looked_on, expected):
    assert why_due(a_person("C", on=looked_on, birth_date=born)) == expected


@pytest.mark.parametrize(("ends_in", "expected"), [(15, []), (14, ["ending"]), (-1, ["ending"])])
def test_a_temporary_class_is_looked_at_before_it_ends(ends_in, expected):
    person = a_person()
    until = DAY + datetime.timedelta(ends_in)
    make_class_change(person, "C", "2026-02-01", until=until, reason_kind="hospital")
    assert why_due(person) == expected
    make_review(person, DAY)
    assert why_due(person) == []


def test_who_has_no_class_is_due_for_that_alone():
    assert why_due(make_retiree(birth_date="1930-01-01")) == ["unclassed"]


def test_back_from_hospital_to_the_class_before_it():
    person = a_person("B", on="2025-06-01")
    make_class_change(person, "C", "2026-01-10", reason_kind="hospital")
    make_care(person, "hospital", datetime.date(2026, 1, 8), until=days_before(31))
    assert why_due(person) == ["suggested"]
    suggestion = suggest(facts_of([person], DAY)[person.pk])
    assert (suggestion.activity_class, suggestion.rule) == ("B", Rule.RECOVERED)
    person.care_records.update(until=days_before(30))
    assert why_due(person) == []
