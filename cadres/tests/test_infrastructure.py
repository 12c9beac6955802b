"""The tests' own ground: the role they run in, the flush, the worker."""

import threading

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection

from cadres import jobs
from cadres.models import Job, Retiree, Township, Unit
from cadres.tests.make import make_retiree
from cadres.tests.worker import wait_until


def role() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return cursor.fetchone()[0]


def test_role_is_the_run_time_role(db):
    assert role() == "cadres_app"


def test_role_is_the_run_time_role_in_other_threads(transactional_db):
    found = []

    def ask():
        found.append(role())
        connection.close()

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert found == ["cadres_app"]


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_flush_leaves_reference_data_groups_and_nobody(transactional_db, turn):
    assert not Retiree.objects.exists()
    assert (Township.objects.count(), Unit.objects.count()) == (33, 112)
    assert Group.objects.count() == 6
    assert Permission.objects.exists()
    make_retiree()
    Unit.objects.filter(name="奉节县财政局").delete()


def test_files_go_into_a_passing_folder(tmp_path_factory):
    name = default_storage.save("rosters/a.txt", ContentFile(b"a"))
    path = default_storage.path(name)
    assert path.startswith(str(tmp_path_factory.getbasetemp()))
    assert str(settings.PRIVATE_ROOT) in path


@pytest.mark.parametrize("turn", [1, 2])
def test_worker_takes_up_a_job_once_the_transaction_is_over(worker, turn):
    job = jobs.enqueue(kind="roster-stage", title="读", params={"batch": 0}, by=None)
    assert wait_until(lambda: Job.objects.get(pk=job.pk).attempts == 1)
