"""Whom to visit, and why: the reasons, at their edges."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cadres.models import Retiree
from cadres.tests.make import make_care, make_retiree
from cadres.visiting import VisitFacts, Why, facts_of, reasons

TODAY = datetime.date(2025, 12, 1)


def ago(days: int) -> datetime.date:
    return TODAY - datetime.timedelta(days=days)


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({}, []),
        ({"activity_class": "C"}, [Why.NO_ACTIVITY]),
        ({"activity_class": "B"}, []),
        ({"age": 80}, [Why.OLD]),
        ({"age": 79}, []),
        ({"in_hospital_since": ago(400)}, [Why.HOSPITAL]),
        ({"left_on": ago(60)}, [Why.HOSPITAL]),
        ({"left_on": ago(61)}, []),
        ({"hardship_on": ago(365)}, [Why.HARDSHIP]),
        ({"hardship_on": ago(366)}, []),
        ({"visited_on": ago(183)}, []),
        ({"visited_on": ago(184)}, [Why.UNVISITED]),
        ({"visited_on": None}, [Why.UNVISITED]),
        ({"activity_class": "C", "age": 90}, [Why.NO_ACTIVITY, Why.OLD]),
    ],
)
def test_each_reason_at_its_edge(facts, why):
    assert list(reasons(VisitFacts(**({"visited_on": ago(1)} | facts)), TODAY)) == why


def test_reasons_are_words():
    facts = VisitFacts("C", 91, None, datetime.date(2025, 11, 2), None, ago(30))
    assert "；".join(reasons(facts, TODAY).values()) == (
        "不能参加活动；91 岁；2025年11月2日住院，没有登记出院；2025年11月1日困难帮扶；还没有走访过"
    )


@pytest.mark.django_db
def test_facts_are_read_off_the_records_in_one_query():
    people = [make_retiree(birth_date="1940-03", activity_class="C") for _ in range(3)]
    make_care(people[0], "visit", "2025-03-01")
    make_care(people[0], "visit", "2025-04-01")
    make_care(people[0], "hospital", "2025-05-01", until=datetime.date(2025, 5, 9))
    make_care(people[1], "hospital", "2025-06-01")
    make_care(people[1], "hardship", "2025-07-01")
    taken_back = make_care(people[2], "visit", "2025-08-01")
    taken_back.is_void, taken_back.void_reason = True, "错"
    taken_back.save()
    for size in (1, 3):
        with CaptureQueriesContext(connection) as queries:
            facts = facts_of(list(Retiree.objects.order_by("pk"))[:size], TODAY)
        assert len(queries) == 2  # the people, and their facts
    first, second, third = (facts[person.pk] for person in people)
    assert (first.visited_on.month, first.left_on.day, first.in_hospital_since) == (4, 9, None)
    assert (second.in_hospital_since.month, second.hardship_on.month) == (6, 7)
    assert third == VisitFacts("C", 85)
