"""A worker killed while it compares: nothing half compared is seen, and it is done again."""

import pytest

from branches.models import ImportBatch, ImportState, StagedRow
from branches.tests.make import listed
from branches.tests.test_import_kills import elsewhere, swept_until_done, table_held
from cadres.jobs import JobState
from cadres.tests.locks import somebody_waits
from cadres.tests.make import make_id_number, make_retiree, make_user
from cadres.tests.workbooks import workbook
from cadres.tests.worker import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.mark.parametrize("table", ["branches_stagedrow", "cadres_retiree"])
def test_worker_killed_in_the_middle_of_comparing(make_worker, table):
    """At the copying of the rows, and after it, when they are matched."""
    number, user = make_id_number(), make_user()
    person = make_retiree(name="张三", id_number=number)
    make_retiree(name="李四")
    content = workbook([["姓名", "身份证号"], ["张三", number], ["王五", make_id_number()]])
    first = make_worker()
    with table_held(table):
        batch = elsewhere(lambda: listed(content, scope="county", by=user, in_background=True))
        assert wait_until(lambda: somebody_waits(table))
        first.kill()
    assert wait_until(lambda: not somebody_waits(table))
    assert not StagedRow.objects.exists()
    assert ImportBatch.objects.get(pk=batch.pk).state == ImportState.UPLOADED
    make_worker()
    assert swept_until_done(batch).state == JobState.DONE
    batch.refresh_from_db()
    assert (batch.unchanged, batch.created, batch.missing) == (1, 1, 1)
    assert StagedRow.objects.get(verdict="unchanged").retiree_id == person.pk
    assert StagedRow.objects.count() == 3
