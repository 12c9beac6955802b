"""Corrections that come late, twice or from the side: each of these went wrong once."""

import datetime

import pytest
import time_machine
from django.db import connection

from cadres.roles import Role
from cadres.tests.make import make_retiree, make_user
from points import actions, ledger
from points.audit import audit
from points.models import Account, Cycle, CycleStatus, Posting, Shortfall, Transfer
from points.tests.make import DAY, awarded, balance, make_cycle, make_rule, published

pytestmark = pytest.mark.django_db
OLD = datetime.date(2024, 12, 30)
IN_JANUARY, IN_MARCH, IN_JULY = "2025-01-05 10:00 +0800", "2025-03-05 10:00 +0800", "2025-07-01"


@pytest.fixture
def person():
    return make_retiree()


@pytest.fixture
def staff():
    return make_user(role=Role.OFFICE_STAFF)


@pytest.fixture
def head():
    return make_user(role=Role.OFFICE_HEAD)


@pytest.fixture
def years():
    """2024 may be redeemed until the end of January 2025; rules for both years."""
    make_rule("one", points=1)
    make_rule("fine", direction="deduct", points=10)
    return make_cycle(2024, redeem_until=datetime.date(2025, 1, 31)), make_cycle(2025)


@pytest.fixture(autouse=True)
def the_books_are_right():
    yield
    assert audit().findings == []


def give(person, points, on=DAY, source="", by=None):
    return ledger.award(
        source=source or f"give:{on}:{points}", retiree=person, code="one", on=on, by=by,
        units=points,
    )  # fmt: skip


def fine(person, on=DAY, source="d:1", by=None):
    return ledger.deduct(source=source, retiree=person, code="fine", on=on, by=by)


def test_an_award_taken_back_while_it_waited_is_owed_anew_as_it_is_sent(years, person, staff, head):
    give(person, 1)
    ledger.freeze(retiree=person, why="核实")
    give(person, 3, source="late", by=staff)
    assert ledger.reverse(source="late", by=staff) == "reversed"
    ledger.unfreeze(retiree=person)
    assert give(person, 5, source="late", by=head).posted == 5
    assert Posting.objects.get(source="late").sent_by == head


def test_a_deduction_that_proves_wrong_too_late_is_given_back_not_taken_twice(
    years, person, staff, head
):
    with time_machine.travel(IN_JANUARY):
        give(person, 12, on=OLD)
        fine(person, on=OLD)
    with time_machine.travel(IN_JULY):
        assert ledger.reverse(source="d:1", by=staff) == "waiting"
        with pytest.raises(ledger.SecondPersonError):
            ledger.supplement(posting=Posting.objects.get(source="d:1"), by=staff)
        for _ in range(2):
            ledger.supplement(posting=Posting.objects.get(source="d:1"), by=head, reason="错记")
    assert (balance(person, 2024), balance(person, 2025)) == (2, 10)
    assert not Shortfall.objects.exists()
    transfer = Transfer.objects.get(cycle__year=2025)
    assert (transfer.posted_by, transfer.approved_by) == (staff, head)


def test_what_a_later_year_paid_for_a_wrong_deduction_goes_home_each_to_its_year(
    years, person, staff, head
):
    with time_machine.travel(IN_JANUARY):
        give(person, 4, on=OLD)
        fine(person, on=OLD)  # 4 taken, 6 owed
    with time_machine.travel(IN_MARCH):
        give(person, 5)  # pays 5, 1 is left
        assert ledger.reverse(source="d:1", by=staff) == "waiting"
        ledger.supplement(posting=Posting.objects.get(source="d:1"), by=head)
    assert (balance(person, 2024), balance(person, 2025)) == (0, 9)
    owed = Shortfall.objects.get()
    assert (owed.left, owed.cancelled) == (0, 6)


def test_a_deduction_partly_paid_in_a_year_that_is_over_waits_as_well(years, person, staff, head):
    with time_machine.travel("2025-01-10 10:00 +0800"):
        fine(person, on=datetime.date(2025, 1, 9))  # of 2025: nothing there, 10 owed
        give(person, 4, on=OLD)  # of 2024: pays 4
    with time_machine.travel(IN_JULY):
        assert ledger.reverse(source="d:1", by=staff) == "waiting"
        ledger.supplement(posting=Posting.objects.get(source="d:1"), by=head)
    assert (balance(person, 2024), balance(person, 2025)) == (0, 4)
    owed = Shortfall.objects.get()
    assert (owed.left, owed.cancelled) == (0, 6)


def test_a_deduction_given_back_and_made_again_gives_back_only_its_own(years, person, staff, head):
    with time_machine.travel(IN_JANUARY):
        fine(person, on=OLD)
    with time_machine.travel(IN_MARCH):
        give(person, 10)  # pays all 10
        ledger.reverse(source="d:1", by=staff)
        ledger.supplement(posting=Posting.objects.get(source="d:1"), by=head)
        assert balance(person) == 10
        fine(person, by=head)  # the same source again, decided by the one who sends it now
        assert balance(person) == 0
        ledger.reverse(source="d:1", by=staff)
    assert balance(person) == 10


def test_a_source_that_earned_and_then_cost_forgets_only_what_it_cost(years, person):
    give(person, 2, source="x:1")
    ledger.spend(key="s:1", retiree=person, cycle=years[1], amount=2, by=None)
    ledger.reverse(source="x:1", by=None)  # 2 owed
    fine(person, source="x:1")  # 10 owed
    ledger.reverse(source="x:1", by=None)  # these 10 are owed no more
    assert [s.left for s in Shortfall.objects.order_by("pk")] == [2, 0]
    give(person, 2, source="x:1")
    assert balance(person) == 0


def test_a_late_reversal_takes_no_more_than_it_says(years, person, staff, head):
    old, new = years
    with time_machine.travel(IN_JANUARY):
        give(person, 1, on=OLD, source="old:1")
    with time_machine.travel(IN_MARCH):
        Cycle.objects.filter(pk=old.pk).update(carry_percent=100)
        ledger.close(cycle=published(Cycle.objects.get(pk=old.pk)), by=None)  # 1 is carried over
        give(person, 9)
        ledger.spend(key="s:1", retiree=person, cycle=new, amount=10, by=None)
        fine(person)  # 10 owed
        asked = actions.ask_adjustment(
            retiree=person, cycle=new, amount=10, reason="补发", by=staff
        )
        actions.decide_adjustment(adjustment=asked, agreed=True, by=head)  # whole: it pays nothing
        ledger.reverse(source="old:1", by=staff)
        ledger.supplement(posting=Posting.objects.get(source="old:1"), by=head)
    assert balance(person) == 9


def test_a_deduction_sent_again_is_no_refusal_once_its_year_is_over(years, person, staff):
    with time_machine.travel(IN_JANUARY):
        fine(person, on=OLD)
    with time_machine.travel(IN_JULY):
        ledger.reverse(source="d:1", by=staff)
        assert not fine(person, on=OLD).is_reversal_waiting


def test_nothing_moves_in_a_year_that_has_not_begun(person, staff, head):
    with time_machine.travel("2025-12-01 10:00 +0800"):
        following = make_cycle(2026)
        asked = actions.ask_adjustment(
            retiree=person, cycle=following, amount=5, reason="预发", by=staff
        )
        with pytest.raises(ledger.CycleClosedError):
            actions.decide_adjustment(adjustment=asked, agreed=True, by=head)


def test_nothing_comes_back_between_two_batches_of_the_years_end(person):
    cycle = make_cycle(2025, redeem_until=datetime.date(2026, 1, 31), carry_percent=50, carry_cap=7)
    with time_machine.travel("2025-12-01 10:00 +0800"):
        awarded(person, 20)
        ledger.spend(key="s:1", retiree=person, cycle=cycle, amount=4, by=None)
    with time_machine.travel("2026-02-01 10:00 +0800"):
        published(cycle)
        following = ledger.open_cycle(year=2026)
        first = "SELECT points_close(%s, %s, 0, 99999, '2026-02-01', '2026-02-01', now(), NULL)"
        with connection.cursor() as cursor:
            cursor.execute(first, [cycle.pk, following.pk])
        with pytest.raises(ledger.CycleClosedError):
            ledger.refund(key="s:1", by=None)
        assert ledger.close(cycle=cycle, by=None).status == CycleStatus.CLOSED
    assert (balance(person, 2025), balance(person, 2026)) == (0, 7)


@pytest.mark.parametrize("table", ["points_cycle", "points_account", "points_transfer"])
def test_a_temporary_table_does_not_pass_itself_off_as_the_books(table, person):
    cycle = make_cycle()
    awarded(person, 5)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE {table} AS SELECT * FROM public.{table}")
        if table == "points_account":
            cursor.execute("UPDATE pg_temp.points_account SET balance = 1000 WHERE balance > 0")
    with pytest.raises(ledger.InsufficientPointsError):
        ledger.spend(key="s:1", retiree=person, cycle=cycle, amount=6, by=None)
    ledger.spend(key="s:2", retiree=person, cycle=cycle, amount=5, by=None)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE pg_temp.{table}")
    assert Account.objects.get(retiree=person).balance == 0
