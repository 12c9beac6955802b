"""A worker killed at any point of a rollover: taken up again it ends as if nothing had been."""

import contextlib
import datetime
import threading
import time

import pytest
import time_machine
from django.db import connection, transaction

from cadres import jobs
from cadres.models import Job
from cadres.tests.locks import somebody_waits, somebody_works
from cadres.tests.make import make_retiree, make_user
from cadres.tests.worker import purge, wait_until
from points import ledger, rollover
from points.audit import audit
from points.models import Account, Cycle, Posting, Rollover, Transfer
from points.tests import books
from points.tests.make import awarded, make_cycle

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
AT_ONCE = datetime.timedelta(0)
PEOPLE, BATCH = 60, 4
DAY = datetime.date(2020, 3, 1)
#: The account in whose batch the worker is killed; before the first batch; before closing.
ACCOUNTS = [0, 1, 4, 7, 9, 13, 18, 20, 23, 27, 31, 34, 38, 41, 46, 50, 55, 59]
POINTS = [*ACCOUNTS, "first", "closing"]


@pytest.fixture
def head():
    return make_user(username="head", name="李局长")


def year_is_over(head) -> Cycle:
    """A year of points, over and published for longer than a notice stands."""
    until = datetime.date(2021, 1, 31)
    cycle = make_cycle(2020, redeem_until=until, carry_percent=30, carry_cap=7)
    people = [make_retiree(name=f"甲{n:02d}") for n in range(PEOPLE)]
    with time_machine.travel("2020-12-01 10:00 +0800"):
        for place, person in enumerate(people):
            awarded(person, 1 + place % 40, on=DAY, by=head)
            if place % 7 == 3:  # nobody spends all: at an empty account nobody waits
                ledger.spend(key=f"s:{place}", retiree=person, cycle=cycle, amount=1, by=head)
    with time_machine.travel("2021-02-01 10:00 +0800"):
        rollover.publish(cycle=cycle, homes={}, by=head)
    return Cycle.objects.get(pk=cycle.pk)


def rows() -> dict[str, list]:
    """Every row that a rollover may touch, all columns but keys of rows and instants."""
    left = {"id", "posted_at", "published_at", "frozen_at", "started_at", "decided_at"}
    owners = {a.pk: (a.cycle.year, a.kind, str(a.retiree)) for a in _accounts()}
    keys = dict(Transfer.objects.values_list("pk", "key"))

    def told(row, field):
        value = getattr(row, field.attname)
        if field.name in ("from_account", "to_account", "account"):
            return owners.get(value)
        if field.name == "key":
            return _without_number(value, owners)
        if field.name in ("transfer", "reverses"):
            return _without_number(keys.get(value) or "", owners)
        if field.name == "source":
            return ""
        if field.is_relation:
            return str(getattr(row, field.name))
        return value

    found = {}
    for model in (Account, Transfer, Posting, Cycle, Rollover):
        skipped = left | ({"job", "posting"} if model in (Rollover, Transfer) else set())
        fields = [f for f in model._meta.concrete_fields if f.name not in skipped]
        found[model.__name__] = sorted(
            repr([(f.name, told(row, f)) for f in fields]) for row in model.objects.all()
        )
    return found


def _accounts():
    return Account.objects.select_related("cycle", "retiree")


def _without_number(key: str, owners: dict) -> str:
    """`expire:17#1` names an account by its number: its owner instead."""
    what, _, number = key.partition(":")
    if what in ("expire", "carry-in", "carry-out"):
        return f"{what}:{owners[int(number.split('#')[0])]}"
    return what


def start(cycle, head) -> Job:
    """From a connection of its own: not in the transaction that holds something."""
    found = []

    def run():
        found.append(rollover.start(cycle=cycle, by=head))
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


@contextlib.contextmanager
def held(cycle: Cycle, point):
    """Whoever comes to the point waits there."""
    with transaction.atomic(), connection.cursor() as cursor:
        if point == "first":
            cursor.execute("SELECT pg_advisory_xact_lock_shared(20181880, %s)", [cycle.pk])
        elif point == "closing":
            cursor.execute("SELECT FROM points_cycle WHERE id = %s FOR KEY SHARE", [cycle.pk])
            cursor.execute("SELECT FROM points_cycle WHERE id = %s FOR NO KEY UPDATE", [cycle.pk])
        else:
            accounts = cycle.accounts.of_members().order_by("pk").values_list("pk", flat=True)
            pk = list(accounts)[point]
            cursor.execute("SELECT FROM points_account WHERE id = %s FOR UPDATE", [pk])
        yield


def done(job: Job) -> bool:
    """Whether the job has ended; what was killed is woken again, as beat does it."""
    if Job.objects.get(pk=job.pk).is_finished:
        return True
    jobs.sweep(AT_ONCE)
    time.sleep(0.3)
    return False


_calm: dict[str, list] = {}


def undisturbed(head) -> dict[str, list]:
    """What it comes to when nobody disturbs it; once for all tests, then the tables are empty."""
    if not _calm:
        cycle = year_is_over(head)
        rollover.post_job(rollover.start(cycle=cycle, by=head))
        _calm.update(rows())
        assert len(_calm["Transfer"]) > 3 * PEOPLE
    return _calm


@pytest.fixture(scope="module")
def calm(django_db_setup, django_db_blocker):
    """Rolled back: every test begins with empty tables."""
    with django_db_blocker.unblock(), transaction.atomic():
        found = undisturbed(make_user(username="head", name="李局长"))
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize("point", POINTS)
def test_worker_killed_in_the_middle_of_a_rollover(calm, make_worker, head, point):
    cycle = year_is_over(head)
    first = make_worker(POINTS_BATCH=str(BATCH))
    if point in ("first", "closing"):
        job = started_and_killed_at_the_edge(cycle, head, first, point)
    else:
        with held(cycle, point):
            job = start(cycle, head)
            assert wait_until(somebody_waits)
            first.kill()
    assert wait_until(lambda: not somebody_works())
    assert audit().findings == []
    assert Cycle.objects.get(pk=cycle.pk).status == "closing"
    if point not in ("first", "closing"):
        # A batch is one statement and a transaction of its own: the server ends the one it was
        # doing for the killed worker, and nobody sends the next.
        accounts = cycle.accounts.of_members().order_by("pk")
        balances = list(accounts.values_list("balance", flat=True))
        emptied = balances.count(0)
        assert point < emptied <= point + BATCH
        assert not any(balances[:emptied])
        assert Job.objects.get(pk=job.pk).done <= point
    make_worker(POINTS_BATCH=str(BATCH))
    assert wait_until(lambda: done(job), 60)
    assert Job.objects.get(pk=job.pk).state == "done"
    assert rows() == calm
    assert audit().findings == []
    before = books.checksum()
    assert rollover.start(cycle=cycle, by=make_user()) == job
    rollover.post_job(job)
    assert books.checksum() == before


def started_and_killed_at_the_edge(cycle, head, worker, point) -> Job:
    """Starting takes the same locks: the worker sleeps until they are ours."""
    worker.pause()
    job = start(cycle, head)
    if point == "closing":
        rollover_emptied(cycle, head)
    with held(cycle, point):
        worker.process.send_signal(18)  # goes on
        jobs.wake(job.pk, job.kind)
        assert wait_until(somebody_waits)
        worker.kill()
    return job


def rollover_emptied(cycle, head) -> None:
    """All batches are booked; only the closing is left, as of a worker killed just before it."""
    following = ledger.open_cycle(year=cycle.year + 1)
    on = Rollover.objects.get(cycle=cycle).posted_on
    last = 0
    while last is not None:
        last, _ = ledger._close_some(cycle, following, last, BATCH, on, head)


def test_the_comparison_sees_a_row_that_differs(calm, head):
    """The negative control of `rows`: another day, another amount, another name are seen."""
    cycle = year_is_over(head)
    with time_machine.travel("2021-03-01 10:00 +0800"):
        job = rollover.start(cycle=cycle, by=make_user(name="别人"))
        rollover.post_job(job)
    assert rows() != calm
    assert rows()["Posting"] == calm["Posting"]
    assert rows()["Account"] == calm["Account"]


def test_a_rollover_whose_message_was_lost_is_taken_up(calm, make_worker, head, queue):
    cycle = year_is_over(head)
    job = rollover.start(cycle=cycle, by=head)
    assert purge(queue) == 1
    assert Job.objects.get(pk=job.pk).state == "queued"
    make_worker(POINTS_BATCH=str(BATCH))
    assert wait_until(lambda: done(job), 60)
    assert rows() == calm
