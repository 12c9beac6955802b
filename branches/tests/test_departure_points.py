"""Who leaves the roster has the points frozen with it, and gets them back on the two ways back."""

import datetime

import pytest

from branches.departures import come_back, depart, take_back
from cadres.roles import Role
from cadres.tests.make import make_user
from points import ledger
from points.models import Account
from points.tests.make import balance, make_rich

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
