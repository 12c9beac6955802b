"""Activity classes: many at once, temporary ones, and what counts on a day."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cadres.actions import (
    ReclassifyRefusedError,
    lapse_temporary_classes,
    reclassify,
    reclassify_many,
)
from cadres.models import Announcement, ClassChange, Retiree
from cadres.roles import Role
from cadres.tests.make import make_retiree, make_user

pytestmark = pytest.mark.django_db
NEW_YEAR, SPRING, SUMMER = (datetime.date(2025, month, 1) for month in (1, 4, 7))


def classed(activity_class="A", on=NEW_YEAR, **more):
    person = make_retiree(**more)
    reclassify(retiree=person, activity_class=activity_class, on=on, by=None)
    return person


def all_people(*people):
    return Retiree.objects.filter(pk__in=[person.pk for person in people])


def test_many_people_change_with_a_ledger_entry_each():
    people = [classed() for _ in range(3)] + [classed("B")]
    user = make_user()
    changes = reclassify_many(
        people=all_people(*people), activity_class="B", on=SPRING, by=user, reason_kind="age"
    )
    assert {change.retiree_id for change in changes} == {p.pk for p in people[:3]}
    assert set(Retiree.objects.values_list("activity_class", flat=True)) == {"B"}
    assert ClassChange.objects.filter(decided_by=user, effective_from=SPRING).count() == 3


def test_the_number_of_queries_does_not_depend_on_the_number_of_people():
    counts = []
    for size in (1, 40):
        people = all_people(*[classed() for _ in range(size)])
        with CaptureQueriesContext(connection) as queries:
            reclassify_many(people=people, activity_class="C", on=SPRING, by=None)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_nobody_changes_when_one_of_them_has_a_later_entry():
    early, late = classed(), classed("A", on=SUMMER, name="后来人")
    with pytest.raises(ReclassifyRefusedError, match="后来人"):
        reclassify_many(people=all_people(early, late), activity_class="B", on=SPRING, by=None)
    assert set(Retiree.objects.values_list("activity_class", flat=True)) == {"A"}


def test_a_temporary_class_falls_back_by_itself_and_is_announced():
    person = classed("A")
    reclassify(
        retiree=person, activity_class="C", on=SPRING, until=SUMMER, by=None, reason_kind="hospital"
    )
    assert lapse_temporary_classes(on=SUMMER - datetime.timedelta(days=1)) == []
    [change] = lapse_temporary_classes(on=SUMMER + datetime.timedelta(days=3))
    person.refresh_from_db()
    assert (person.activity_class, change.effective_from) == ("A", SUMMER)
    assert Announcement.objects.get().retiree == person
    assert lapse_temporary_classes(on=SUMMER + datetime.timedelta(days=4)) == []


def test_a_temporary_class_whose_end_was_corrected_falls_back_to_the_lasting_one():
    person = classed("A")
    winter = SUMMER + datetime.timedelta(days=180)
    for until in (winter, SUMMER):
        reclassify(retiree=person, activity_class="B", on=SPRING, until=until, by=None)
    [change] = lapse_temporary_classes(on=SUMMER)
    assert (change.activity_class, change.until) == ("A", None)
    assert lapse_temporary_classes(on=winter) == []


def test_a_temporary_class_within_another_falls_back_to_the_lasting_one():
    person = classed("A")
    winter = SUMMER + datetime.timedelta(days=180)
    reclassify(retiree=person, activity_class="B", on=SPRING, until=winter, by=None)
    reclassify(retiree=person, activity_class="C", on=SPRING, until=SUMMER, by=None)
    [change] = lapse_temporary_classes(on=SUMMER)
    assert (change.activity_class, change.until) == ("A", None)
    assert lapse_temporary_classes(on=winter) == []


def test_a_temporary_class_that_was_changed_meanwhile_does_not_fall_back():
    person = classed("A")
    reclassify(retiree=person, activity_class="C", on=SPRING, until=SUMMER, by=None)
    reclassify(retiree=person, activity_class="B", on=SPRING, by=None)
    assert lapse_temporary_classes(on=SUMMER) == []
    person.refresh_from_db()
    assert person.activity_class == "B"


def test_a_first_class_cannot_be_temporary():
    with pytest.raises(ReclassifyRefusedError):
        reclassify(retiree=make_retiree(), activity_class="C", on=SPRING, until=SUMMER, by=None)


def test_classes_as_of_a_day_are_not_moved_by_later_changes():
    people = [classed("A"), classed("B"), classed("C")]

    def on(day):
        latest = ClassChange.objects.latest_on(day)
        return sorted(change.activity_class for change in latest)

    before = on(SPRING)
    reclassify_many(people=all_people(*people), activity_class="C", on=SUMMER, by=None)
    assert on(SPRING) == before == ["A", "B", "C"]
    assert on(SUMMER) == ["C", "C", "C"]


def test_the_page_asks_once_and_changes_those_who_were_ticked(client):
    staff = make_user(role=Role.OFFICE_STAFF)
    client.force_login(staff)
    first, second, other = classed(), classed(), classed()
    ticked = {"person": [first.pk, second.pk]}
    page = client.post("/people/reclassify/", ticked).content.decode()
    assert "共 2 人" in page
    assert not ClassChange.objects.filter(activity_class="B").exists()
    filled = ticked | {"activity_class": "B", "on": "2025-04-01", "reason_kind": "age"}
    assert client.post("/people/reclassify/", filled).status_code == 302
    changed = ClassChange.objects.filter(activity_class="B", decided_by=staff)
    assert set(changed.values_list("retiree_id", flat=True)) == {first.pk, second.pk}
    assert Retiree.objects.get(pk=other.pk).activity_class == "A"


@pytest.mark.parametrize("role", [Role.LEADER, Role.AUDITOR, Role.RETIREE, Role.CONTACT])
def test_the_page_is_the_offices(client, role):
    client.force_login(make_user(role=role))
    person = classed()
    filled = {"person": [person.pk], "activity_class": "B", "on": "2025-04-01"}
    assert client.post("/people/reclassify/", filled | {"reason_kind": "age"}).status_code == 403
    person.refresh_from_db()
    assert person.activity_class == "A"
