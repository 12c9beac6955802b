"""年度结转: preview → publish → post → closed, and the next cycle is open.

The head acts, the office looks on. What it comes to is asked of the database for everybody at
once; posting is a job that may be killed at any moment and begun again (points/ledger.py: close).
"""

import datetime

from django.db import connection, transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from cadres import jobs
from cadres.jobs import Job
from cadres.models import User
from points import ledger, notices
from points.ledger import LedgerRefusedError
from points.models import (
    Account,
    Cycle,
    CycleStatus,
    Objection,
    Posting,
    PublicNotice,
    Redemption,
    RedemptionState,
    Rollover,
)
from points.outcome import has_posted, people, totals
from points.snapshots import Homes, of_year

KIND = "rollover"


class RolloverRefusedError(LedgerRefusedError):
    """The step is not taken; the text says why."""


# ---- what stands in the way ----------------------------------------------------------------------


def _too_early(cycle: Cycle) -> list[str]:
    if cycle.status == CycleStatus.CLOSED:
        return [f"{cycle}已经结转。"]
    today = timezone.localdate()
    if today <= cycle.redeem_until:
        until = cycle.redeem_until
        return [f"到 {until.year}年{until.month}月{until.day}日还可以兑换，过了这一天才能结转。"]
    return []


def _reservations(cycle: Cycle) -> list[str]:
    found = Redemption.objects.filter(day__cycle=cycle, state=RedemptionState.RESERVED).count()
    return [f"还有 {found} 份预约没有领取，请先结束兑换场次。"] if found else []


def _frozen(cycle: Cycle) -> list[str]:
    found = frozen(cycle).count()
    return [f"还有 {found} 个冻结账户里有积分，请先处理。"] if found else []


def frozen(cycle: Cycle) -> QuerySet[Account]:
    """Frozen accounts that still hold points."""
    return cycle.accounts.filter(frozen_at__isnull=False, balance__gt=0)


def _corrections(cycle: Cycle) -> list[str]:
    waiting = Posting.objects.filter(is_reversal_waiting=True, account__cycle=cycle).count()
    if not waiting:
        return []
    return [f"还有 {waiting} 笔更正等审核，更正以前要先撤回公示；不更正的，请先审核为不同意。"]


def _notice_runs(notice: PublicNotice) -> list[str]:
    if timezone.localdate() <= notice.closes_on:
        until = notice.closes_on
        return [f"公示到 {until.year}年{until.month}月{until.day}日为止，期满后才能记账。"]
    waiting = sum(one.is_open for one in Objection.objects.filter(notice=notice))
    return [f"公示期间收到的意见还有 {waiting} 件没有办完。"] if waiting else []


def faults_of_publishing(cycle: Cycle) -> list[str]:
    """Why the rollover cannot be published now; sentences."""
    return _too_early(cycle) or _reservations(cycle)


def faults_of_posting(cycle: Cycle) -> list[str]:
    """Why posting cannot be started now; sentences."""
    if found := _too_early(cycle):
        return found
    notice = notices.of_rollover(cycle)
    if cycle.published_at is None or notice is None:
        return ["还没有公示。请先公示，期满后再记账。"]
    return _notice_runs(notice) + _reservations(cycle) + _corrections(cycle) + _frozen(cycle)


def _refuse(faults: list[str]) -> None:
    if faults:
        raise RolloverRefusedError("".join(faults))


# ---- the steps -----------------------------------------------------------------------------------


def _locked(cycle: Cycle) -> Cycle:
    """The cycle, held against everything that moves in it or changes it."""
    found = Cycle.objects.select_for_update(no_key=True).get(pk=cycle.pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(20181880, %s)", [cycle.pk])
    return found


@transaction.atomic
def set_policy(*, cycle: Cycle, carry_percent: int, carry_cap: int | None, by: User) -> Cycle:
    """How much is carried over. Raises RolloverRefusedError once it is published."""
    cycle = _locked(cycle)
    if cycle.published_at or cycle.status == CycleStatus.CLOSED:
        raise RolloverRefusedError("结转已经公示，办法不能再改。要改，请先撤回公示。")
    cycle.carry_percent, cycle.carry_cap = carry_percent, carry_cap
    cycle.save(update_fields=["carry_percent", "carry_cap"])
    return cycle


@transaction.atomic
def publish(*, cycle: Cycle, homes: Homes, by: User) -> PublicNotice:
    """From now nothing moves in the cycle; everybody reads what it will come to. Again: nothing."""
    cycle = _locked(cycle)
    if cycle.published_at and (notice := notices.of_rollover(cycle)):
        return notice
    _refuse(faults_of_publishing(cycle))
    cycle = ledger.begin_closing(cycle=cycle)
    cycle.published_at = timezone.now()
    cycle.save(update_fields=["published_at"])
    ends = people(cycle)
    snapshot = of_year(cycle, homes, ends, totals(ends))
    return notices.publish_rollover(cycle=cycle, snapshot=snapshot, by=by)


@transaction.atomic
def withdraw(*, cycle: Cycle, reason: str, by: User) -> Cycle:
    """Takes the publication back when a mistake is found. Raises RolloverRefusedError."""
    cycle = _locked(cycle)
    if cycle.published_at is None:
        return cycle
    if not reason.strip():
        raise RolloverRefusedError("请写明为什么撤回。")
    if cycle.status == CycleStatus.CLOSED or has_begun(cycle):
        raise RolloverRefusedError("已经开始记账，不能撤回公示。")
    cycle.published_at = None
    cycle.save(update_fields=["published_at"])
    notices.withdraw(notice=notices.of_rollover(cycle), reason=reason, by=by)
    return cycle


def has_begun(cycle: Cycle) -> bool:
    """Whether a job posts, or has posted anything."""
    jobs_of = Job.objects.unfinished().filter(kind=KIND, params__year=cycle.year)
    return jobs_of.exists() or has_posted(cycle)


@transaction.atomic
def start(*, cycle: Cycle, by: User) -> Job:
    """Has the rollover posted in the background; once: two heads at once start one job.

    What was begun goes on with the day and the name it was begun with. Raises
    RolloverRefusedError.
    """
    cycle = _locked(cycle)
    rollover = Rollover.objects.select_related("job").filter(cycle=cycle).first()
    if rollover and (not rollover.job.is_finished or cycle.status == CycleStatus.CLOSED):
        return rollover.job
    _refuse(faults_of_posting(cycle))
    job = jobs.enqueue(kind=KIND, title=f"{cycle}积分结转", params={"year": cycle.year}, by=by)
    if rollover and has_posted(cycle):
        Rollover.objects.filter(pk=rollover.pk).update(job=job)
        return job
    held = cycle.accounts.filter(balance__gt=0).count()
    values = {"posted_on": timezone.localdate(), "accounts": held, "started_by": by}
    Rollover.objects.update_or_create(
        cycle=cycle, defaults=values | {"started_at": timezone.now(), "job": job}
    )
    return job


def post_job(job: Job) -> str:
    """Posts the rollover of a job's year, showing how far it is; the address of its page."""
    rollover = Rollover.objects.select_related("cycle", "started_by").get(
        cycle__year=job.params["year"]
    )
    cycle, total = rollover.cycle, rollover.accounts
    done = total - cycle.accounts.filter(balance__gt=0).count()

    def told(emptied: int) -> None:
        nonlocal done
        done += emptied
        jobs.tell(job, f"已结转 {done} 个账户，共 {total} 个", done, total)

    ledger.close(cycle=cycle, by=rollover.started_by, on=rollover.posted_on, told=told)
    return reverse("points:rollover", args=[cycle.year])


# ---- by itself -----------------------------------------------------------------------------------


def turn_year(*, on: datetime.date) -> Cycle:
    """Years that are over begin to close, and the present one is open; again: nothing."""
    for cycle in Cycle.objects.filter(status=CycleStatus.OPEN, ends_on__lt=on).order_by("year"):
        ledger.begin_closing(cycle=cycle)
    return ledger.open_cycle(year=on.year)


def proposed(today: datetime.date) -> QuerySet[Cycle]:
    """Years whose rollover is due: nothing can be redeemed any more and it is not posted."""
    due = Cycle.objects.exclude(status=CycleStatus.CLOSED)
    return due.filter(redeem_until__lt=today).order_by("year")
