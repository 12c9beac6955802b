"""Redemption: points and articles move together, once, and never below zero."""

import datetime
import uuid

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from cadres.jobs import RefusedError
from cadres.tests.make import make_user
from conftest import without_guards
from points import ledger, redemption
from points.audit import audit
from points.models import (
    DayStatus,
    DayStock,
    Redemption,
    RedemptionDay,
    RedemptionState,
    Transfer,
)
from points.tests.make import balance, make_cycle, make_day, make_rich, make_stock
from points.tests.test_threads import (
    NO_MEMBER_LOCK,
    SLOW_SPEND,
    at_once,
    kinds,
    without,
    without_the_balances_check,
)

pytestmark = pytest.mark.django_db
TODAY = datetime.date(2025, 6, 16)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(datetime.datetime(2025, 6, 16, 2, tzinfo=datetime.UTC), tick=False):
        yield


def later(**much):
    now = datetime.datetime(2025, 6, 16, 2, tzinfo=datetime.UTC)
    return time_machine.travel(now + datetime.timedelta(**much), tick=False)


@pytest.fixture
def person():
    return make_rich(100)


@pytest.fixture
def staff():
    return make_user()


@pytest.fixture
def day():
    return make_day(TODAY + datetime.timedelta(days=3))


@pytest.fixture
def rice(day):
    return make_stock(day, "大米", 50, brought=1)


def reserve(day, person, staff, basket, key=None):
    return redemption.reserve(
        key=key or uuid.uuid4(), day=day, retiree=person, basket=basket, by=staff
    )


def left(stock) -> int:
    return DayStock.objects.get(pk=stock.pk).left


def test_reserving_spends_the_points_and_takes_the_stock(day, rice, person, staff):
    made = reserve(day, person, staff, {rice.pk: 1})
    assert (made.state, made.points, balance(person), left(rice)) == ("reserved", 50, 50, 0)
    assert made.transfer.memo == "大米"
    assert audit().is_clean


def test_the_same_form_sent_again_is_the_same_redemption(day, rice, person, staff):
    key = uuid.uuid4()
    first = reserve(day, person, staff, {rice.pk: 1}, key)
    assert reserve(day, person, staff, {rice.pk: 1}, key) == first
    assert (balance(person), left(rice)) == (50, 0)
    with pytest.raises(RefusedError, match="已经用过"):
        reserve(day, make_rich(100), staff, {rice.pk: 1}, key)


def serve(day, person, staff, basket, key, **more):
    return redemption.serve(key=key, day=day, retiree=person, basket=basket, by=staff, **more)


def test_the_same_form_with_something_else_in_it_says_that_nothing_was_done(day, person, staff):
    key = uuid.uuid4()
    soap, brush = (make_stock(day, name, 10, brought=9) for name in ("肥皂", "牙刷"))
    first = serve(day, person, staff, {soap.pk: 2}, key)
    assert serve(day, person, staff, {soap.pk: 2, brush.pk: 0}, key) == first
    for basket in ({soap.pk: 1}, {brush.pk: 2}, {soap.pk: 2, brush.pk: 1}, {}):
        with pytest.raises(redemption.DoneBeforeError, match="肥皂×2（已领取），这一次没有另办"):
            serve(day, person, staff, basket, key)
    with pytest.raises(redemption.DoneBeforeError):
        serve(day, person, staff, {soap.pk: 2}, key, collector="李四", relation="儿子")
    assert (balance(person), left(soap), left(brush)) == (80, 7, 9)


def test_the_same_form_after_it_was_taken_back_says_so(day, rice, person, staff):
    key = uuid.uuid4()
    made = reserve(day, person, staff, {rice.pk: 1}, key)
    with pytest.raises(redemption.DoneBeforeError, match="大米（已预约）"):
        serve(day, person, staff, {rice.pk: 1}, key)  # it has not been handed out
    redemption.collect(redemption=made, by=staff)
    assert reserve(day, person, staff, {rice.pk: 1}, key) == made
    redemption.cancel(redemption=made, by=staff, is_office=True)
    for again in (reserve, serve):
        with pytest.raises(redemption.DoneBeforeError, match="大米（已取消）"):
            again(day, person, staff, {rice.pk: 1}, key)
    assert (balance(person), left(rice)) == (100, 1)


def test_the_last_bag_is_gone(day, rice, person, staff):
    reserve(day, person, staff, {rice.pk: 1})
    other = make_rich(100)
    with pytest.raises(redemption.SoldOutError, match="大米已兑完"):
        reserve(day, other, staff, {rice.pk: 1})
    assert balance(other) == 100


def test_not_enough_points_take_no_article(day, person, staff):
    kettle = make_stock(day, "电热水壶", 210, brought=3)
    with pytest.raises(ledger.InsufficientPointsError, match="积分不够，现有 100 分"):
        reserve(day, person, staff, {kettle.pk: 1})
    assert left(kettle) == 3
    assert not Redemption.objects.exists()


def test_a_limit_per_person_counts_what_is_held(day, person, staff):
    soap = make_stock(day, "香皂", 10, brought=9, per_person=2)
    made = reserve(day, person, staff, {soap.pk: 2})
    with pytest.raises(RefusedError, match="每人限 2 份"):
        reserve(day, person, staff, {soap.pk: 1})
    redemption.cancel(redemption=made, by=staff, is_office=False)
    assert reserve(day, person, staff, {soap.pk: 2}).points == 20


@pytest.mark.parametrize("status", ["planned", "done", "cancelled"])
def test_a_day_that_is_not_open_takes_nothing(rice, person, staff, status):
    day = rice.day
    day.status = status
    day.save()
    with pytest.raises(RefusedError, match="现在不能兑换"):
        reserve(day, person, staff, {rice.pk: 1})


def test_nobody_reserves_after_the_closing_time_unless_it_is_typed_in_later(
    day, rice, person, staff
):
    asked = {"day": day, "retiree": person, "basket": {rice.pk: 1}}
    with later(days=3, hours=6, minutes=30):  # on the day, at half past four
        assert not RedemptionDay.objects.coming(timezone.now()).exists()
        for act in (redemption.check, lambda **more: redemption.reserve(by=staff, **more)):
            with pytest.raises(RefusedError, match="时间已经过了，不能再预约"):
                act(key=uuid.uuid4(), **asked)
        with pytest.raises(RefusedError, match="不能再预约"):
            redemption.reserve(
                key=uuid.uuid4(), by=staff, on=day.date + datetime.timedelta(days=1), **asked
            )
        made = redemption.reserve(key=uuid.uuid4(), by=staff, on=TODAY, **asked)
        assert made.transfer.occurred_on == TODAY
        redemption.cancel(redemption=made, by=staff, is_office=True)
    with later(days=3, hours=6, minutes=29):
        assert RedemptionDay.objects.coming(timezone.now()).get() == day
        assert reserve(day, person, staff, {rice.pk: 1}).state == "reserved"


def test_an_empty_basket_or_another_days_article(day, rice, person, staff):
    other = make_stock(make_day(TODAY, place="别处"), "肥皂", 10, brought=5)
    for basket in ({}, {rice.pk: 0}, {rice.pk: -1}, {other.pk: 1}, {10**9: 1}):
        with pytest.raises(RefusedError):
            reserve(day, person, staff, basket)
    assert balance(person) == 100


def test_points_go_by_the_cycle_of_the_day(person, staff):
    make_cycle(2026)
    with later(days=200):
        day = make_day(datetime.date(2026, 1, 10))
        assert day.cycle.year == 2026
        soap = make_stock(day, "香皂", 10, brought=5)
        with pytest.raises(ledger.InsufficientPointsError):
            reserve(day, person, staff, {soap.pk: 1})


# ---- giving back -------------------------------------------------------------------------------


def test_cancelled_gives_back_points_and_stock_once(day, rice, person, staff):
    made = reserve(day, person, staff, {rice.pk: 1})
    for _ in range(2):
        made = redemption.cancel(redemption=made, by=staff, is_office=False)
        assert (made.state, balance(person), left(rice)) == ("cancelled", 100, 1)
    assert Transfer.objects.filter(kind="refund").count() == 1
    assert audit().is_clean


def test_when_a_retiree_may_still_cancel(day, rice, person, staff):
    made = reserve(day, person, staff, {rice.pk: 1})
    with later(days=3, minutes=-1):  # on the day itself, long after
        with pytest.raises(RefusedError, match="办公室电话"):
            redemption.cancel(redemption=made, by=staff, is_office=False)
        redemption.cancel(redemption=made, by=staff, is_office=True)
        again = reserve(day, person, staff, {rice.pk: 1})
    with later(days=3, minutes=8):  # but for ten minutes after reserving
        assert redemption.cancel(redemption=again, by=staff, is_office=False).state == "cancelled"


def test_collected_by_somebody_else_keeps_name_and_relation(day, rice, person, staff):
    made = reserve(day, person, staff, {rice.pk: 1})
    with pytest.raises(RefusedError, match="代领"):
        redemption.collect(redemption=made, by=staff, collector="李四")
    made = redemption.collect(redemption=made, by=staff, collector="李四", relation="儿子")
    assert (made.state, made.collector, made.relation) == ("collected", "李四", "儿子")
    assert redemption.collect(redemption=made, by=staff).collector == "李四"


def test_what_was_handed_out_can_be_undone_for_ten_minutes(day, rice, person, staff):
    made = redemption.serve(
        key=uuid.uuid4(), day=day, retiree=person, basket={rice.pk: 1}, by=staff
    )
    assert (made.state, balance(person)) == ("collected", 50)
    with later(minutes=11), pytest.raises(RefusedError):
        redemption.cancel(redemption=made, by=staff, is_office=True)
    with pytest.raises(RefusedError):
        redemption.cancel(redemption=made, by=staff, is_office=False)
    redemption.cancel(redemption=made, by=staff, is_office=True)
    assert (balance(person), left(rice)) == (100, 1)


def test_a_finished_day_lapses_what_was_not_collected(day, person, staff):
    soap = make_stock(day, "香皂", 10, brought=9)
    kept = reserve(day, person, staff, {soap.pk: 1})
    other = make_rich(30)
    lapsed = reserve(day, other, staff, {soap.pk: 3})
    with pytest.raises(RefusedError, match="还没有到"):
        redemption.finish(day=day, by=staff)
    redemption.collect(redemption=kept, by=staff)
    with later(days=3):
        assert redemption.finish(day=day, by=staff) == 1
        assert redemption.finish(day=day, by=staff) == 0
    lapsed.refresh_from_db()
    assert (lapsed.state, balance(other), left(soap)) == ("lapsed", 30, 8)
    with pytest.raises(RefusedError, match="过期未领"):
        redemption.collect(redemption=lapsed, by=staff)
    assert audit().is_clean


def test_a_day_called_off_cancels_every_reservation(day, rice, person, staff):
    reserve(day, person, staff, {rice.pk: 1})
    assert redemption.call_off(day=day, by=staff) == 1
    assert (balance(person), left(rice)) == (100, 1)
    day.refresh_from_db()
    assert day.status == DayStatus.CANCELLED


def test_a_day_on_which_somebody_was_served_is_not_called_off(day, rice, person, staff):
    redemption.serve(key=uuid.uuid4(), day=day, retiree=person, basket={rice.pk: 1}, by=staff)
    with pytest.raises(RefusedError, match="只能结束"):
        redemption.call_off(day=day, by=staff)


# ---- refused by the database -------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE points_daystock SET taken = 0",
        "DELETE FROM points_daystock",
        "UPDATE points_redemptionline SET quantity = 9",
        "DELETE FROM points_redemptionline",
        "DELETE FROM points_redemption",
        "UPDATE points_redemption SET points = 1",
        "UPDATE points_redemption SET state = 'lapsed', ended_at = now();"
        " UPDATE points_redemption SET state = 'reserved', ended_at = NULL",
        "UPDATE points_daystock SET brought = 0",
        "UPDATE points_redemptionday SET date = '2024-12-31'",
    ],
)
def test_the_database_refuses(day, rice, person, staff, statement):
    reserve(day, person, staff, {rice.pk: 1})
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_the_proof_finds_a_count_and_a_sum_changed_by_hand(day, rice, person, staff):
    reserve(day, person, staff, {rice.pk: 1})
    with without_guards(), connection.cursor() as cursor:
        cursor.execute("UPDATE points_daystock SET taken = 0")
        cursor.execute("UPDATE points_redemption SET points = 40")
    assert {finding["code"] for finding in audit().findings} == {"stock", "redemption"}


# ---- many at once ------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_sixteen_at_the_last_bag_and_one_gets_it(day, rice, staff):
    people = [make_rich(100) for _ in range(16)]
    got = at_once(*(lambda p=p: reserve(day, p, staff, {rice.pk: 1}) for p in people))
    assert sum(isinstance(each, Redemption) for each in got) == 1
    assert sum(isinstance(each, redemption.SoldOutError) for each in got) == 15
    assert sorted(map(balance, people)) == [50] + [100] * 15
    assert audit().is_clean


@pytest.mark.django_db(transaction=True)
def test_without_the_days_lock_the_database_still_hands_out_one(day, rice, staff, monkeypatch):
    """The lock decides who reads “已兑完”; the count in the database decides who gets the bag."""
    monkeypatch.setattr(redemption, "locked", lambda day: day)
    people = [make_rich(100) for _ in range(16)]
    got = at_once(*(lambda p=p: reserve(day, p, staff, {rice.pk: 1}) for p in people))
    assert sum(isinstance(each, Redemption) for each in got) == 1
    assert left(rice) == 0


@pytest.mark.django_db(transaction=True)
def test_without_lock_and_count_the_bag_is_handed_out_twice(day, rice, staff, monkeypatch):
    """The negative control of both: the tests above would fail."""
    monkeypatch.setattr(redemption, "locked", lambda day: day)
    with without_guards(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE points_redemptionline DISABLE TRIGGER line_takes")
    try:
        people = [make_rich(100) for _ in range(2)]
        for person in people:
            reserve(day, person, staff, {rice.pk: 1})
        assert Redemption.objects.filter(state=RedemptionState.RESERVED).count() == 2
        assert "stock" in {finding["code"] for finding in audit().findings}
    finally:
        with without_guards(), connection.cursor() as cursor:
            cursor.execute("ALTER TABLE points_redemptionline ENABLE TRIGGER line_takes")


@pytest.mark.django_db(transaction=True)
def test_two_tills_with_the_same_person_spend_the_points_once(day, staff):
    soap = make_stock(day, "香皂", 80, brought=9)
    person = make_rich(100)
    got = at_once(*(lambda: reserve(day, person, staff, {soap.pk: 1}),) * 8)
    assert sum(isinstance(each, Redemption) for each in got) == 1
    assert sum(isinstance(each, ledger.InsufficientPointsError) for each in got) == 7
    assert balance(person) == 20


def spend_on_two_days(person, staff) -> None:
    """Two days of a year, open at once: neither's lock keeps the other one waiting."""
    wishes = [
        (day, {make_stock(day, "香皂", 80, brought=9).pk: 1})
        for day in (make_day(TODAY, place=place) for place in ("甲地", "乙地"))
    ]
    got = at_once(*(lambda w=w: reserve(w[0], person, staff, w[1]) for w in wishes * 4))
    assert kinds(got) == ["InsufficientPointsError"]
    assert (Redemption.objects.count(), balance(person)) == (1, 20)


@pytest.mark.django_db(transaction=True)
def test_two_days_at_once_spend_the_same_points_once(person, staff):
    spend_on_two_days(person, staff)
    assert audit().is_clean


@pytest.mark.django_db(transaction=True)
def test_control_without_the_accounts_lock_the_second_day_runs_into_the_check(person, staff):
    with without(NO_MEMBER_LOCK, SLOW_SPEND), pytest.raises(AssertionError, match="IntegrityError"):
        spend_on_two_days(person, staff)
    assert balance(person) == 20


@pytest.mark.django_db(transaction=True)
def test_control_without_lock_and_check_two_days_spend_the_same_points_twice(person, staff):
    with without_the_balances_check():
        with without(NO_MEMBER_LOCK, SLOW_SPEND), pytest.raises(AssertionError):
            spend_on_two_days(person, staff)
        assert Redemption.objects.count() > 1
        assert balance(person) < 0


@pytest.mark.django_db(transaction=True)
def test_collecting_and_cancelling_at_once_has_one_end(day, rice, person, staff):
    made = reserve(day, person, staff, {rice.pk: 1})
    at_once(
        *(lambda: redemption.cancel(redemption=made, by=staff, is_office=True),) * 4,
        *(lambda: redemption.collect(redemption=made, by=staff),) * 4,
    )
    assert audit().is_clean
    made.refresh_from_db()
    assert (made.state, balance(person)) in (("cancelled", 100), ("collected", 50))
