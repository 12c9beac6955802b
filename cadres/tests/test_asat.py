"""The past as it is known now: a later change leaves an earlier day as it was."""

import datetime

import pytest
import time_machine

from cadres import actions
from cadres.asat import read_day
from cadres.forms import PeopleFilter, people_of
from cadres.models import Retiree
from cadres.roles import Role
from cadres.tests.make import (
    make_class_change,
    make_residence,
    make_retiree,
    make_user,
    some_township,
)

pytestmark = pytest.mark.django_db
DAY = datetime.date(2025, 6, 30)


@pytest.fixture
def staff():
    return make_user(role=Role.OFFICE_STAFF)


def person(name="张三", **fields) -> Retiree:
    found = make_retiree(name=name, registered_on=datetime.date(2025, 1, 1), **fields)
    make_class_change(found, "A", "2025-01-01")
    make_residence(found, some_township("朱衣镇"), "2025-01-01")
    return found


def names(staff, **filled) -> list[str]:
    return list(people_of(filled, staff).order_by("name").values_list("name", flat=True))


def test_a_later_class_leaves_the_earlier_day_as_it_was(staff):
    someone = person()
    assert names(staff, on="2025-06-30", activity_class="A") == ["张三"]
    actions.reclassify(retiree=someone, activity_class="C", on=datetime.date(2025, 9, 1), by=staff)
    assert names(staff, on="2025-06-30", activity_class="A") == ["张三"]
    assert names(staff, on="2025-06-30", activity_class="C") == []
    assert names(staff, on="2025-09-01", activity_class="C") == ["张三"]
    assert names(staff, activity_class="C") == ["张三"]


def test_a_later_move_leaves_the_earlier_day_as_it_was(staff):
    someone, other = person(), some_township("永乐镇")
    actions.move(
        retiree=someone, township=other, community=None, address="", by=staff,
        on=datetime.date(2025, 9, 1),
    )  # fmt: skip
    before, after = str(some_township("朱衣镇").pk), str(other.pk)
    assert names(staff, on="2025-06-30", township=before) == ["张三"]
    assert names(staff, on="2025-06-30", township=after) == []
    assert names(staff, on="2025-09-01", township=after) == ["张三"]


def test_a_death_reported_late_corrects_the_past(staff):
    someone = person()
    person("李四")
    assert names(staff, on="2025-06-30") == ["张三", "李四"]
    actions.record_death(retiree=someone, on=datetime.date(2025, 6, 1), by=staff)
    assert names(staff, on="2025-05-31") == ["张三", "李四"]
    assert names(staff, on="2025-06-30") == ["李四"]
    assert names(staff, on="2025-06-30", status="deceased") == ["张三"]
    assert names(staff, on="2025-05-31", status="deceased") == []


def test_the_list_of_a_past_day_shows_the_status_of_that_day(client, staff):
    actions.record_death(retiree=person(), on=datetime.date(2025, 8, 1), by=staff)
    client.force_login(staff)

    def statuses(**filled) -> list[str]:
        return [p.shown_status for p in client.get("/people/", filled).context["page"]]

    assert statuses(on="2025-06-30") == ["在册"]
    assert statuses(on="2025-08-01", status="deceased") == ["已去世"]
    assert statuses() == ["已去世"]
    assert "已去世" not in client.get("/people/?on=2025-06-30").content.decode().split("<tbody>")[1]


def test_who_was_not_registered_yet_is_not_counted(staff):
    someone = person()
    someone.registered_on = datetime.date(2025, 8, 1)
    someone.save()
    assert names(staff, on="2025-06-30") == []
    assert names(staff, on="2025-08-01") == ["张三"]


def test_classes_of_any_day_add_up_to_the_people(staff):
    for number in range(6):
        someone = person(f"甲{number}")
        if number % 2:
            actions.reclassify(
                retiree=someone, activity_class="B", by=staff,
                on=datetime.date(2025, 2 + number, 1),
            )  # fmt: skip
    make_retiree(name="未分类", registered_on=datetime.date(2025, 3, 1))
    for month in range(1, 13):
        day = f"2025-{month:02d}-15"
        parts = [len(names(staff, on=day, activity_class=c)) for c in ("A", "B", "C", "none")]
        assert sum(parts) == len(names(staff, on=day))


def test_age_is_that_of_the_day(staff):
    person(birth_date="1945-07-15")
    assert names(staff, on="2025-06-30", age="80-89") == []
    assert names(staff, on="2025-08-30", age="80-89") == ["张三"]


@time_machine.travel("2025-09-01 12:00 +0800")
def test_a_day_to_come_is_today(staff):
    assert PeopleFilter({"on": "2031-01-01"}).day == datetime.date(2025, 9, 1)
    assert not PeopleFilter({"on": "2031-01-01"}).is_past


def test_a_text_that_is_no_day_is_passed_over(staff):
    person()
    assert read_day("2025-13-01") is None
    assert read_day("") is None
    assert read_day("2025-06-30") == DAY
    assert names(staff, on="昨天") == ["张三"]
