"""Lists, jobs and a real worker: hostile files end in a sentence and the worker goes on."""

from branches.models import ImportState, StagedRow
from branches.tests.make import listed
from branches.tests.test_import_worker import HOSTILE, finished
from cadres.jobs import JobState
from cadres.spreadsheets import REFUSALS
from cadres.tests.hostile import FILES
from cadres.tests.make import make_user
from cadres.tests.workbooks import people, roster_of


def test_worker_refuses_hostile_lists_and_goes_on(worker):
    user, pid = make_user(), worker.process.pid
    for name in HOSTILE:
        batch = listed(FILES[name][0](), source=name, by=user, in_background=True)
        job = finished(batch)
        batch.refresh_from_db()
        assert (job.state, job.words) == (JobState.FAILED, batch.refusal), name
        assert job.words in {REFUSALS[code] for code in FILES[name][1]}
        assert (batch.state, job.attempts) == (ImportState.REFUSED, 1)
    assert not StagedRow.objects.exists()
    assert worker.process.pid == pid
    batch = listed(roster_of(*people(3)), by=user, in_background=True)
    job = finished(batch)
    assert (job.state, job.result_url) == (JobState.DONE, f"/comparisons/{batch.pk}/")
