"""Jobs: a row first, run once, tried again, and told in a sentence when they are refused."""

import contextlib
import datetime
import json
import logging
import socket
import subprocess
import sys
import threading
import time

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from cadres import jobs
from cadres.jobs import JobState, RefusedError
from cadres.models import Heartbeat, Job
from cadres.tests.make import make_retiree, make_user
from cadres.tests.worker import Worker, wait_until

AT_ONCE = datetime.timedelta(0)


@pytest.fixture
def sent(monkeypatch) -> list:
    """The messages that would have gone to the broker."""
    found = []
    monkeypatch.setattr(
        jobs.current_app, "send_task", lambda kind, args, **rest: found.append((kind, *args))
    )
    return found


def make_job(**fields) -> Job:
    fields = {"kind": "roster-stage", "title": "读取"} | fields
    return Job.objects.create(**fields)


def fresh(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def fail(job):
    raise ValueError("COPY branches_stagedrow, line 3, column name: 张三 13800000300")


def refuse(job):
    raise RefusedError("文件设了密码。")


@pytest.mark.django_db
def test_message_is_sent_once_the_transaction_is_over(sent, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks:
        job = jobs.enqueue(kind="roster-stage", title="x", params={}, by=None)
        assert sent == []
    callbacks[0]()
    assert sent == [("roster-stage", job.pk)]


@pytest.mark.django_db(transaction=True)
def test_job_of_a_transaction_that_fails_is_neither_written_nor_sent(sent):
    with contextlib.suppress(ValueError), transaction.atomic():
        jobs.enqueue(kind="roster-stage", title="x", params={}, by=None)
        raise ValueError
    assert (sent, Job.objects.count()) == ([], 0)


@pytest.mark.django_db
def test_job_is_run_once_though_woken_twice():
    job, runs = make_job(), []
    for _ in range(2):
        jobs.run(job.pk, lambda job: runs.append(job.pk) or "/somewhere/")
    job = fresh(job)
    assert runs == [job.pk]
    assert (job.state, job.result_url, job.percent, job.attempts) == (
        "done", "/somewhere/", 100, 1,
    )  # fmt: skip


def run_in_two_threads(job: Job) -> int:
    runs, inside, go_on = [], threading.Event(), threading.Event()

    def work(job):
        runs.append(job.pk)
        inside.set()
        go_on.wait(5)
        return ""

    def in_thread():
        jobs.run(job.pk, work)
        connection.close()

    first, second = threading.Thread(target=in_thread), threading.Thread(target=in_thread)
    first.start()
    inside.wait(5)
    second.start()
    second.join(1)
    go_on.set()
    first.join(5)
    second.join(5)
    return len(runs)


@pytest.mark.django_db(transaction=True)
def test_job_that_somebody_is_at_is_not_run_a_second_time():
    job = make_job()
    assert run_in_two_threads(job) == 1
    assert fresh(job).state == JobState.DONE


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_it_would_be_run_twice(monkeypatch):
    """Negative control."""
    monkeypatch.setattr(jobs, "_lock", lambda pk: contextlib.nullcontext(True))
    assert run_in_two_threads(make_job()) == 2


@pytest.mark.django_db
def test_refused_job_tells_its_sentence():
    job = make_job()
    jobs.run(job.pk, refuse)
    job = fresh(job)
    assert (job.state, job.words, job.is_finished) == ("failed", "文件设了密码。", True)


@pytest.mark.django_db
def test_failed_job_is_tried_again_and_then_told(sent, caplog):
    job = make_job()
    for attempt in range(1, jobs.MAX_ATTEMPTS + 1):
        assert not fresh(job).is_finished
        jobs.run(job.pk, fail)
        assert fresh(job).attempts == attempt
    assert (fresh(job).state, fresh(job).words) == (
        "failed", "系统没有办成这件事，请联系管理员。",
    )  # fmt: skip
    assert jobs.sweep(AT_ONCE) == 0


@pytest.mark.django_db
def test_failure_is_logged_without_the_values_of_anybody(caplog):
    with caplog.at_level(logging.ERROR):
        jobs.run(make_job().pk, fail)
    assert "ValueError" in caplog.text
    assert "张三" not in caplog.text
    assert "13800000300" not in caplog.text


@pytest.mark.django_db
def test_job_that_fails_once_succeeds_the_second_time():
    job = make_job()
    jobs.run(job.pk, fail)
    jobs.run(job.pk, lambda job: "")
    assert fresh(job).state == JobState.DONE


@pytest.mark.django_db
def test_what_a_job_writes_names_who_asked_for_it():
    user = make_user()
    job = make_job(asked_by=user)
    jobs.run(job.pk, lambda job: make_retiree().name)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pgh_context FROM cadres_retireeevent")
        context = json.loads(cursor.fetchone()[0])
    assert (context["user"], context["job"]) == (user.pk, job.pk)


@pytest.mark.django_db
def test_sweep_wakes_a_worker_for_each_job_that_nobody_is_at(sent):
    lost, young, done = make_job(), make_job(), make_job(state=JobState.DONE)
    old = timezone.now() - datetime.timedelta(minutes=1)
    Job.objects.filter(pk__in=[lost.pk, done.pk]).update(created_at=old)
    assert jobs.sweep() == 1
    assert sent == [("roster-stage", lost.pk)]
    assert fresh(young).state == JobState.QUEUED
    assert Heartbeat.objects.filter(name="worker").exists()


@pytest.mark.django_db(transaction=True)
def test_sweep_leaves_a_job_alone_that_somebody_is_at(sent):
    job = make_job(state=JobState.RUNNING, attempts=jobs.MAX_ATTEMPTS)
    held, go_on = threading.Event(), threading.Event()

    def hold():
        with jobs._lock(job.pk):
            held.set()
            go_on.wait(10)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(5)
    assert (jobs.sweep(AT_ONCE), fresh(job).state) == (0, "running")
    go_on.set()
    thread.join()
    assert jobs.sweep(AT_ONCE) == 0
    assert fresh(job).state == JobState.FAILED  # its worker died for the last time


@pytest.mark.django_db
def test_sweep_does_not_call_a_job_failed_that_was_done_meanwhile(sent, monkeypatch):
    job = make_job(attempts=jobs.MAX_ATTEMPTS)

    @contextlib.contextmanager
    def lock(pk):
        Job.objects.filter(pk=pk).update(state=JobState.DONE, words="已完成")
        yield True

    monkeypatch.setattr(jobs, "_lock", lock)
    jobs.sweep(AT_ONCE)
    assert (fresh(job).state, fresh(job).words) == (JobState.DONE, "已完成")


# ---- the broker --------------------------------------------------------------------------------

ENQUEUE = """
import time, django
django.setup()
from cadres import jobs
jobs.wake(0, "roster-stage")  # the first one imports the client
began = time.monotonic()
job = jobs.enqueue(kind="roster-stage", title="x", params={"batch": 0}, by=None)
print(job.pk, time.monotonic() - began)
"""


@pytest.fixture
def hung_broker():
    """A server that takes every connection and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def enqueued_by_a_process(broker: str, queue: str, tmp_path) -> tuple[Job, float]:
    environment = Worker(queue, tmp_path / "log", REDIS_URL=broker).environment
    environment |= {"DJANGO_SETTINGS_MODULE": "fengjie_cadres.settings", "PYTHONPATH": "."}
    words = subprocess.run(
        [sys.executable, "-c", ENQUEUE],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.split()
    return Job.objects.get(pk=words[0]), float(words[1])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_hung", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_broker_that_hangs_or_refuses_costs_three_seconds_and_no_job(
    hung_broker, queue, tmp_path, is_hung
):
    broker = hung_broker if is_hung else "redis://127.0.0.1:1/0"
    job, seconds = enqueued_by_a_process(broker, queue, tmp_path)
    assert seconds < 3
    assert job.state == JobState.QUEUED


def test_job_whose_message_was_lost_is_run_after_the_sweep(worker, hung_broker, queue, tmp_path):
    job, _ = enqueued_by_a_process(hung_broker, queue, tmp_path)
    time.sleep(0.3)
    assert fresh(job).attempts == 0
    assert jobs.sweep(AT_ONCE) == 1
    assert wait_until(lambda: fresh(job).attempts == 1)
