"""Many at once on a real database: points are made, lost and spent once. Each with its negative
control: without the guard the same assertion fails."""

import contextlib
import datetime
import re
import threading
import time

import pytest
import time_machine
from django.db import OperationalError, connection, transaction

from cadres.models import Job
from cadres.tests.make import make_retiree, make_user
from conftest import as_owner
from points import ledger, rollover
from points.audit import audit
from points.models import Cycle, Posting, Transfer
from points.tests.make import DAY, awarded, balance, make_cycle, make_rule, published

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 16


def at_once(*works) -> list:
    """Runs each in a thread with a connection of its own; what they returned or raised."""
    results: list = [None] * len(works)
    gate = threading.Barrier(len(works))

    def run(place: int, work) -> None:
        try:
            connection.ensure_connection()
            gate.wait(30)
            results[place] = work()
        except Exception as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    return results


# ---- guards taken away -------------------------------------------------------------------------


def source_of(function: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef(%s::regproc)", [function])
        return cursor.fetchone()[0]


@contextlib.contextmanager
def without(*edits: tuple[str, str, str]):
    """The functions stand in the database with a guard cut out: (function, what, instead)."""
    originals = {function: source_of(function) for function, _, _ in edits}
    changed = dict(originals)
    for function, what, instead in edits:
        assert re.search(what, changed[function]), f"{function} has no {what}"
        changed[function] = re.sub(what, instead, changed[function])
    _put(changed.values())
    try:
        yield
    finally:
        _put(originals.values())


def _put(functions) -> None:
    with as_owner(), connection.cursor() as cursor:
        for function in functions:
            cursor.execute(function)


#: A while in which another one may come in between.
SLEEP = "pg_advisory_xact_lock_shared(7), pg_sleep(0.4)"
NAP = f"PERFORM {SLEEP};"
NO_MEMBER_LOCK = ("points_member", "FOR NO KEY UPDATE", "")
SLOW_SPEND = ("points_spend", r"RETURN points_write\(", NAP + " RETURN points_write(")


def until_somebody_sleeps() -> None:
    """In the database: in a function slowed down, or holding a lock."""
    with connection.cursor() as cursor:
        for _ in range(200):
            cursor.execute(
                "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
                " WHERE locktype = 'advisory' AND objid = 7 AND datname = current_database()"
            )
            if cursor.fetchone()[0]:
                return
            time.sleep(0.02)
    raise TimeoutError


def kinds(results: list) -> list[str]:
    return sorted({type(result).__name__ for result in results if isinstance(result, Exception)})


@pytest.fixture
def cycle():
    return make_cycle()


@pytest.fixture
def person():
    return make_retiree()


# ---- one source, one cap, one balance, one key -------------------------------------------------


def award_one_source(person) -> None:
    def award():
        ledger.award(source="x:1", retiree=person, code="study_meeting", on=DAY, by=None)

    results = at_once(*[award] * MANY)
    assert kinds(results) == []
    assert balance(person) == 2
    assert Transfer.objects.count() == 1


def test_one_source_from_16_threads_posts_once(cycle, person):
    award_one_source(person)
    assert audit().findings == []


def test_control_without_the_unique_key_and_the_locks_it_posts_more_than_once(cycle, person):
    no_locks = ("points_award_known", r"FOR NO KEY UPDATE OF p", "")
    no_accounts = ("points_hold_members", "FOR NO KEY UPDATE", "")
    slow = ("points_grant", r"WITH todo AS \(", f"SELECT {SLEEP}; WITH todo AS (")
    awarded(person, 1)
    ledger.award(source="x:1", retiree=person, code="study_meeting", on=DAY, by=None)
    ledger.reverse(source="x:1", by=None)  # stands, so that no INSERT makes them wait in line
    with without(no_locks, no_accounts, slow), pytest.raises(AssertionError):
        award_one_source(person)


def fill_one_cap(person) -> None:
    make_rule("capped", points=4, cap_per_cycle=30)

    def award(number):
        ledger.award(source=f"x:{number}", retiree=person, code="capped", on=DAY, by=None)

    results = at_once(*[lambda n=n: award(n) for n in range(MANY)])
    assert kinds(results) == []
    assert balance(person) == 30
    assert sum(Posting.objects.values_list("posted", flat=True)) == 30


def test_one_capped_rule_from_16_threads_never_exceeds_its_cap(cycle, person):
    fill_one_cap(person)
    assert audit().findings == []


@pytest.mark.slow
def test_control_without_the_accounts_lock_the_cap_is_exceeded(cycle, person):
    slow = ("points_award_fresh", "RETURN made;", NAP + " RETURN made;")
    ledger.award(source="w:1", retiree=person, code="study_meeting", on=DAY, by=None)
    ledger.reverse(source="w:1", by=None)  # the account stands
    with (
        without(("points_hold_members", "FOR NO KEY UPDATE", ""), slow),
        pytest.raises(AssertionError),
    ):
        fill_one_cap(person)


def spend_one_balance(cycle, person) -> None:
    awarded(person, 10)

    def spend(number):
        return ledger.spend(key=f"s:{number}", retiree=person, cycle=cycle, amount=10, by=None)

    results = at_once(*[lambda n=n: spend(n) for n in range(MANY)])
    assert kinds(results) == ["InsufficientPointsError"]
    assert Transfer.objects.filter(kind="spend").count() == 1
    assert balance(person) == 0


def test_one_balance_from_16_threads_is_spent_once(cycle, person):
    spend_one_balance(cycle, person)
    assert audit().findings == []


def test_control_without_the_lock_fifteen_run_into_the_balances_check(cycle, person):
    with without(NO_MEMBER_LOCK, SLOW_SPEND), pytest.raises(AssertionError, match="IntegrityError"):
        spend_one_balance(cycle, person)


@contextlib.contextmanager
def without_the_balances_check():
    """A balance may fall below zero."""
    check = "ALTER TABLE points_account %s CONSTRAINT account_never_below_zero"
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(check % "DROP")
    try:
        yield
    finally:
        with as_owner(), connection.cursor() as cursor:
            cursor.execute(check % "ADD" + " CHECK (balance IS NULL OR balance >= 0) NOT VALID")


def test_control_without_the_lock_and_the_check_the_balance_is_spent_sixteen_times(cycle, person):
    with without_the_balances_check():
        with without(NO_MEMBER_LOCK, SLOW_SPEND), pytest.raises(AssertionError):
            spend_one_balance(cycle, person)
        assert Transfer.objects.filter(kind="spend").count() > 1


def spend_one_key(cycle, person) -> None:
    awarded(person, 100)

    def spend():
        return ledger.spend(key="s:1", retiree=person, cycle=cycle, amount=6, by=None)

    results = at_once(*[spend] * MANY)
    assert kinds(results) == []
    assert len(set(results)) == 1
    assert balance(person) == 94


def test_one_key_from_16_threads_spends_once(cycle, person):
    spend_one_key(cycle, person)
    assert audit().findings == []


def test_control_without_the_lock_the_same_key_fails_loudly(cycle, person):
    """Even then the key's own unique constraint keeps it from being spent twice."""
    with without(NO_MEMBER_LOCK, SLOW_SPEND), pytest.raises(AssertionError, match="IntegrityError"):
        spend_one_key(cycle, person)
    assert Transfer.objects.filter(kind="spend").count() == 1


# ---- two that meet -----------------------------------------------------------------------------


def award_and_reverse(person) -> None:
    awarded(person, 10)

    def award():
        ledger.award(source="x:1", retiree=person, code="study_meeting", on=DAY, by=None)

    def reverse():
        ledger.reverse(source="x:1", by=None)

    results = at_once(*[award, reverse] * (MANY // 2))
    assert kinds(results) == []
    state = Posting.objects.get(source="x:1").state
    assert balance(person) == (12 if state == "posted" else 10)


@pytest.mark.parametrize("turn", range(2))
def test_award_and_reverse_of_one_source_at_once_end_in_one_of_two_states(turn, cycle, person):
    award_and_reverse(person)
    assert audit().findings == []


def test_control_without_locks_award_and_reverse_get_into_each_others_way(cycle, person):
    edits = [
        ("points_reverse", "FOR NO KEY UPDATE", ""),
        ("points_reverse", r"IF points_is_award\(p\) THEN", NAP + " IF points_is_award(p) THEN"),
    ]
    ledger.award(source="x:1", retiree=person, code="study_meeting", on=DAY, by=None)
    with without(*edits), pytest.raises(AssertionError):
        award_and_reverse(person)


def cross(people, award) -> None:
    """Two batches over the same people, in opposite order, again and again."""
    causes = [ledger.Cause(f"c:{p.pk}", p.pk, "test_one", DAY) for p in people]

    def batch(prefix, order):
        for turn in range(6):
            award(
                [
                    ledger.Cause(f"{prefix}:{turn}:{c.source}", c.retiree, c.code, c.on)
                    for c in order
                ]
            )

    results = at_once(*[
        lambda n=n: batch(n, causes if n % 2 else causes[::-1]) for n in range(4)
    ])  # fmt: skip
    assert kinds(results) == []
    assert [balance(p) for p in people] == [24] * len(people)


def test_crossed_batches_never_deadlock(cycle):
    make_rule("test_one", points=1)
    cross(
        [make_retiree(name=f"甲{n}") for n in range(5)],
        lambda causes: ledger.award_many(causes=causes, by=None),
    )
    assert audit().findings == []


@pytest.mark.slow
def test_control_locked_in_the_order_they_come_crossed_batches_deadlock(cycle):
    make_rule("test_one", points=1)

    def one_by_one(causes):
        with transaction.atomic():
            for cause in causes:
                ledger.award_many(causes=[cause], by=None)

    with pytest.raises(AssertionError, match=OperationalError.__name__):
        cross([make_retiree(name=f"甲{n}") for n in range(5)], one_by_one)


def test_awards_and_deductions_of_the_same_people_never_deadlock(cycle):
    """Accounts stand in another order than the people: both lock them by the accounts' key."""
    make_rule("fine", direction="deduct", points=1)
    people = [make_retiree(name=f"甲{n}") for n in range(6)]
    for person in reversed(people):
        awarded(person, 50)

    def batch(number, move):
        code = "fine" if move is ledger.deduct_many else "test_one"
        for turn in range(6):
            causes = [ledger.Cause(f"{number}:{turn}:{p.pk}", p.pk, code, DAY) for p in people]
            move(causes=causes, by=None)

    works = [
        lambda n=n: batch(n, ledger.deduct_many if n % 2 else ledger.award_many) for n in range(4)
    ]
    assert kinds(at_once(*works)) == []
    assert [balance(p) for p in people] == [50] * 6
    assert audit().findings == []


def test_a_deduction_given_back_while_an_award_of_another_year_pays_it():
    """The debt is held while it is given back: what was paid for it meanwhile goes back too."""
    give_back_slowly()


def test_control_a_debt_that_is_not_held_is_paid_for_nothing():
    edits = ("points_give_back", r"(?s)PERFORM FROM \(SELECT id FROM points_shortfall.*?held;", "")
    with without(edits), pytest.raises(AssertionError):
        give_back_slowly()


def give_back_slowly() -> None:
    """An award that pays the debt, and is slow to commit, while the deduction is given back."""
    make_cycle(2024)
    make_cycle(2025)
    make_rule("one", points=1)
    make_rule("fine", direction="deduct", points=10)
    person = make_retiree()
    old = datetime.date(2024, 12, 1)
    slow = ("points_pay_shortfalls", r"room := room - part;", "room := room - part; " + NAP)
    ledger.award(source="a:0", retiree=person, code="one", on=DAY, by=None)
    ledger.deduct(source="d:1", retiree=person, code="fine", on=old, by=None)

    def award():
        ledger.award(source="a:1", retiree=person, code="one", on=DAY, by=None, units=4)

    def reverse():
        until_somebody_sleeps()
        ledger.reverse(source="d:1", by=None)

    with without(slow):
        assert kinds(at_once(award, reverse)) == []
    assert (balance(person, 2024), balance(person, 2025)) == (0, 5)
    assert audit().findings == []


def freeze_and_spend(cycle, person) -> None:
    awarded(person, 10)

    def spend():
        until_somebody_sleeps()
        return ledger.spend(key="s:1", retiree=person, cycle=cycle, amount=4, by=None)

    def freeze():
        with transaction.atomic():
            ledger.freeze(retiree=person, why="去世")
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT {SLEEP}")

    assert kinds(at_once(freeze, spend)) == ["FrozenError"]
    assert balance(person) == 10


def test_an_account_that_is_being_frozen_does_not_spend(cycle, person):
    freeze_and_spend(cycle, person)
    assert audit().findings == []


def test_control_without_the_lock_a_frozen_account_spends(cycle, person):
    with without(NO_MEMBER_LOCK), pytest.raises(AssertionError):
        freeze_and_spend(cycle, person)


# ---- a year that is closed while others still award --------------------------------------------


def close_while_awarding(people) -> None:
    cycle = Cycle.objects.get(year=2025)
    year_end = datetime.date(2025, 12, 31)

    def award(number):
        for turn in range(4):
            causes = [
                ledger.Cause(f"{number}:{turn}:{p.pk}", p.pk, "test_one", year_end) for p in people
            ]
            ledger.award_many(causes=causes, by=None)

    def close():
        published(cycle)
        return ledger.close(cycle=cycle, by=None, batch=2)

    with time_machine.travel("2026-02-01 10:00 +0800"):
        results = at_once(close, *[lambda n=n: award(n) for n in range(6)])
    assert kinds(results) == []
    assert Cycle.objects.get(year=2025).status == "closed"
    assert {balance(p, 2025) for p in people} == {0}
    assert {balance(p, 2026) for p in people} == {4}
    assert set(Posting.objects.filter(source__regex=r"^\d:").values_list("state", flat=True)) == {
        "waiting"
    }


def rich_people(count: int) -> list:
    make_cycle(2025, redeem_until=datetime.date(2026, 1, 31), carry_percent=50)
    people = [make_retiree(name=f"甲{n}") for n in range(count)]
    with time_machine.travel("2025-12-01 10:00 +0800"):
        for person in people:
            awarded(person, 9)
    return people


def test_a_year_is_closed_against_awards_and_what_comes_too_late_waits():
    close_while_awarding(rich_people(5))
    assert audit().findings == []


def test_awards_of_new_people_do_not_deadlock_with_the_beginning_of_closing():
    """A new account holds its cycle's row, closing holds it against a change of status."""
    make_rule("one", points=1)
    cycle = make_cycle(2025)
    people = [make_retiree(name=f"甲{n}") for n in range(40)]

    def award(number):
        for person in people[number::4]:
            ledger.award(source=f"n:{person.pk}", retiree=person, code="one", on=DAY, by=None)

    with time_machine.travel("2026-01-05 10:00 +0800"):
        results = at_once(
            lambda: ledger.begin_closing(cycle=cycle), *[lambda n=n: award(n) for n in range(4)]
        )
    assert kinds(results) == []
    assert sum(balance(person) for person in people) == 40


def over(**state) -> None:
    """The year is over, as far as the database is asked."""
    Cycle.objects.filter(year=2025).update(status="closing", **state)


def publish() -> None:
    Cycle.objects.filter(year=2025).update(published_at="2026-02-01 09:00+08:00")


def spend_while_closing(person) -> None:
    """One who has read that the year moves spends only after it was closed."""
    cycle = Cycle.objects.get(year=2025)

    def spend():
        with time_machine.travel("2026-01-31 23:59 +0800"):
            return ledger.spend(key="s:1", retiree=person, cycle=cycle, amount=5, by=None)

    slow = ("points_spend", r"IF account\.frozen_at", NAP + " IF account.frozen_at")
    with without(slow):
        thread = threading.Thread(target=lambda: results.append(_kept(spend)))
        results: list = []
        thread.start()
        until_somebody_sleeps()
        publish()
        following = ledger.open_cycle(year=2026)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT points_close(%s, %s, 0, 9999, '2026-02-01', '2026-02-01', now(), NULL)",
                [cycle.pk, following.pk],
            )
        thread.join()
    assert kinds(results) == []
    assert balance(person, 2025) == 0
    assert Transfer.objects.get(kind="expire").amount == 4


def _kept(work):
    try:
        return work()
    except Exception as error:
        return error
    finally:
        connection.close()


def test_closing_waits_for_who_is_spending():
    person = rich_people(1)[0]
    over(carry_percent=0)
    spend_while_closing(person)
    assert audit().findings == []


def test_control_without_holding_the_cycle_and_the_account_the_closing_is_early():
    person = rich_people(1)[0]
    over(carry_percent=0)
    hold = ("points_spend", r"PERFORM points_hold_cycles\(ARRAY\[a_cycle\]\);", "")
    with without(hold, NO_MEMBER_LOCK), pytest.raises(AssertionError):
        spend_while_closing(person)


def test_an_account_frozen_while_the_year_is_emptied_keeps_its_points():
    person = rich_people(1)[0]
    cycle = Cycle.objects.get(year=2025)
    over()
    publish()

    def freeze():
        with transaction.atomic():
            ledger.freeze(retiree=person, why="去世")
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT {SLEEP}")

    def close():
        until_somebody_sleeps()
        ledger.close(cycle=cycle, by=None)

    with time_machine.travel("2026-02-01 10:00 +0800"):
        assert kinds(at_once(freeze, close)) == ["FrozenError"]
    assert balance(person) == 9


# ---- two heads at once ---------------------------------------------------------------------------


def two_heads_start() -> int:
    """How many jobs come of it."""
    person, cycle = rich_people(1)[0], Cycle.objects.get(year=2025)
    heads = [make_user(name=name) for name in ("甲局长", "乙局长")]
    with time_machine.travel("2026-02-02 10:00 +0800"):
        rollover.publish(cycle=cycle, homes={}, by=heads[0])
    with time_machine.travel("2026-02-10 10:00 +0800"):
        results = at_once(*[lambda by=by: rollover.start(cycle=cycle, by=by) for by in heads])
    assert kinds(results) == []
    assert balance(person) == 9
    return Job.objects.filter(kind="rollover").count()


def test_two_heads_at_once_start_one_job():
    assert two_heads_start() == 1


def test_control_without_holding_the_cycle_two_jobs_are_started(monkeypatch):
    monkeypatch.setattr(rollover, "_locked", lambda cycle: Cycle.objects.get(pk=cycle.pk))
    gate = threading.Barrier(2)
    faults = rollover.faults_of_posting

    def slowly(cycle):
        found = faults(cycle)
        gate.wait(10)
        return found

    monkeypatch.setattr(rollover, "faults_of_posting", slowly)
    assert two_heads_start() == 2
