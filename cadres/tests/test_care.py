"""Care for people: written once, put right, taken back; what is refused, and for how many."""

import datetime

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cadres.care import (
    CareRefusedError,
    amend_care,
    record_care,
    record_care_for_many,
    void_care,
)
from cadres.models import CareRecord, Retiree
from cadres.roles import Role
from cadres.tests.make import make_care, make_retiree, make_user

pytestmark = pytest.mark.django_db
MAY, JUNE = datetime.date(2025, 5, 1), datetime.date(2025, 6, 1)
TOMORROW = timezone.localdate() + datetime.timedelta(days=1)


@pytest.fixture
def office():
    return make_user(role=Role.OFFICE_STAFF)


def all_people(*people):
    return Retiree.objects.filter(pk__in=[person.pk for person in people])


def test_a_visit_is_written_with_who_entered_it(office):
    person = make_retiree()
    record = record_care(
        retiree=person, kind="visit", on=MAY, by=office, visitors="书记", given="500 元"
    )
    assert (record.retiree, record.entered_by, record.given) == (person, office, "500 元")
    assert record.details == "看望的人：书记；慰问：500 元"


def test_the_same_sent_twice_is_written_once(office):
    person = make_retiree()
    first = record_care(retiree=person, kind="visit", on=MAY, by=office, words="好")
    assert record_care(retiree=person, kind="visit", on=MAY, by=office, words="好") == first
    assert CareRecord.objects.count() == 1


def test_another_of_the_kind_on_that_day_is_refused_by_name(office):
    person = make_retiree(name="张三")
    record_care(retiree=person, kind="visit", on=MAY, by=office, words="好")
    with pytest.raises(CareRefusedError, match="张三在 2025-05-01 已经登记过“走访慰问”"):
        record_care(retiree=person, kind="visit", on=MAY, by=office, words="不好")
    record_care(retiree=person, kind="hardship", on=MAY, by=office)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"on": TOMORROW}, "还没有到"),
        ({"on": datetime.date(1950, 1, 1)}, "早于张三的出生日期"),
        ({"kind": "visit", "until": JUNE}, "出院日期只用于住院"),
        ({"kind": "hospital", "until": datetime.date(2025, 4, 1)}, "不能早于入院日期"),
        ({"kind": "hospital", "until": TOMORROW}, "还没有到"),
        ({"kind": "death"}, "登记去世或转出"),
    ],
)
def test_what_cannot_be_is_a_sentence_and_writes_nothing(office, fields, sentence):
    person = make_retiree(name="张三", birth_date="1953-07")
    with pytest.raises(CareRefusedError, match=sentence):
        record_care(retiree=person, by=office, **({"kind": "visit", "on": MAY} | fields))
    assert not CareRecord.objects.exists()


def test_who_has_left_gets_no_care_after_that_day_but_may_before(office):
    person = make_retiree(status="deceased", died_on=MAY)
    with pytest.raises(CareRefusedError, match="不能晚于 2025-05-01"):
        record_care(retiree=person, kind="visit", on=JUNE, by=office)
    assert record_care(retiree=person, kind="visit", on=MAY, by=office)


def test_a_visit_to_many_skips_who_had_one_that_day(office):
    people = [make_retiree(name=name) for name in ("甲", "乙", "丙")]
    make_care(people[1], on="2025-05-01")
    made, skipped = record_care_for_many(
        people=all_people(*people), kind="visit", on=MAY, by=office, given="米面油"
    )
    assert {record.retiree_id for record in made} == {people[0].pk, people[2].pk}
    assert [str(person) for person in skipped] == ["乙"]
    again, all_skipped = record_care_for_many(
        people=all_people(*people), kind="visit", on=MAY, by=office, given="米面油"
    )
    assert (again, len(all_skipped), CareRecord.objects.count()) == ([], 3, 3)


def test_a_visit_to_many_takes_as_many_queries_as_to_one(office):
    counts = []
    for size in (1, 30):
        people = all_people(*[make_retiree() for _ in range(size)])
        with CaptureQueriesContext(connection) as queries:
            record_care_for_many(people=people, kind="visit", on=MAY, by=office)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_nobody_of_many_is_written_when_the_day_cannot_be_for_one(office):
    people = [make_retiree(), make_retiree(name="老李", birth_date="", status="moved_away",
                                           moved_away_on=datetime.date(2025, 1, 1))]  # fmt: skip
    with pytest.raises(CareRefusedError, match="老李"):
        record_care_for_many(people=all_people(*people), kind="visit", on=MAY, by=office)
    assert not CareRecord.objects.exists()


@pytest.mark.parametrize("kind", ["hospital", "death"])
def test_a_stay_in_hospital_is_nothing_for_many(office, kind):
    with pytest.raises(CareRefusedError):
        record_care_for_many(people=all_people(make_retiree()), kind=kind, on=MAY, by=office)


def amend(record, by, **changed):
    said = {"kind": record.kind, "on": record.on} | changed
    return amend_care(record=record, by=by, **said)


def test_leaving_hospital_is_entered_later(office):
    record = make_care(make_retiree(), "hospital", "2025-05-01")
    assert record.is_open_stay
    assert not amend(record, office, until=JUNE).is_open_stay
    assert CareRecord.objects.get().until == JUNE


def test_only_the_office_and_who_entered_it_put_a_record_right(office):
    author, other = make_user(), make_user()
    record = make_care(make_retiree(), entered_by=author)
    assert amend(record, author, words="一").words == "一"
    assert amend(record, office, words="二").words == "二"
    with pytest.raises(CareRefusedError, match="只有办公室和登记的人"):
        amend(record, other, words="三")
    with pytest.raises(CareRefusedError, match="只有办公室和登记的人"):
        void_care(record=record, reason="错", by=other)


def test_a_record_is_not_moved_onto_another_or_made_a_death(office):
    person = make_retiree()
    make_care(person, on="2025-05-01")
    record = make_care(person, on="2025-06-01")
    with pytest.raises(CareRefusedError, match="已经登记过"):
        amend(record, office, on=MAY)
    with pytest.raises(CareRefusedError, match="登记去世或转出"):
        amend(record, office, kind="death")


def test_what_is_taken_back_is_kept_but_counts_no_more(office):
    person = make_retiree()
    record = make_care(person)
    void_care(record=record, reason="登记错了人", by=office)
    void_care(record=record, reason="再点一次", by=office)
    assert not person.care_records.exists()
    assert not CareRecord.objects.exists()
    kept = CareRecord.everything.get()
    assert (kept.is_void, kept.void_reason) == (True, "登记错了人")
    assert make_care(person)  # the day is free again
    with pytest.raises(CareRefusedError):
        amend(kept, office)


def test_taking_back_asks_why(office):
    record = make_care(make_retiree())
    with pytest.raises(CareRefusedError, match="为什么"):
        void_care(record=record, reason="  ", by=office)
    with pytest.raises(IntegrityError), transaction.atomic():
        CareRecord.objects.update(is_void=True)  # the database holds it too


def test_the_history_keeps_what_a_record_said_before(office):
    record = make_care(make_retiree(), words="旧的")
    amend(record, office, words="新的")
    events = CareRecord.pgh_event_model.objects.filter(pgh_obj=record.pk).order_by("pgh_id")
    assert list(events.values_list("pgh_label", "words")) == [
        ("insert", "旧的"),
        ("update", "新的"),
    ]
