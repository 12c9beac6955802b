"""Who leaves the roster has the points frozen with it, and gets them back on the two ways back.

What was reserved for later days is cancelled; what happened later has to be looked at.
"""

import datetime
import threading
import uuid

import pytest
import time_machine

from branches import departures
from branches.departures import come_back, depart, take_back, what_follows
from cadres.models import Announcement
from cadres.roles import Role
from cadres.tests.locks import somebody_waits
from cadres.tests.make import make_user
from cadres.tests.worker import wait_until
from points import ledger, redemption
from points.audit import audit
from points.models import Account, Redemption, Transfer
from points.tests.make import awarded, balance, make_day, make_rich, make_stock
from points.tests.test_threads import at_once, kinds

pytestmark = pytest.mark.django_db
DAY = datetime.date(2025, 6, 10)


@pytest.fixture
def office():
    return make_user(role=Role.OFFICE_STAFF)


def account(person) -> Account:
    return Account.objects.get(retiree=person)


@pytest.mark.parametrize(("kind", "why"), [("deceased", "去世"), ("moved_away", "转出")])
def test_points_are_frozen_with_the_departure(office, kind, why):
    person = make_rich(9)
    depart(retiree=person, kind=kind, on=DAY, by=office)
    assert account(person).frozen_why == why
    with pytest.raises(ledger.FrozenError):
        ledger.spend(key="s:1", retiree=person, cycle=account(person).cycle, amount=1, by=office)
    assert balance(person) == 9


def test_a_departure_that_is_refused_freezes_nothing(office):
    person = make_rich(9)
    with pytest.raises(ledger.RefusedError):
        depart(retiree=person, kind="deceased", on=datetime.date(2199, 1, 1), by=office)
    assert account(person).frozen_at is None


def test_who_comes_back_spends_again(office):
    person = make_rich(9)
    depart(retiree=person, kind="moved_away", on=DAY, by=office)
    come_back(retiree=person, on=DAY + datetime.timedelta(days=9), by=office, reason="回来住")
    assert account(person).frozen_at is None


def test_a_mistake_taken_back_opens_the_account(office):
    person = make_rich(9)
    depart(retiree=person, kind="deceased", on=DAY, by=office)
    take_back(retiree=person, by=office, reason="登记错了人")
    assert account(person).frozen_at is None


def test_a_death_taken_back_leaves_who_had_moved_away_frozen(office):
    person = make_rich(9)
    depart(retiree=person, kind="moved_away", on=DAY, by=office)
    depart(retiree=person, kind="deceased", on=DAY + datetime.timedelta(days=9), by=office)
    take_back(retiree=person, by=office, reason="登记错了人")
    assert account(person).frozen_why == "转出"


# ---- reservations --------------------------------------------------------------------------------


@pytest.fixture
def today():
    """The tenth of June, on which everybody here dies."""
    with time_machine.travel("2025-06-10 10:00 +0800", tick=False):
        yield DAY


def reserved(person, by, in_days: int) -> Redemption:
    stock = make_stock(
        make_day(DAY + datetime.timedelta(days=in_days)), f"牙刷{in_days}", 5, brought=1
    )
    return redemption.reserve(
        key=uuid.uuid4(), day=stock.day, retiree=person, basket={stock.pk: 1}, by=by
    )


def state(one: Redemption) -> str:
    return Redemption.objects.get(pk=one.pk).state


def test_reservations_of_later_days_are_cancelled_with_the_departure(office, today):
    person, other = make_rich(30), make_rich(30)
    coming, same_day, of_other = (
        reserved(person, office, 8), reserved(person, office, 0), reserved(other, office, 9)
    )  # fmt: skip
    by = make_user(role=Role.OFFICE_STAFF)
    ends = depart(retiree=person, kind="deceased", on=DAY, by=by)
    assert (ends.reservations, ends.kept_reservations) == ([coming], [same_day])
    assert [state(one) for one in (coming, same_day, of_other)] == [
        "cancelled", "reserved", "reserved",
    ]  # fmt: skip
    coming.refresh_from_db()
    assert coming.ended_by == by
    back = Transfer.objects.get(kind="refund")
    assert (back.posted_by, back.memo, back.amount) == (by, "去世，预约取消", 5)
    assert balance(person) == 25
    assert account(person).frozen_why == "去世"
    assert coming.lines.get().stock.left == 1
    assert "2025年6月18日的兑换预约已取消" in Announcement.objects.latest("pk").text
    assert audit().is_clean


def test_what_was_collected_on_the_day_stays(office, today):
    person = make_rich(30)
    taken = redemption.collect(redemption=reserved(person, office, 0), by=office)
    ends = depart(retiree=person, kind="deceased", on=DAY, by=office)
    assert ends.later == []
    assert (state(taken), balance(person)) == ("collected", 25)


def test_a_reservation_does_not_come_back_and_is_named(office, today):
    person = make_rich(30)
    one = reserved(person, office, 8)
    depart(retiree=person, kind="deceased", on=DAY, by=office)
    lost = take_back(retiree=person, by=office, reason="登记错了人")
    assert "2025年6月18日的兑换预约（牙刷8 1 份）" in lost
    assert (state(one), balance(person)) == ("cancelled", 30)


def test_the_page_says_what_becomes_of_points_and_reservations(client, office, today):
    person = make_rich(30)
    reserved(person, office, 8)
    client.force_login(office)
    address, filled = f"/departures/{person.pk}/", {"kind": "deceased", "on": "2025-06-10"}
    page = client.get(address, filled).content.decode()
    assert "2025 年的积分账户冻结（25 分）" in page
    assert "兑换预约取消，5 分退回账户（2025年6月18日：牙刷8 1 份）" in page
    page = client.post(address, filled | {"shown": "deceased 2025-06-10"}, follow=True)
    assert "兑换预约已取消，积分退回账户（2025年6月18日：牙刷8 1 份）" in page.content.decode()
    assert "已取消的兑换预约不恢复" in client.get(address).content.decode()


def test_points_and_redemptions_after_the_day_have_to_be_looked_at(office, today):
    person = make_rich(30)
    day = DAY - datetime.timedelta(days=9)
    awarded(person, 3, on=day + datetime.timedelta(days=1))
    ledger.reverse(source=awarded(person, 3, on=DAY).source, by=office)
    redemption.collect(redemption=reserved(person, office, 0), by=office)
    later = what_follows(retiree=person, kind="deceased", on=day).later
    assert later == ["2025年6月2日 积分：测试规则", "2025年6月10日 领取兑换物品：牙刷0 1 份"]
    with pytest.raises(departures.DepartureRefusedError, match="领取兑换物品"):
        depart(retiree=person, kind="deceased", on=day, by=office)
    depart(retiree=person, kind="deceased", on=day, by=office, is_checked=True)


def both(monkeypatch, office) -> str:
    """The reservation has spent the points when the departure begins; its state in the end."""
    spent, spend = threading.Event(), ledger.spend
    person = make_rich(30)
    stock = make_stock(make_day(DAY + datetime.timedelta(days=9)), "大米", 5, brought=1)

    def spends(**fields):
        number = spend(**fields)
        spent.set()
        wait_until(somebody_waits, 5)
        return number

    def departs():
        spent.wait(10)
        depart(retiree=person, kind="deceased", on=DAY, by=office)

    monkeypatch.setattr(ledger, "spend", spends)
    wanted = {"day": stock.day, "retiree": person, "basket": {stock.pk: 1}, "by": office}
    found = at_once(lambda: redemption.reserve(key=uuid.uuid4(), **wanted), departs)
    assert kinds(found) == []
    assert account(person).frozen_at is not None
    return Redemption.objects.get().state


@pytest.mark.django_db(transaction=True)
def test_no_reservation_slips_in_beside_a_departure(monkeypatch, office):
    with time_machine.travel("2025-06-10 10:00 +0800"):
        assert both(monkeypatch, office) == "cancelled"


@pytest.mark.django_db(transaction=True)
def test_without_holding_the_days_one_slips_in(monkeypatch, office):
    """Negative control."""
    monkeypatch.setattr(redemption, "_hold_days_after", lambda on: None)
    with time_machine.travel("2025-06-10 10:00 +0800"):
        assert both(monkeypatch, office) == "reserved"
