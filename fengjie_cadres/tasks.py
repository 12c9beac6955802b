"""Every Celery task: one line that runs an action or a report for a job."""

from celery import shared_task
from celery.signals import worker_ready

from branches.roster import stage_job, write_job
from branches.roster.undo import empty_old_imports
from cadres import jobs


@shared_task(name="roster-stage")
def roster_stage(job_id: int) -> None:
    jobs.run(job_id, stage_job)


@shared_task(name="roster-write")
def roster_write(job_id: int) -> None:
    jobs.run(job_id, write_job)


@shared_task(name="empty-old-imports")
def empty_imports() -> None:
    empty_old_imports()


@shared_task(name="sweep")
def sweep() -> None:
    jobs.sweep()


@worker_ready.connect
def first_beat(**_) -> None:
    jobs.sweep()
