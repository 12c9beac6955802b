"""The office's home says what waits for a decision and how the system is."""

import datetime
import shutil
from collections import namedtuple

import pytest
from django.utils import timezone

from cadres import jobs
from cadres.jobs import Heartbeat, Job
from cadres.models import Export
from cadres.roles import Role
from cadres.tests.make import make_retiree, make_user
from fengjie_cadres.reports import standing
from points.models import AuditRun

pytestmark = pytest.mark.django_db


def state(name: str) -> standing.State:
    return next(each for each in standing.states() if each.name == name)


def earlier(**much) -> datetime.datetime:
    return timezone.now() - datetime.timedelta(**much)


@pytest.mark.parametrize(
    ("seconds", "is_well"), [(5, True), (90, False), (None, False)], ids=["beats", "silent", "none"]
)
def test_worker(seconds, is_well):
    Heartbeat.objects.all().delete()
    if seconds:
        Heartbeat.objects.create(name="worker", beat_at=earlier(seconds=seconds))
    found = state("后台任务")
    assert found.is_well is is_well
    assert ("请告诉系统管理员" in found.words) is not is_well


def test_queue():
    assert state("排队的任务").words == "没有"
    job = Job.objects.create(kind="export", title="花名册")
    assert state("排队的任务").is_well
    assert "花名册" in state("排队的任务").words
    Job.objects.filter(pk=job.pk).update(created_at=earlier(minutes=6))
    assert not state("排队的任务").is_well
    Job.objects.filter(pk=job.pk).update(state="done")
    assert state("排队的任务").is_well


@pytest.mark.parametrize(
    ("hours", "findings", "is_well"), [(1, [], True), (40, [], False), (1, [{"words": "x"}], False)]
)
def test_proof_of_the_points(hours, findings, is_well):
    run = AuditRun.objects.create(transfers=3, findings=findings, seconds=1)
    AuditRun.objects.filter(pk=run.pk).update(ran_at=earlier(hours=hours))
    assert state("积分账目核对").is_well is is_well


@pytest.mark.parametrize(
    ("demo", "hours", "is_well"),
    [(True, None, True), (False, None, False), (False, 3, True), (False, 40, False)],
)
def test_backup(settings, demo, hours, is_well):
    settings.DEMO = demo
    if hours:
        Heartbeat.objects.create(name="backup", beat_at=earlier(hours=hours))
    assert state("备份").is_well is is_well


def test_disk(monkeypatch, settings, tmp_path):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(1000, 950, 50))
    assert not state("存放文件的磁盘").is_well
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(1000, 500, 500))
    assert state("存放文件的磁盘").is_well
    monkeypatch.undo()
    settings.PRIVATE_ROOT = tmp_path / "away"
    assert not state("存放文件的磁盘").is_well


def test_what_waits_stands_on_the_home_of_who_may_decide_it(client):
    staff, head = make_user(role=Role.OFFICE_STAFF), make_user(role=Role.OFFICE_HEAD)
    make_retiree(name="张三", activity_class="")
    Export.objects.create(
        kind="roster", title="花名册", is_full=True, state="waiting", asked_by=staff, reason="审计"
    )
    jobs.beat("worker")
    client.force_login(head)
    page = client.get("/").content.decode()
    assert "有 1 份完整号码的导出等您决定" in page
    assert "有 1 人的活动类别该复核了" in page
    assert "系统情况" in page
    client.force_login(staff)
    page = client.get("/").content.decode()
    assert "完整号码的导出等您决定" not in page
    assert "有 1 人的活动类别该复核了" in page
    client.force_login(make_user(role=Role.LEADER))
    assert "系统情况" not in client.get("/").content.decode()
