"""A worker killed at any moment: nothing half done is seen, and it ends as if nothing had been."""

import contextlib
import datetime
import random
import threading
import time
from pathlib import Path

import pytest
from django.core.files import File
from django.db import connection, transaction

from branches.models import ImportBatch, ImportState, Membership, StagedRow
from branches.roster import accept_upload, confirm, write
from branches.tests.make import DAY, staged, written
from cadres import jobs
from cadres.jobs import JobState
from cadres.models import ClassChange, Job, Residence, Retiree
from cadres.tests.make import make_user
from cadres.tests.workbooks import people, person, roster_of
from cadres.tests.worker import purge, wait_until
from fengjie_cadres import demo

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
AT_ONCE = datetime.timedelta(0)


def facts() -> dict[str, list]:
    """All that an import writes, without keys and instants."""
    who = "retiree__id_number"
    retiree = [
        f.name for f in Retiree._meta.fields if f.name not in ("id", "created_at", "updated_at")
    ]
    return {
        "people": list(Retiree.objects.order_by("id_number").values_list(*retiree)),
        "homes": sorted(
            Residence.objects.values_list(who, "township", "address", "since", "until")
        ),
        "classes": sorted(ClassChange.objects.values_list(who, "activity_class", "effective_from")),
        "relations": sorted(Membership.objects.values_list(who, "kind", "branch", "since")),
    }


@contextlib.contextmanager
def table_held(table: str):
    """Whoever writes into the table waits inside its transaction."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield


def waits_for(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation"
            " WHERE NOT l.granted AND c.relname = %s",
            [table],
        )
        return cursor.fetchone()[0] > 0


def elsewhere(work):
    """Runs it on a connection of its own: not in the transaction that holds the table."""
    found = []

    def run():
        found.append(work())
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


def is_done(batch: ImportBatch) -> bool:
    return ImportBatch.objects.select_related("job").get(pk=batch.pk).job.is_finished


def swept_until_done(batch: ImportBatch) -> Job:
    """The batch's last job, once it is done; what was killed is woken again, as beat does it."""

    def done() -> bool:
        if not is_done(batch):
            jobs.sweep(AT_ONCE)
            time.sleep(0.3)
        return is_done(batch)

    assert wait_until(done, 40)
    return ImportBatch.objects.get(pk=batch.pk).job


@pytest.fixture
def undisturbed():
    """What the county's roster comes to when nobody disturbs it."""
    batch = written(Path(demo.ROSTER).read_bytes())
    found = facts()
    Membership.objects.all().delete()
    Residence.objects.all().delete()
    ClassChange.objects.all().delete()
    Retiree.objects.all().delete()
    assert batch.created == 1878
    return found


def county(by) -> ImportBatch:
    with open(demo.ROSTER, "rb") as file:
        return accept_upload(file=File(file, name="名册.xlsx"), by=by, effective_on=DAY)


@pytest.mark.parametrize(
    "table", ["cadres_retiree", "cadres_classchange", "cadres_residence", "branches_membership"]
)
def test_worker_killed_in_the_middle_of_writing(make_worker, undisturbed, table):
    batch, user = staged(Path(demo.ROSTER).read_bytes()), make_user()
    first = make_worker()
    with table_held(table):
        elsewhere(lambda: confirm(batch=batch, by=user))
        assert wait_until(lambda: waits_for(table))
        first.kill()
    assert wait_until(lambda: not waits_for(table))
    assert not Retiree.objects.exists()
    assert ImportBatch.objects.get(pk=batch.pk).state == ImportState.STAGED
    make_worker()
    assert swept_until_done(batch).state == JobState.DONE
    assert facts() == undisturbed


def test_worker_killed_in_the_middle_of_staging(make_worker, undisturbed):
    first, user = make_worker(), make_user()
    with table_held("branches_stagedrow"):
        batch = elsewhere(lambda: county(user))
        assert wait_until(lambda: waits_for("branches_stagedrow"))
        first.kill()
    assert wait_until(lambda: not waits_for("branches_stagedrow"))
    assert not StagedRow.objects.filter(batch=batch).exists()
    assert ImportBatch.objects.get(pk=batch.pk).state == ImportState.UPLOADED
    make_worker()
    assert swept_until_done(batch).state == JobState.DONE
    assert StagedRow.objects.filter(batch=batch, verdict="created").count() == 1878
    write(batch=batch, by=None)
    assert facts() == undisturbed


@pytest.mark.parametrize("seed", range(2))
def test_worker_killed_at_random_instants(make_worker, undisturbed, seed):
    chance, user = random.Random(seed), make_user()
    batch = county(user)
    for step in ("read", "write"):
        if step == "write":
            confirm(batch=batch, by=user)
        for _ in range(2):
            process = make_worker()
            jobs.sweep(AT_ONCE)
            time.sleep(chance.uniform(0, 0.8))
            process.kill()
            assert Retiree.objects.count() in (0, 1878)
            assert StagedRow.objects.count() in (0, 1878, 3756)
        process = make_worker()
        assert swept_until_done(batch).state == JobState.DONE
        process.kill()
    assert facts() == undisturbed
    assert Job.objects.filter(state=JobState.DONE).count() == 2


def has_failed(batch) -> bool:
    return Job.objects.get(pk=batch.job_id).state == JobState.FAILED


def test_worker_that_is_killed_every_time_is_given_up_and_told(make_worker):
    batch, user = staged(roster_of(*people(5))), make_user()
    for _ in range(jobs.MAX_ATTEMPTS):
        process = make_worker()
        with table_held("cadres_classchange"):
            if batch.job_id is None:
                elsewhere(lambda: confirm(batch=batch, by=user))
                batch.refresh_from_db()
            else:
                elsewhere(lambda: jobs.sweep(AT_ONCE))
            assert wait_until(lambda: waits_for("cadres_classchange"))
            process.kill()
        assert wait_until(lambda: not waits_for("cadres_classchange"))
    # The lock of the killed worker's connection may outlive it for a moment.
    assert wait_until(lambda: jobs.sweep(AT_ONCE) == 0 and has_failed(batch))
    assert Job.objects.get(pk=batch.job_id).words == "系统没有办成这件事，请联系管理员。"
    assert not Retiree.objects.exists()


def test_message_that_the_broker_lost_is_sent_again(make_worker, queue):
    batch, user = staged(roster_of(person(0))), make_user()
    batch = confirm(batch=batch, by=user)
    assert purge(queue) == 1
    assert Job.objects.get(pk=batch.job_id).state == JobState.QUEUED
    make_worker()
    assert swept_until_done(batch).state == JobState.DONE
    assert Retiree.objects.count() == 1
