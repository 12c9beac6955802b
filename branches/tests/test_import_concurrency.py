"""Two at once, on a real database: one effect, and a sentence for the second."""

import sys
import threading
from collections import Counter

import pytest
from django.db import connection, transaction

from branches.models import ImportBatch, ImportState, Membership, StagedRow
from branches.roster import ImportRefusedError, confirm, stage, undo, write
from branches.roster.write import LOCK, judged_again
from branches.tests.make import staged, uploaded, written
from cadres.jobs import RefusedError
from cadres.models import ClassChange, Job, Residence, Retiree
from cadres.tests.make import make_user
from cadres.tests.workbooks import people, person, roster_of
from cadres.tests.worker import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*works) -> list:
    """Runs each in a thread with a connection of its own; what they returned or raised."""
    results: list = [None] * len(works)
    gate = threading.Barrier(len(works))

    def run(place: int, work) -> None:
        gate.wait(10)
        try:
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


def kinds(results: list) -> Counter:
    return Counter(type(result).__name__ for result in results)


@pytest.mark.parametrize("turn", range(3))
def test_confirm_pressed_twice_makes_one_job(turn):
    batch, user = staged(roster_of(*people(3))), make_user()
    found = at_once(*[lambda: confirm(batch=batch, by=user)] * 5)
    assert {result.job_id for result in found} == {Job.objects.get(kind="roster-write").pk}


@pytest.mark.parametrize("turn", range(3))
def test_batch_written_twice_has_one_effect(turn):
    batch = staged(roster_of(*people(40)))
    assert kinds(at_once(*[lambda: write(batch=batch, by=None)] * 4)) == {"ImportBatch": 4}
    assert Retiree.objects.count() == ClassChange.objects.count() == 40
    assert Residence.objects.count() == Membership.objects.filter(kind="served").count() == 40


@pytest.mark.parametrize("turn", range(3))
def test_same_file_twice_at_once_makes_nobody_twice(turn):
    content = roster_of(*people(40))
    batches = [staged(content), staged(content)]
    found = at_once(*[lambda b=b: write(batch=b, by=None) for b in batches])
    assert kinds(found) == {"ImportBatch": 1, "ImportRefusedError": 1}
    (refusal,) = [result for result in found if isinstance(result, RefusedError)]
    assert "请再看一遍预览" in str(refusal)
    assert Retiree.objects.count() == ClassChange.objects.count() == 40


def test_same_file_without_identity_numbers_twice_at_once_makes_nobody_twice():
    """No unique constraint helps here: only the lock and the second judgement do."""
    content = roster_of(*people(40, 身份证号=None))
    batches = [staged(content), staged(content)]
    found = at_once(*[lambda b=b: write(batch=b, by=None) for b in batches])
    assert kinds(found) == {"ImportBatch": 1, "ImportRefusedError": 1}
    assert Retiree.objects.count() == 40


def test_same_file_twice_without_the_second_judgement_makes_people_twice(monkeypatch):
    """Negative control: this is what the judgement under the lock prevents."""
    content = roster_of(*people(4, 身份证号=None))
    batches = [staged(content), staged(content)]
    monkeypatch.setattr(sys.modules["branches.roster.write"], "judge", lambda batch, again: None)
    for batch in batches:
        write(batch=batch, by=None)
    assert Retiree.objects.count() == 8


def test_different_files_that_overlap_end_as_one_after_the_other():
    first = staged(roster_of(*people(30)))
    second = staged(roster_of(*people(60)[20:]))
    found = at_once(*[lambda b=b: write(batch=b, by=None) for b in (first, second)])
    assert kinds(found) == {"ImportBatch": 1, "ImportRefusedError": 1}
    for batch in (first, second):
        batch.refresh_from_db()
        if batch.state == ImportState.STAGED:
            write(batch=judged_again(batch=batch), by=None)
    assert Retiree.objects.count() == 60
    assert Membership.objects.filter(kind="served", until=None).count() == 60


def test_different_people_in_two_files_are_both_written():
    batches = [staged(roster_of(*people(60)[:30])), staged(roster_of(*people(60)[30:]))]
    found = at_once(*[lambda b=b: write(batch=b, by=None) for b in batches])
    assert kinds(found) == {"ImportBatch": 2}
    assert Retiree.objects.count() == 60


def test_same_upload_read_twice_at_once_is_staged_once():
    batch = uploaded(roster_of(*people(40)))
    assert kinds(at_once(*[lambda: stage(batch=batch)] * 3)) == {"ImportBatch": 3}
    assert StagedRow.objects.filter(batch=batch).count() == 40


def test_upload_read_again_after_it_was_confirmed_keeps_the_confirmation():
    """A killed worker's reading is begun again while the user has pressed the button."""
    batch, user = staged(roster_of(*people(3))), make_user()
    stale = ImportBatch.objects.get(pk=batch.pk)
    confirmed = confirm(batch=batch, by=user)
    stage(batch=stale)
    batch.refresh_from_db()
    assert (batch.confirmed_by, batch.job_id) == (user, confirmed.job_id)


def test_undo_pressed_twice_has_one_effect():
    batch = written(roster_of(*people(20)))
    assert kinds(at_once(*[lambda: undo(batch=batch, by=None)] * 3)) == {"ImportBatch": 3}
    assert not Retiree.objects.exists()


def test_undo_and_another_import_of_the_same_people_do_not_hang():
    batch = written(roster_of(*people(20)))
    other = staged(roster_of(*people(20, 联系电话="13999999999")))
    found = at_once(lambda: undo(batch=batch, by=None), lambda: write(batch=other, by=None))
    assert kinds(found)["ImportBatch"] == 1
    assert all(isinstance(r, RefusedError | ImportBatch) for r in found), found
    assert Retiree.objects.count() in (0, 20)


def test_person_edited_between_preview_and_writing_is_not_overwritten():
    written(roster_of(person(0)))
    batch = staged(roster_of(person(0, 联系电话="13999999999")))
    Retiree.objects.update(phone="13700000000", phone_digest="x")
    with pytest.raises(ImportRefusedError, match="请再看一遍预览"):
        write(batch=batch, by=None)
    assert Retiree.objects.get().phone == "13700000000"


def test_second_writing_waits_for_the_first():
    """And readers are not held up meanwhile."""
    batch = staged(roster_of(person(0)))
    done = threading.Event()

    def second():
        write(batch=batch, by=None)
        connection.close()
        done.set()

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(LOCK)
        thread = threading.Thread(target=second)
        thread.start()
        assert not done.wait(0.5)
        assert list(Retiree.objects.all()) == []
    assert wait_until(done.is_set)
    thread.join()
    assert Retiree.objects.count() == 1
