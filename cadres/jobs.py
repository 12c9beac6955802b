"""Long work: a row in the database first, a message only wakes a worker.

A message may be lost (broker emptied, worker killed); `sweep` finds every job that nobody
works on and wakes a worker again. Who works on a job holds a database lock that ends with
the worker's connection, so a killed worker's job is free at once and is never run twice.
"""

import contextlib
import datetime
import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pghistory
from celery import current_app
from django.conf import settings
from django.db import connection, models, transaction
from django.urls import reverse
from django.utils import timezone

logger = logging.getLogger(__name__)

_LOCK_CLASS = 20181878
MAX_ATTEMPTS = 5
#: The same request by the same user within this time is the same press of a button.
SAME_PRESS = datetime.timedelta(seconds=10)
#: The client tries a broker that hangs twice, and by itself would rest two seconds in between.
WAKING = {"socket_timeout": 0.8, "socket_connect_timeout": 0.8, "interval_start": 0}


class JobState(models.TextChoices):
    QUEUED = "queued", "排队中"
    RUNNING = "running", "进行中"
    DONE = "done", "已完成"
    FAILED = "failed", "未完成"


class JobQuerySet(models.QuerySet):
    def unfinished(self):
        return self.filter(state__in=[JobState.QUEUED, JobState.RUNNING])


class Job(models.Model):
    """后台任务"""

    kind = models.CharField("种类", max_length=40)
    title = models.CharField("名称", max_length=100)
    params = models.JSONField("参数", default=dict)
    state = models.CharField("状态", max_length=10, choices=JobState, default=JobState.QUEUED)
    done = models.PositiveIntegerField("已做", default=0)
    total = models.PositiveIntegerField("共计", default=0)
    words = models.CharField("进展", max_length=200, blank=True)
    result_url = models.CharField("结果", max_length=200, blank=True)
    attempts = models.PositiveSmallIntegerField("次数", default=0)
    asked_by = models.ForeignKey(
        "cadres.User", models.PROTECT, null=True, blank=True, verbose_name="发起人"
    )
    created_at = models.DateTimeField("发起时间", auto_now_add=True)
    started_at = models.DateTimeField("开始时间", null=True, blank=True)
    finished_at = models.DateTimeField("结束时间", null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = "后台任务"
        verbose_name_plural = "后台任务"
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["id"],
                name="job_unfinished",
                condition=models.Q(state__in=["queued", "running"]),
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=JobState.values), name="job_state_listed"
            )
        ]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("cadres:job", args=[self.pk])

    @property
    def is_finished(self) -> bool:
        return self.state in (JobState.DONE, JobState.FAILED)

    @property
    def percent(self) -> int:
        """0 to 100; a job that cannot say how far it is stays at 0 until it is done."""
        if self.state == JobState.DONE:
            return 100
        return min(99, self.done * 100 // self.total) if self.total else 0


class Heartbeat(models.Model):
    """后台心跳：后台进程最近一次报到的时间"""

    name = models.CharField(max_length=20, primary_key=True)
    beat_at = models.DateTimeField()

    class Meta:
        verbose_name = "后台心跳"
        verbose_name_plural = "后台心跳"

    def __str__(self):
        return self.name


class RefusedError(Exception):
    """An action that will not be done; its text is one Chinese sentence for the user."""


def enqueue(*, kind: str, title: str, params: dict, by) -> Job:
    """Writes the job; once this transaction is committed a worker is woken."""
    job = Job.objects.create(kind=kind, title=title, params=params, asked_by=by)
    transaction.on_commit(partial(wake, job.pk, kind))
    return job


def wake(job_id: int, kind: str) -> None:
    """Sends the message. A broker that is down costs two seconds and nothing else."""
    try:
        with current_app.connection_for_write(transport_options=WAKING) as broker:
            current_app.send_task(
                kind, [job_id], queue=settings.QUEUE, retry=False, connection=broker
            )
    except Exception as error:  # whatever the broker's client raises: the sweep comes by later
        logger.warning("job %s waits for the sweep: %s", job_id, type(error).__name__)


@contextlib.contextmanager
def _lock(job_id: int) -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_LOCK_CLASS, job_id])
        held = cursor.fetchone()[0]
    try:
        yield held
    finally:
        if held:
            with contextlib.suppress(Exception), connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_LOCK_CLASS, job_id])


def run(job_id: int, work: Callable[[Job], str]) -> None:
    """Runs `work(job)` once for this job; it returns the address of its result.

    Does nothing when the job is finished or another worker is at it. `work` must be
    safe to begin again: it is, when it writes in one transaction.
    """
    with _lock(job_id) as held:
        job = Job.objects.select_related("asked_by").get(pk=job_id) if held else None
        if job is None or job.is_finished:
            return
        _start(job)
        try:
            with pghistory.context(user=job.asked_by_id, job=job.pk):
                result_url = work(job)
        except RefusedError as refusal:
            _finish(job, JobState.FAILED, str(refusal))
        except Exception:
            _give_up_or_leave(job)
        else:
            _finish(job, JobState.DONE, "已完成", result_url)


def _start(job: Job) -> None:
    job.state, job.started_at, job.attempts = JobState.RUNNING, timezone.now(), job.attempts + 1
    job.save(update_fields=["state", "started_at", "attempts"])


def _finish(job: Job, state: str, words: str, result_url: str = "") -> None:
    Job.objects.unfinished().filter(pk=job.pk).update(
        state=state, words=words[:200], result_url=result_url, finished_at=timezone.now()
    )


def _give_up_or_leave(job: Job) -> None:
    """The sweep tries again; after the last try the user is told. No values go into the log."""
    kind, _, trace = sys.exc_info()
    frames = [f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(trace)][-5:]
    logger.error("job %s failed: %s at %s", job.pk, kind.__name__, " ".join(frames))
    if job.attempts >= MAX_ATTEMPTS:
        _finish(job, JobState.FAILED, "系统没有办成这件事，请联系管理员。")


def tell(job: Job, words: str, done: int = 0, total: int = 0) -> None:
    """Shows progress; outside the work's own transaction, or it is seen only at the end."""
    Job.objects.filter(pk=job.pk).update(words=words, done=done, total=total)


def sweep(older_than: datetime.timedelta = datetime.timedelta(seconds=10)) -> int:
    """Wakes a worker for each unfinished job that nobody works on; returns how many."""
    beat("worker")
    found = 0
    for job in Job.objects.unfinished().filter(created_at__lt=timezone.now() - older_than):
        with _lock(job.pk) as held:
            free = held
        if free:
            if job.attempts >= MAX_ATTEMPTS:
                _finish(job, JobState.FAILED, "系统没有办成这件事，请联系管理员。")
                continue
            wake(job.pk, job.kind)
            found += 1
    return found


def beat(name: str) -> None:
    """Writes down that a background process is alive."""
    Heartbeat.objects.update_or_create(name=name, defaults={"beat_at": timezone.now()})
