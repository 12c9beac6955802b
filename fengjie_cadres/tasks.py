"""Every Celery task: one line that runs an action or a report for a job."""

from celery import shared_task
from celery.signals import worker_ready
from django.core.management import call_command
from django.utils import timezone

from branches.comparison import compare_job
from branches.roster import stage_job, write_job
from branches.roster.undo import empty_old_imports
from cadres import jobs
from cadres.actions import lapse_temporary_classes
from cadres.disclosure import empty_old_exports
from fengjie_cadres.reports import numbers
from fengjie_cadres.reports.exports import export_job
from points import rollover
from points.audit import audit
from points.days import finish_past


@shared_task(name="roster-stage")
def roster_stage(job_id: int) -> None:
    jobs.run(job_id, stage_job)


@shared_task(name="roster-write")
def roster_write(job_id: int) -> None:
    jobs.run(job_id, write_job)


@shared_task(name="comparison")
def comparison(job_id: int) -> None:
    jobs.run(job_id, compare_job)


@shared_task(name="empty-old-imports")
def empty_imports() -> None:
    empty_old_imports()


@shared_task(name="export")
def export(job_id: int) -> None:
    jobs.run(job_id, export_job)


@shared_task(name="empty-old-exports")
def empty_exports() -> None:
    empty_old_exports()


@shared_task(name="lapse-temporary-classes")
def lapse_classes() -> None:
    lapse_temporary_classes(on=timezone.localdate())


@shared_task(name="clear-sessions")
def clear_sessions() -> None:
    call_command("clearsessions")


@shared_task(name="audit-ledger")
def audit_ledger() -> None:
    audit()


@shared_task(name="count-figures")
def count_figures() -> None:
    numbers.refresh()


@shared_task(name="finish-past-days")
def finish_past_days() -> None:
    finish_past(today=timezone.localdate())


@shared_task(name="rollover")
def post_rollover(job_id: int) -> None:
    jobs.run(job_id, rollover.post_job)


@shared_task(name="turn-of-the-year")
def turn_of_the_year() -> None:
    rollover.turn_year(on=timezone.localdate())


@shared_task(name="sweep")
def sweep() -> None:
    jobs.sweep()


@worker_ready.connect
def first_beat(**_) -> None:
    jobs.sweep()
