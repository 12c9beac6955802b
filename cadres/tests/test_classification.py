"""What age, health and hospital suggest, rule by rule, and what they never suggest."""

import datetime
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadres.classification import Due, Facts, Health, Rule, due, health_of, suggest
from cadres.dates import add_months

DAY = datetime.date(2026, 3, 31)


def days_before(number: int) -> datetime.date:
    return DAY - datetime.timedelta(number)


def aged(age: int) -> str:
    return f"{DAY.year - age}-01-15"


def facts(activity_class="A", age=70, health="良好", **more) -> Facts:
    more = {"looked_on": days_before(30), "class_since": days_before(30)} | more
    return Facts(
        day=DAY, activity_class=activity_class, birth_date=aged(age), health=health, **more
    )


def said(known: Facts):
    found = suggest(known)
    return found and (found.activity_class, found.rule)


# ---- health ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "health"),
    [
        ("", Health.UNKNOWN),
        ("良好", Health.GOOD),
        ("健康", Health.GOOD),
        ("身体较好", Health.GOOD),
        ("健康状况良好", Health.GOOD),
        ("很好", Health.GOOD),
        ("一般", Health.UNKNOWN),
        ("健康状况一般", Health.UNKNOWN),
        ("不健康", Health.UNKNOWN),
        ("亚健康", Health.UNKNOWN),
        ("高血压", Health.UNKNOWN),
        ("慢性病", Health.UNKNOWN),
        ("慢性病较重", Health.WEAK),
        ("行动不便", Health.WEAK),
        ("半失能", Health.WEAK),
        ("轻度失智", Health.WEAK),
        ("部分失能", Health.WEAK),
        ("胃癌术后", Health.WEAK),
        ("坐轮椅", Health.WEAK),
        ("卧床", Health.GRAVE),
        ("长期卧床", Health.GRAVE),
        ("失能", Health.GRAVE),
        ("瘫痪", Health.GRAVE),
        ("老年痴呆", Health.GRAVE),
        ("重病", Health.GRAVE),
        ("长期住院", Health.GRAVE),
        ("生活不能自理", Health.GRAVE),
        ("肺癌晚期", Health.GRAVE),
        ("行动不便，现已卧床", Health.GRAVE),
        ("总体良好，行动不便", Health.WEAK),
        ("无重病", Health.UNKNOWN),
        ("没有失能", Health.UNKNOWN),
        ("未失智", Health.UNKNOWN),
        ("不卧床", Health.UNKNOWN),
        ("没有失能，行动不便", Health.WEAK),
    ],
)
def test_the_words_of_health(words, health):
    assert health_of(words) == health


# ---- rule by rule ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("activity_class", "age", "health", "expected"),
    [
        ("A", 79, "良好", None),
        ("A", 80, "良好", ("B", Rule.MODERATE_AGE)),
        ("A", 80, "", ("B", Rule.MODERATE_AGE)),
        ("B", 80, "", None),
        ("C", 80, "良好", None),
        ("B", 89, "", None),
        ("A", 90, "", ("C", Rule.RESTING_AGE)),
        ("B", 90, "高血压", ("C", Rule.RESTING_AGE)),
        ("A", 90, "良好", ("B", Rule.MODERATE_AGE)),
        ("B", 95, "良好", None),
        ("C", 95, "", None),
        ("A", 60, "卧床", ("C", Rule.GRAVE_HEALTH)),
        ("B", 95, "重病", ("C", Rule.GRAVE_HEALTH)),
        ("C", 60, "卧床", None),
        ("A", 60, "行动不便", ("B", Rule.WEAK_HEALTH)),
        ("A", 85, "半失能", ("B", Rule.WEAK_HEALTH)),
        ("B", 60, "术后", None),
        ("A", 60, "高血压", None),
        ("B", 60, "良好", None),
        ("C", 60, "良好", None),
        ("", 60, "良好", ("A", Rule.FIRST)),
        ("", 60, "", ("A", Rule.FIRST)),
        ("", 81, "良好", ("B", Rule.MODERATE_AGE)),
        ("", 60, "卧床", ("C", Rule.GRAVE_HEALTH)),
    ],
)
def test_age_and_health(activity_class, age, health, expected):
    assert said(facts(activity_class, age, health)) == expected


def test_without_any_fact_nothing_is_suggested():
    assert suggest(Facts(day=DAY)) is None
    assert suggest(Facts(day=DAY, activity_class="A")) is None


@pytest.mark.parametrize(
    ("entered", "left", "expected"),
    [
        (0, None, ("C", Rule.IN_HOSPITAL)),
        (60, None, ("C", Rule.IN_HOSPITAL)),
        (61, None, None),
        (10, 0, None),
        (10, -5, ("C", Rule.IN_HOSPITAL)),
        (-1, None, None),
    ],
)
def test_in_hospital(entered, left, expected):
    stay = {
        "entered_hospital": days_before(entered),
        "left_hospital": None if left is None else days_before(left),
    }
    assert said(facts("A", **stay)) == expected
    assert said(facts("B", **stay)) == expected
    assert said(facts("C", **stay)) is None


def test_a_stay_in_hospital_suggests_a_class_for_three_months():
    suggestion = suggest(facts("A", entered_hospital=days_before(3)))
    assert suggestion.until(datetime.date(2025, 11, 30)) == datetime.date(2026, 2, 28)
    assert suggestion.reason_kind == "hospital"
    lasting = suggest(facts("A", health="卧床", entered_hospital=days_before(3)))
    assert (lasting.activity_class, lasting.until(DAY)) == ("C", None)


def test_a_first_class_is_not_temporary():
    suggestion = suggest(facts("", entered_hospital=days_before(3)))
    assert (suggestion.activity_class, suggestion.until(DAY)) == ("C", None)


@pytest.mark.parametrize(
    ("activity_class", "before", "age", "health", "expected"),
    [
        ("C", "A", 70, "良好", "A"),
        ("C", "B", 70, "良好", "B"),
        ("C", "", 70, "良好", "A"),
        ("C", "C", 70, "良好", None),
        ("B", "A", 70, "", "A"),
        ("B", "B", 70, "", None),
        ("C", "A", 80, "良好", "B"),
        ("C", "A", 70, "行动不便", "B"),
        ("B", "A", 80, "良好", None),
        ("C", "A", 70, "卧床", None),
        ("C", "A", 90, "", None),
    ],
)
def test_thirty_days_after_hospital(activity_class, before, age, health, expected):
    known = facts(
        activity_class, age, health, class_reason="hospital", class_before=before,
        class_since=days_before(90), entered_hospital=days_before(95),
        left_hospital=days_before(31),
    )  # fmt: skip
    assert said(known) == (expected and (expected, Rule.RECOVERED))
    assert suggest(replace(known, left_hospital=days_before(30))) is None
    assert suggest(replace(known, left_hospital=None)) is None
    assert suggest(replace(known, class_since=days_before(30))) is None
    assert suggest(replace(known, class_reason="health")) is None


def test_each_suggestion_says_why_in_one_sentence():
    health = suggest(facts("A", health="长期卧床"))
    assert health.why == "健康状况登记为“长期卧床”，不宜参加活动。"
    hospital = suggest(facts("A", entered_hospital=days_before(1)))
    assert hospital.why.startswith("2026-03-30 起住院")
    for known in (facts("A", 81), facts("A", 91, ""), facts("A", health="术后"), facts("")):
        why = suggest(known).why
        assert why.endswith("。")
        assert why.count("。") == 1
        assert "{" not in why


def test_words_with_braces_stay_words():
    assert suggest(facts("A", health="卧床{0}")).why == "健康状况登记为“卧床{0}”，不宜参加活动。"


# ---- whatever the facts ------------------------------------------------------------------------

GETTING_WORSE = ["良好", "高血压", "行动不便", "卧床"]
STAYS = st.one_of(st.none(), st.integers(0, 200).map(days_before))
ANY = st.builds(
    Facts,
    day=st.just(DAY),
    activity_class=st.sampled_from(["", "A", "B", "C"]),
    birth_date=st.integers(50, 105).map(aged),
    health=st.sampled_from(["", *GETTING_WORSE]),
    class_since=STAYS,
    class_until=STAYS,
    class_reason=st.sampled_from(["", "hospital", "age", "import", "lapsed"]),
    class_before=st.sampled_from(["", "A", "B", "C"]),
    entered_hospital=STAYS,
    left_hospital=STAYS,
    looked_on=STAYS,
    reviewed_on=STAYS,
)


def outcome(known: Facts) -> str:
    """The class after the suggestion was accepted."""
    suggestion = suggest(known)
    return suggestion.activity_class if suggestion else known.activity_class


@given(ANY, st.integers(0, 40))
def test_more_years_never_suggest_more_activity(known, years):
    older = replace(known, birth_date=aged(known.age + years))
    assert outcome(older) >= outcome(known)


@given(ANY, st.sampled_from(GETTING_WORSE), st.sampled_from(GETTING_WORSE))
def test_worse_health_never_suggests_more_activity(known, one, other):
    better, worse = sorted((one, other), key=GETTING_WORSE.index)
    assert outcome(replace(known, health=worse)) >= outcome(replace(known, health=better))


@given(ANY)
def test_only_who_left_hospital_is_suggested_more_activity(known):
    suggestion = suggest(known)
    if suggestion and suggestion.activity_class < known.activity_class:
        assert suggestion.rule == Rule.RECOVERED
        assert known.left_hospital < DAY


@given(ANY)
def test_a_suggestion_that_was_accepted_is_not_made_again(known):
    suggestion = suggest(known)
    if suggestion:
        assert suggestion.activity_class != known.activity_class
        accepted = replace(
            known, activity_class=suggestion.activity_class, class_reason=suggestion.reason_kind,
            class_before=known.activity_class, class_since=DAY,
        )  # fmt: skip
        assert suggest(accepted) is None


@given(ANY)
def test_a_refused_suggestion_is_silent(known):
    suggestion = suggest(known)
    if suggestion:
        assert Due.SUGGESTED not in due(replace(known, refused=frozenset([suggestion.why])))


# ---- who is due --------------------------------------------------------------------------------


def test_who_is_as_the_facts_say_is_not_due():
    assert due(facts()) == []


def test_reasons_stand_in_their_order():
    known = facts(
        "A", 91, "", looked_on=days_before(800), class_since=days_before(800), class_until=DAY
    )
    assert due(known) == [Due.SUGGESTED, Due.ENDING, Due.AGE, Due.OVERDUE]
    assert due(replace(known, activity_class="")) == [Due.UNCLASSED]


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2024-02-29", -12, "2023-02-28"),
        ("2025-12-31", 2, "2026-02-28"),
        ("2025-01-31", 1, "2025-02-28"),
        ("2025-11-30", 3, "2026-02-28"),
        ("2025-03-15", -3, "2024-12-15"),
        ("2025-01-15", 12, "2026-01-15"),
    ],
)
def test_months_later_and_before(day, months, expected):
    assert add_months(datetime.date.fromisoformat(day), months).isoformat() == expected
