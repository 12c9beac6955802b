"""Pages of the year's end: who opens and does what, refused in sentences, paged, set-based."""

import datetime

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from branches.tests.make import make_branch, make_membership, make_secretary
from cadres.models import Job
from cadres.roles import Role
from cadres.tests.make import make_retiree, make_user
from points import actions, ledger, rollover
from points.models import Account, Cycle, Posting, PublicNotice
from points.tests import books
from points.tests.make import awarded, balance, make_cycle

pytestmark = pytest.mark.django_db
UNTIL = datetime.date(2026, 1, 31)
IN_YEAR, PUBLISHED, POSTED = "2025-12-01 10:00 +0800", "2026-02-02 10:00 +0800", "2026-02-10 10:00"
STEPS = ["policy", "publish", "withdraw", "start"]
PAGE = "/points/rollover/2025/"


@pytest.fixture
def head():
    return make_user(role=Role.OFFICE_HEAD, name="李局长")


@pytest.fixture
def staff():
    return make_user(role=Role.OFFICE_STAFF, name="王科长")


@pytest.fixture
def cycle():
    return make_cycle(2025, redeem_until=UNTIL)


def rich(*points: int, **fields) -> list:
    found = [make_retiree(name=f"甲{n}", **fields) for n in range(len(points))]
    with time_machine.travel(IN_YEAR):
        for person, much in zip(found, points, strict=True):
            awarded(person, much)
    return found


def shown(client, user, address: str, at: str = PUBLISHED, status: int = 200) -> str:
    with time_machine.travel(at):
        client.force_login(user)
        response = client.get(address)
    assert response.status_code == status, (address, response.status_code)
    return response.content.decode()


def sent(client, user, address: str, at: str = PUBLISHED, **filled) -> str:
    """The page on which a post ends."""
    with time_machine.travel(at):
        client.force_login(user)
        response = client.post(address, filled, follow=True)
    assert response.status_code == 200
    return response.content.decode()


# ---- the head's way ------------------------------------------------------------------------------


def test_the_head_previews_publishes_and_starts(client, cycle, head):
    people = rich(9, 30)
    assert "没有用完的全部作废" in shown(client, head, PAGE)
    sent(client, head, PAGE + "policy/", carry_percent="50", carry_cap="10")
    page = shown(client, head, PAGE)
    assert "<strong>14</strong><small>分转入下一年" in page
    assert "<strong>25</strong><small>分作废，2 人" in page
    page = sent(client, head, PAGE + "publish/")
    assert "已公示" in page
    assert "公示到 2026年2月9日为止" in page
    page = sent(client, head, PAGE + "start/", at=POSTED)
    assert "积分结转" in page
    assert "看看办好了没有" in page
    job = Job.objects.get(kind="rollover")
    with time_machine.travel(POSTED):
        job.result_url = rollover.post_job(job)
    Job.objects.filter(pk=job.pk).update(state="done", result_url=job.result_url)
    page = sent(client, head, PAGE + "start/", at=POSTED)
    assert "14 分转入下一年，25 分作废" in page
    assert [balance(person, 2026) for person in people] == [4, 10]
    assert "公示" not in shown(client, head, PAGE, POSTED).split("buttons")[1].split("看公示")[0]


@pytest.mark.parametrize(
    ("step", "at", "words"),
    [
        ("publish", "2026-01-31 10:00 +0800", "到 2026年1月31日还可以兑换"),
        ("start", POSTED, "还没有公示"),
        ("policy", PUBLISHED, "请填写结转比例"),
    ],
)
def test_a_refused_step_is_a_sentence_and_changes_nothing(client, cycle, head, step, at, words):
    rich(9)
    before = books.checksum()
    assert words in sent(client, head, f"{PAGE}{step}/", at=at, sent="1")
    assert books.checksum() == before
    assert not Job.objects.exists()
    assert not PublicNotice.objects.exists()


def test_withdrawn_with_a_reason_only(client, cycle, head):
    rich(9)
    sent(client, head, PAGE + "publish/")
    assert "请写明为什么撤回" in sent(client, head, PAGE + "withdraw/")
    assert Cycle.objects.get().published_at
    assert "已撤回公示" in sent(client, head, PAGE + "withdraw/", reason="漏了一个人")
    assert Cycle.objects.get().published_at is None


@pytest.mark.parametrize("role", [Role.OFFICE_STAFF, Role.LEADER, Role.RETIREE, Role.CONTACT])
def test_only_the_head_takes_a_step(client, cycle, head, role):
    (person,) = rich(9)
    more = {"retiree": person} if role == Role.RETIREE else {}
    user = make_user(role=role, **more)
    before = books.checksum()
    for step in STEPS:
        client.force_login(user)
        with time_machine.travel(PUBLISHED):
            answer = client.post(f"{PAGE}{step}/", {"carry_percent": "90", "reason": "x"})
        assert answer.status_code == 403, step
    assert books.checksum() == before
    expected = 200 if role == Role.OFFICE_STAFF else 403
    shown(client, user, PAGE, status=expected)
    shown(client, user, PAGE + "calls/", status=expected)


def test_a_secretary_calls_only_the_people_of_the_branch(client, cycle):
    mine, other = rich(9, 8)
    branch = make_branch()
    make_membership(mine, branch)
    make_membership(other, make_branch())
    user = make_secretary(branch)
    page = shown(client, user, PAGE + "calls/")
    for label in ("结余", "将作废"):  # on a phone there is no heading above the number
        assert f'<span class="phone-only">{label} </span>' in page
    assert mine.name in page
    assert other.name not in page
    shown(client, user, PAGE, status=403)
    client.force_login(user)
    assert client.post(PAGE + "start/").status_code == 403


def test_a_year_that_does_not_exist_is_missing(client, head):
    for address in (PAGE, PAGE + "calls/", "/points/rollover/99999999999999999999/"):
        shown(client, head, address, status=404)


def test_the_list_is_filtered_and_asks_as_little_for_three_as_for_one(client, cycle, staff):
    rich(9)
    shown(client, staff, PAGE)  # warm
    counts = []
    for more in ([], [5, 7]):
        rich(*more)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            page = shown(client, staff, PAGE + "?show=losing")
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert page.count("?year=2025") >= 3
    assert "没有符合条件的人" in shown(client, staff, PAGE + "?show=frozen")
    assert "甲0" in shown(client, staff, PAGE + "?q=甲0")


def test_a_secretary_comes_to_the_call_list_while_a_year_ends(client, cycle, head):
    branch = make_branch("甲支部")
    (person,) = rich(9)
    make_membership(person, branch)
    secretary, link = make_secretary(branch), f'href="{PAGE}calls/"'
    assert link not in shown(client, secretary, "/", at="2025-12-31 10:00 +0800")
    for at in ("2026-01-01 10:00 +0800", PUBLISHED):
        assert link in shown(client, secretary, "/", at=at)
    assert person.name in shown(client, secretary, f"{PAGE}calls/")
    assert link not in shown(client, make_user(role=Role.CONTACT), "/")
    with time_machine.travel(PUBLISHED):
        rollover.publish(cycle=cycle, homes={}, by=head)
    with time_machine.travel(POSTED):
        rollover.post_job(rollover.start(cycle=cycle, by=head))
    assert link not in shown(client, secretary, "/", at=POSTED)


def test_what_is_due_stands_on_the_offices_home(client, cycle, staff, head):
    rich(9)
    assert "积分该结转了" not in shown(client, staff, "/", "2026-01-31 10:00 +0800")
    for user in (staff, head):
        assert "2025 年的积分该结转了，请先看一遍，再公示" in shown(client, user, "/")


# ---- frozen accounts and what comes late ---------------------------------------------------------


def test_a_frozen_account_is_settled_from_the_pages_also_after_publishing(
    client, cycle, staff, head
):
    (person,) = rich(9)
    ledger.freeze(retiree=person, why="去世")
    account = Account.objects.get(retiree=person)
    assert "已冻结：去世" in shown(client, head, PAGE)
    sent(client, head, PAGE + "publish/")
    assert "还有 1 个冻结账户里有积分" in sent(client, head, PAGE + "start/", at=POSTED)
    sent(
        client, staff, f"/points/accounts/{account.pk}/settle/", at=POSTED, kind="family",
        receiver="女儿", reason="家属申请",
    )  # fmt: skip
    asked = account.settlements.get()
    sent(client, head, f"/points/settlements/{asked.pk}/decide/", at=POSTED, agreed="yes")
    assert balance(person) == 0
    assert "看看办好了没有" in sent(client, head, PAGE + "start/", at=POSTED)


@pytest.mark.parametrize("agreed", ["yes", "no"])
def test_what_comes_after_the_close_is_decided_from_the_page(client, cycle, staff, head, agreed):
    (person,) = rich(9)
    sent(client, head, PAGE + "publish/")
    with time_machine.travel("2026-02-05 10:00 +0800"):
        late = awarded(person, 3, on=datetime.date(2025, 12, 30), by=staff)
    assert "有 1 笔这一年的积分送来晚了" in shown(client, staff, PAGE, "2026-02-05 10:00 +0800")
    with time_machine.travel(POSTED):
        rollover.post_job(rollover.start(cycle=cycle, by=head))
    address = f"/points/postings/{late.pk}/decide/"
    assert "要由另一个人审核" in sent(client, staff, address, at=POSTED, agreed="yes", words="好")
    sent(client, head, address, at=POSTED, agreed=agreed, words="看过签到表")
    assert balance(person, 2026) == (3 if agreed == "yes" else 0)
    state = Posting.objects.get(pk=late.pk).state
    assert state == {"yes": "posted", "no": "refused"}[agreed]


def test_a_correction_after_the_close_is_taken_from_the_new_year(client, cycle, staff, head):
    (person,) = rich(9)
    first = Posting.objects.get()
    with time_machine.travel("2026-01-30 10:00 +0800"):
        ledger.spend(key="s:1", retiree=person, cycle=cycle, amount=9, by=staff)
    sent(client, head, PAGE + "publish/")
    with time_machine.travel(POSTED):
        rollover.post_job(rollover.start(cycle=cycle, by=head))
        awarded(person, 20, on=datetime.date(2026, 2, 1), by=staff)
        assert ledger.reverse(source=first.source, by=staff) == "waiting"
    sent(client, head, f"/points/postings/{first.pk}/decide/", at=POSTED, agreed="yes")
    assert balance(person, 2026) == 11


def test_an_adjustment_asked_for_before_is_refused_after_publishing(client, cycle, staff, head):
    (person,) = rich(9)
    with time_machine.travel("2026-01-30 10:00 +0800"):
        asked = actions.ask_adjustment(
            retiree=person, cycle=cycle, amount=5, reason="漏记", by=staff
        )
    sent(client, head, PAGE + "publish/")
    page = sent(client, head, f"/points/adjustments/{asked.pk}/decide/", agreed="yes")
    assert "这一年度的积分已不能变动" in page
    assert balance(person) == 9
