"""What comes back from the counter pays first what its person owes."""

import pytest

from cadres.tests.make import make_retiree
from points import audit, ledger
from points.models import Shortfall, Transfer
from points.tests.make import DAY, balance, make_cycle

pytestmark = pytest.mark.django_db


@pytest.fixture
def cycle():
    return make_cycle()


@pytest.fixture
def person(cycle):
    """Has spent all of an award that turns out to be wrong."""
    retiree = make_retiree()
    ledger.award(source="x:1", retiree=retiree, code="study_meeting", on=DAY, by=None)
    ledger.spend(key="rice", retiree=retiree, cycle=cycle, amount=2, by=None)
    ledger.reverse(source="x:1", by=None)
    return retiree


def test_what_was_reserved_before_a_correction_is_not_kept_by_cancelling(person):
    assert Shortfall.objects.get().left == 2
    ledger.refund(key="rice", by=None)
    assert balance(person) == 0
    assert Shortfall.objects.get().left == 0
    assert [t.kind for t in Transfer.objects.order_by("-id")[:2]] == ["deduct", "refund"]
    assert not audit.audit().findings


def test_given_back_twice_it_pays_once(person):
    first = ledger.refund(key="rice", by=None)
    assert ledger.refund(key="rice", by=None) == first
    assert Transfer.objects.filter(kind="deduct").count() == 1


def test_no_more_is_taken_than_comes_back(person, cycle):
    ledger.award(source="x:2", retiree=person, code="study_meeting", on=DAY, by=None)
    assert (balance(person), Shortfall.objects.get().left) == (0, 0)
    ledger.refund(key="rice", by=None)
    assert balance(person) == 2


def test_a_frozen_account_keeps_it_for_the_ruling(person):
    ledger.freeze(retiree=person, why="去世")
    ledger.refund(key="rice", by=None)
    assert balance(person) == 2
    assert Shortfall.objects.get().left == 2
