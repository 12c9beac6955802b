"""Whom to visit, and why: said in words, from what the records know."""

import datetime
from dataclasses import dataclass
from enum import StrEnum

from cadres.models import ActivityClass, CareRecord

#: From this age on a person is visited.
OLD = 80
STAY = datetime.timedelta(days=60)
HARDSHIP = datetime.timedelta(days=365)
UNVISITED = datetime.timedelta(days=183)


class Why(StrEnum):
    """Reasons for a visit: code and what the list's box calls it."""

    NO_ACTIVITY = "class"
    OLD = "old"
    HOSPITAL = "hospital"
    HARDSHIP = "hardship"
    UNVISITED = "unvisited"


WHY_LABELS = {
    Why.NO_ACTIVITY: "不能参加活动",
    Why.OLD: f"{OLD}岁以上",
    Why.HOSPITAL: "近 60 天住过院",
    Why.HARDSHIP: "一年内有困难帮扶",
    Why.UNVISITED: "半年没有走访",
}


@dataclass(frozen=True)
class VisitFacts:
    """What is known of a person; days are None when there is no such record."""

    activity_class: str = ""
    age: int | None = None
    visited_on: datetime.date | None = None
    in_hospital_since: datetime.date | None = None
    left_on: datetime.date | None = None
    hardship_on: datetime.date | None = None


def reasons(facts: VisitFacts, today: datetime.date) -> dict[Why, str]:
    """Why a person is to be visited, each reason in words; empty when there is none."""
    found = {}
    if facts.activity_class == ActivityClass.C:
        found[Why.NO_ACTIVITY] = "不能参加活动"
    if facts.age is not None and facts.age >= OLD:
        found[Why.OLD] = f"{facts.age} 岁"
    if stay := _stay(facts, today):
        found[Why.HOSPITAL] = stay
    if facts.hardship_on and facts.hardship_on >= today - HARDSHIP:
        found[Why.HARDSHIP] = f"{_day(facts.hardship_on)}困难帮扶"
    if facts.visited_on is None:
        found[Why.UNVISITED] = "还没有走访过"
    elif facts.visited_on < today - UNVISITED:
        found[Why.UNVISITED] = "半年没有走访"
    return found


def _stay(facts: VisitFacts, today: datetime.date) -> str:
    if facts.in_hospital_since:
        return f"{_day(facts.in_hospital_since)}住院，没有登记出院"
    if facts.left_on and facts.left_on >= today - STAY:
        return f"{_day(facts.left_on)}出院"
    return ""


def _day(day: datetime.date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def facts_of(people: list, today: datetime.date) -> dict[int, VisitFacts]:
    """By the person's key, in one query however many people."""
    records = CareRecord.objects.filter(retiree__in=[person.pk for person in people])
    known = {row.pop("retiree_id"): row for row in records.latest_of_people()}
    return {
        person.pk: VisitFacts(
            activity_class=person.activity_class,
            age=person.age_on(today),
            **known.get(person.pk, {}),
        )
        for person in people
    }
