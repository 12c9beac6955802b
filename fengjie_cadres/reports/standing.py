"""What stands on the office's home beside the figures: what waits for a decision, and how the
system itself is."""

import datetime
import shutil
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from cadres.disclosure import exports_to_decide
from cadres.jobs import Heartbeat, Job
from cadres.models import User
from cadres.roles import Role, has_role
from points import actions, audit, commendations, notices, rollover

#: The worker reports every few seconds; silent for this long counts as stopped.
WORKER_SILENT = datetime.timedelta(seconds=60)
QUEUE_SLOW = datetime.timedelta(minutes=5)
#: Of the last backup and of the last proof: both are made every night.
NIGHTLY = datetime.timedelta(hours=36)
DISK_LOW = 10  # per cent free


@dataclass(frozen=True)
class Waiting:
    """Something to decide: a sentence, and the page where it is done."""

    words: str
    address: str


@dataclass(frozen=True)
class State:
    """One part of the system; `words` says how it is, and when it is not well, what to do."""

    name: str
    words: str
    is_well: bool


def waiting(user: User, due: int) -> list[Waiting]:
    """What waits for this user of the office; `due`: people whose classes are."""
    found = [
        ("有 {} 份完整号码的导出等您决定", exports_to_decide(user), "exports"),
        ("有 {} 件积分的事等您审批", actions.to_decide(user), "points:approvals"),
        ("有 {} 件公示意见等答复", notices.to_answer(), "points:notices"),
        ("有 {} 件公示意见的更正等您审核", notices.to_confirm(user), "points:notices"),
        ("有 {} 人的活动类别该复核了", due, "cadres:review-list"),
    ]
    if has_role(user, Role.OFFICE_HEAD):
        lists = commendations.to_decide(user)
        found.append(("有 {} 份表彰名单等您审批", lists, "points:commendations-latest"))
    waits = [Waiting(words.format(n), reverse(address)) for words, n, address in found if n]
    return [*waits, *_years_to_close()]


def _years_to_close() -> list[Waiting]:
    """Years whose points can be redeemed no longer: the head has them carried over."""
    years = rollover.proposed(timezone.localdate())
    return [
        Waiting(
            f"{cycle}的积分该结转了，{_next_step(cycle)}",
            reverse("points:rollover", args=[cycle.year]),
        )
        for cycle in years
    ]


def _next_step(cycle) -> str:
    if cycle.published_at is None:
        return "请先看一遍，再公示"
    return "公示期满后记账"


def states() -> list[State]:
    beats = dict(Heartbeat.objects.values_list("name", "beat_at"))
    return [_worker(beats.get("worker")), _queue(), _proof(), _backup(beats.get("backup")), _disk()]


def _worker(beat_at: datetime.datetime | None) -> State:
    if beat_at and timezone.now() - beat_at < WORKER_SILENT:
        return State("后台任务", "正常", True)
    since = f"{_at(beat_at)}以后停了" if beat_at else "没有运行"
    return State("后台任务", f"{since}，导入和导出要等它，请告诉系统管理员", False)


def _queue() -> State:
    jobs = Job.objects.unfinished()
    oldest = jobs.order_by("created_at").first()
    if not oldest:
        return State("排队的任务", "没有", True)
    words = f"{jobs.count()} 件，最早的是{_at(oldest.created_at)}的“{oldest.title}”"
    return State("排队的任务", words, timezone.now() - oldest.created_at < QUEUE_SLOW)


def _proof() -> State:
    run = audit.last()
    if not run:
        return State("积分账目核对", "还没有核对过，每天夜里核对一次", True)
    if not run.is_clean:
        return State("积分账目核对", f"{_at(run.ran_at)}核对，账目不符，请马上看核对结果", False)
    if timezone.now() - run.ran_at > NIGHTLY:
        words = f"{_at(run.ran_at)}以后没有核对过，请告诉系统管理员"
        return State("积分账目核对", words, False)
    return State("积分账目核对", f"{_at(run.ran_at)}核对，账目相符", True)


def _backup(beat_at: datetime.datetime | None) -> State:
    """`deploy/backup.sh` reports the backup that it has finished."""
    if settings.DEMO and not beat_at:
        return State("备份", "示范县不备份", True)
    if beat_at and timezone.now() - beat_at < NIGHTLY:
        return State("备份", f"{_at(beat_at)}备份过", True)
    since = f"{_at(beat_at)}以后没有备份过" if beat_at else "还没有备份过"
    return State("备份", f"{since}，请告诉系统管理员", False)


def _disk() -> State:
    try:
        disk = shutil.disk_usage(settings.PRIVATE_ROOT)
    except OSError:
        return State("存放文件的磁盘", "读不到，请告诉系统管理员", False)
    percent = disk.free * 100 // disk.total
    words = f"还剩 {percent}%" + ("" if percent >= DISK_LOW else "，快满了，请告诉系统管理员")
    return State("存放文件的磁盘", words, percent >= DISK_LOW)


def _at(moment: datetime.datetime) -> str:
    return date_format(timezone.localtime(moment), "Y年n月j日 H:i")
