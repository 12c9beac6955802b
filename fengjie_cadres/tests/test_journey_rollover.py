"""The head previews, publishes and starts a rollover and watches it without JavaScript; a retiree
reads the notice on a phone and objects; the staff proposes who is commended and prints."""

import datetime

import pytest
import time_machine

from branches.tests.make import make_branch, make_membership
from cadres.models import Job
from cadres.roles import Role
from cadres.tests.make import make_retiree, make_user
from cadres.tests.worker import wait_until
from fengjie_cadres.tests.looks import MEASURES, faults
from points import rollover
from points.models import Account, Cycle, PublicNotice
from points.tests.make import awarded, make_cycle, make_notice

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "sheng-huo-2025"
IN_YEAR = "2020-12-01 10:00 +0800"


def user(role: Role, **fields):
    return make_user(role=role, password=PASSWORD, **fields)


@pytest.fixture
def people():
    """A year that is over long ago, with points in it."""
    make_cycle(2020, redeem_until=datetime.date(2021, 1, 31))
    branch = make_branch("诗城党支部")
    found = [make_retiree(name=name) for name in ("张小三", "李四", "王五")]
    for person in found[:2]:
        make_membership(person, branch)
    with time_machine.travel(IN_YEAR):
        for person, points in zip(found, (12, 30, 9), strict=True):
            awarded(person, points, on=datetime.date(2020, 3, 1))
    return found


def test_the_head_closes_a_year_without_javascript(open_page, worker, people):
    head = user(Role.OFFICE_HEAD, name="李局长")
    page = open_page(user=head, javascript=False)
    page.goto("/")
    page.click("text=2020 年的积分该结转了")
    page.click("text=改办法")
    page.fill("#id_carry_percent", "50")
    page.fill("#id_carry_cap", "10")
    page.click("text=定下来")
    assert "转入下一年，每人最多 10 分" in page.inner_text("main")
    with time_machine.travel("2021-02-01 10:00 +0800"):  # the notice has stood for long
        rollover.publish(cycle=Cycle.objects.get(year=2020), homes={}, by=head)
    page.reload()
    page.click("text=开始记账")
    job = Job.objects.get(kind="rollover")
    assert page.url.endswith(f"/jobs/{job.pk}/") or "/rollover/2020/" in page.url
    assert wait_until(lambda: Job.objects.get(pk=job.pk).is_finished, 40)
    page.goto(job.get_absolute_url())
    assert page.url.endswith("/points/rollover/2020/")
    assert "20 分转入下一年，31 分作废" in page.inner_text("main")
    assert Cycle.objects.get(year=2020).status == "closed"
    assert Account.objects.filter(cycle__year=2021, balance__gt=0).count() == 3


def test_the_head_publishes_and_is_told_how_long_it_stands(open_page, people):
    page = open_page(user=user(Role.OFFICE_HEAD, name="李局长"))
    page.goto("/points/rollover/2020/")
    page.click("main form button:has-text('公示')")
    page.wait_for_selector("text=已公示。从现在起这一年的积分不再变动。")
    assert "期满后才能记账" in page.inner_text("main")
    assert not page.locator("text=开始记账").count()
    assert not Job.objects.filter(kind="rollover").exists()
    page.click("text=发现有错，撤回公示")
    page.fill("#id_reason", "漏了一个人")
    page.click("button:has-text('撤回公示')")
    page.wait_for_selector("text=已撤回公示。")
    assert Cycle.objects.get(year=2020).published_at is None


@pytest.mark.parametrize("size", [pytest.param("大字", marks=pytest.mark.slow), "特大字"])
def test_a_retiree_reads_a_notice_and_objects(open_page, people, size):
    staff = user(Role.OFFICE_STAFF, name="王科长")
    make_notice(Cycle.objects.get(year=2020), staff, quarter=4)
    page = open_page(width=360, user=user(Role.RETIREE, retiree=people[0]))
    page.click(f"text={size}")
    page.click("text=积分公示")
    page.click("text=2020年第四季度积分公示")
    page.wait_for_selector("#id_text")
    for _ in ("before", "after"):
        shown = page.inner_text("main")
        assert not [letter for letter in shown if letter.isascii() and letter.isalpha()]
        assert page.evaluate(MEASURES) == {"wide": 0, "small": []}
        assert faults(page) == []
        page.fill("#id_text", "少记了两分")
        page.click("text=交给办公室")
        page.wait_for_selector("text=您提过的意见")
    assert PublicNotice.objects.get().objections.count() == 1


def test_a_list_is_proposed_approved_and_printed(open_page, people):
    head, staff = user(Role.OFFICE_HEAD, name="李局长"), user(Role.OFFICE_STAFF, name="王科长")
    page = open_page(user=head)
    page.goto("/points/commendations/2020/")
    page.click("[aria-label='定证书的标准']")
    page.fill("#id_points", "10")
    page.click("text=定下来")
    page.wait_for_selector("text=标准已定。")
    page = open_page(user=staff)
    page.goto("/points/commendations/2020/")
    page.click("[aria-label='证书的人选']")
    page.uncheck("input[name=account] >> nth=1")
    page.click("text=提出名单")
    page.wait_for_selector("text=名单已提出")
    page = open_page(user=head)
    page.click("text=有 1 份表彰名单等您审批")
    page.click("main table a:has-text('提出')")
    page.click("button:has-text('同意') >> nth=0")
    page.wait_for_selector("text=已同意，已编号。")
    page.goto("/points/commendations/2020/certificate/print/")
    assert "奉老证〔2020〕第 001 号" in page.inner_text("main")
    assert page.locator(".certificate").count() == 1
