"""Uploads, jobs and a real worker: hostile files end in a sentence and the worker goes on."""

import pytest

from branches.models import ImportBatch, ImportState, StagedRow
from branches.roster import confirm
from branches.tests.make import uploaded
from cadres.jobs import JobState
from cadres.models import Job, Retiree
from cadres.spreadsheets import REFUSALS
from cadres.tests.hostile import FILES
from cadres.tests.make import make_user
from cadres.tests.workbooks import people, roster_of
from cadres.tests.worker import wait_until

HOSTILE = [
    "far_row_without_cell_references", "exploding_strings", "laughs_in_the_workbook",
    "encrypted_xlsx", "truncated_xls", "random_bytes", "html_named_xls", "lone_far_cell",
]  # fmt: skip


def finished(batch: ImportBatch) -> Job:
    """The job of the batch, once it has come to an end."""
    pk = ImportBatch.objects.get(pk=batch.pk).job_id
    assert wait_until(lambda: Job.objects.get(pk=pk).is_finished, 40)
    return Job.objects.get(pk=pk)


def upload(content: bytes, by) -> ImportBatch:
    return uploaded(content, by=by, in_background=True)


def test_worker_refuses_hostile_files_and_goes_on(worker):
    user, pid = make_user(), worker.process.pid
    for name in HOSTILE:
        batch = upload(FILES[name][0](), user)
        job = finished(batch)
        batch.refresh_from_db()
        assert job.state == JobState.FAILED, name
        assert job.words == batch.refusal
        assert job.words in {REFUSALS[code] for code in FILES[name][1]}
        assert (batch.state, job.attempts) == (ImportState.REFUSED, 1)
    assert not StagedRow.objects.exists()
    assert not Retiree.objects.exists()
    assert not worker.has_ended
    assert worker.process.pid == pid
    batch = upload(roster_of(*people(3)), user)
    assert finished(batch).state == JobState.DONE


def test_worker_reads_and_writes_what_is_confirmed(worker):
    user = make_user()
    batch = upload(roster_of(*people(20)), user)
    assert finished(batch).result_url == batch.get_absolute_url()
    assert not Retiree.objects.exists()
    batch = confirm(batch=batch, by=user)
    assert finished(batch).state == JobState.DONE
    assert Retiree.objects.count() == 20


def test_worker_tells_that_the_county_changed_since_the_preview(worker):
    user = make_user()
    first, second = (upload(roster_of(*people(5)), by) for by in (user, make_user()))
    assert {finished(first).state, finished(second).state} == {JobState.DONE}
    for batch in (first, second):
        confirm(batch=batch, by=user)
    states = {finished(first).state, finished(second).state}
    assert states == {JobState.DONE, JobState.FAILED}
    failed = Job.objects.get(state=JobState.FAILED)
    assert "请再看一遍预览" in failed.words
    refused = ImportBatch.objects.get(job=failed)
    assert (refused.state, refused.unchanged) == (ImportState.STAGED, 5)
    assert finished(confirm(batch=refused, by=user)).state == JobState.DONE
    assert Retiree.objects.count() == 5


@pytest.mark.parametrize("press", [1, 2, 3])
def test_confirm_after_it_is_written_finds_the_same_job(worker, press):
    user = make_user()
    batch = upload(roster_of(*people(2)), user)
    finished(batch)
    batch = confirm(batch=batch, by=user)
    for _ in range(press):
        assert confirm(batch=batch, by=user).job_id == batch.job_id
    assert finished(batch).state == JobState.DONE
    assert confirm(batch=batch, by=user).job_id == batch.job_id
    assert Job.objects.filter(kind="roster-write").count() == 1
