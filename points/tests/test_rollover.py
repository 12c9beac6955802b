"""The year's end: previewed, published, posted by a job, closed; refused steps change nothing."""

import datetime

import pytest
import time_machine

from cadres import workdays
from cadres.jobs import Job
from cadres.tests.make import make_retiree, make_user
from points import actions, ledger, notices, rollover
from points.audit import audit
from points.ledger import LedgerRefusedError
from points.models import Account, Cycle, CycleStatus, Posting, PublicNotice, Rollover, Transfer
from points.outcome import people, totals
from points.redemption import finish, reserve
from points.tests import books
from points.tests.make import awarded, balance, make_cycle, make_day, make_stock

pytestmark = pytest.mark.django_db
UNTIL = datetime.date(2026, 1, 31)
IN_YEAR, LATE = "2025-12-01 10:00 +0800", "2026-01-20 10:00 +0800"
#: 2026-02-02 is a Monday: its notice stands to Monday the 9th.
PUBLISHED, POSTED = "2026-02-02 10:00 +0800", "2026-02-10 10:00 +0800"


@pytest.fixture
def head():
    return make_user(name="李局长")


@pytest.fixture
def staff():
    return make_user(name="王科长")


@pytest.fixture
def cycle():
    return make_cycle(2025, redeem_until=UNTIL, carry_percent=50, carry_cap=20)


def rich(*points: int) -> list:
    found = [make_retiree(name=f"甲{n}") for n in range(len(points))]
    with time_machine.travel(IN_YEAR):
        for person, much in zip(found, points, strict=True):
            awarded(person, much)
    return found


def published(cycle, head, at: str = PUBLISHED) -> PublicNotice:
    with time_machine.travel(at):
        return rollover.publish(cycle=cycle, homes={}, by=head)


def posted(cycle, head, at: str = POSTED) -> Job:
    with time_machine.travel(at):
        job = rollover.start(cycle=cycle, by=head)
        rollover.post_job(job)
    return job


def fresh(cycle) -> Cycle:
    return Cycle.objects.get(pk=cycle.pk)


def refused(act, words: str) -> None:
    """The step is refused with these words and nothing has changed."""
    before, jobs, papers = books.checksum(), Job.objects.count(), PublicNotice.objects.count()
    with pytest.raises(LedgerRefusedError, match=words):
        act()
    assert (books.checksum(), Job.objects.count(), PublicNotice.objects.count()) == (
        before, jobs, papers,
    )  # fmt: skip


# ---- the way it goes -----------------------------------------------------------------------------


def test_what_is_previewed_is_what_is_posted(cycle, head):
    rich(10, 101, 1, 7)
    before = list(people(cycle).order_by("pk").values("retiree", "held", "carried", "expiring"))
    assert [(row["held"], row["carried"], row["expiring"]) for row in before] == [
        (10, 5, 5), (101, 20, 81), (1, 0, 1), (7, 3, 4),
    ]  # fmt: skip
    sums = totals(people(cycle))
    assert sums == {
        "people": 4, "losing": 4, "held": 119, "reserved": 0, "carried": 28, "expiring": 91
    }  # fmt: skip
    published(cycle, head)
    posted(cycle, head)
    assert fresh(cycle).status == CycleStatus.CLOSED
    after = list(people(cycle).order_by("pk").values("retiree", "held", "carried", "expiring"))
    assert after == before
    assert totals(people(cycle)) == sums
    carried = Account.objects.of_members().filter(cycle__year=2026).order_by("retiree")
    assert list(carried.values_list("balance", flat=True)) == [5, 20, 3]
    assert audit().findings == []


def test_while_it_posts_the_page_is_told_how_far_it_is(cycle, head, monkeypatch, settings):
    settings.POINTS_BATCH = 1
    rich(10, 101, 1)
    published(cycle, head)
    told, tell = [], rollover.jobs.tell
    monkeypatch.setattr(
        rollover.jobs, "tell", lambda job, *said: (told.append(said), tell(job, *said))
    )
    job = posted(cycle, head)
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert {*told} == {(f"已结转 {n} 个账户，共 3 个", n, 3) for n in range(4)}
    job.refresh_from_db()
    assert (job.words, job.done, job.total) == ("已结转 3 个账户，共 3 个", 3, 3)


def test_nothing_is_carried_unless_the_head_says_so(head):
    cycle = make_cycle(2025, redeem_until=UNTIL)
    (person,) = rich(9)
    published(cycle, head)
    posted(cycle, head)
    assert balance(person, 2026) == 0
    assert Transfer.objects.get(kind="expire").amount == 9


def test_the_transfers_say_when_and_by_whom(cycle, head):
    rich(9)
    published(cycle, head)
    posted(cycle, head)
    found = Transfer.objects.filter(kind__in=["expire", "carry"])
    assert {(t.occurred_on, t.posted_by) for t in found} == {(datetime.date(2026, 2, 10), head)}


def test_from_publishing_to_posting_nothing_moves_and_what_comes_waits(cycle, head):
    (person,) = rich(9)
    published(cycle, head)
    with time_machine.travel("2026-02-03 10:00 +0800"):
        refused(
            lambda: ledger.spend(key="s", retiree=person, cycle=cycle, amount=1, by=None),
            "不能变动",
        )
        late = awarded(person, 3, on=datetime.date(2025, 12, 30))
    assert late.state == "waiting"
    posted(cycle, head)
    assert balance(person, 2026) == 4


# ---- refused -------------------------------------------------------------------------------------


def test_it_is_not_published_before_the_last_day_of_redeeming_is_over(cycle, head):
    rich(9)
    with time_machine.travel("2026-01-31 23:00 +0800"):
        refused(
            lambda: rollover.publish(cycle=cycle, homes={}, by=head), "到 2026年1月31日还可以兑换"
        )


def test_it_is_not_published_while_a_reservation_is_open(cycle, head):
    (person,) = rich(9)
    with time_machine.travel(LATE):
        day = make_day(datetime.date(2026, 1, 25), cycle=cycle)
        stock = make_stock(day, "毛巾", 4, brought=3)
        reserve(key=UUID, day=day, retiree=person, basket={stock.pk: 1}, by=head)
    assert totals(people(cycle))["reserved"] == 4
    with time_machine.travel(PUBLISHED):
        refused(lambda: rollover.publish(cycle=cycle, homes={}, by=head), "还有 1 份预约没有领取")
        finish(day=day, by=head)
    published(cycle, head)
    posted(cycle, head)
    assert balance(person, 2026) == 4  # half of nine: the four came back


UUID = "11111111-1111-4111-8111-111111111111"


def test_it_is_not_posted_unless_published(cycle, head):
    rich(9)
    with time_machine.travel(POSTED):
        refused(lambda: rollover.start(cycle=cycle, by=head), "还没有公示")


def test_it_is_not_posted_before_the_notice_has_stood_five_working_days(cycle, head):
    rich(9)
    assert published(cycle, head).closes_on == datetime.date(2026, 2, 9)
    with time_machine.travel("2026-02-09 23:00 +0800"):
        refused(lambda: rollover.start(cycle=cycle, by=head), "公示到 2026年2月9日为止")


def test_it_is_not_posted_while_an_objection_is_open(cycle, head, staff):
    rich(9)
    notice = published(cycle, head)
    with time_machine.travel("2026-02-05 10:00 +0800"):
        said = notices.object_to(notice=notice, text="少算了", by=staff)
    with time_machine.travel(POSTED):
        refused(lambda: rollover.start(cycle=cycle, by=head), "意见还有 1 件没有办完")
        notices.answer(objection=said, is_justified=False, words="已核对，无误。", by=staff)
    posted(cycle, head)
    assert fresh(cycle).status == CycleStatus.CLOSED


def test_it_is_not_posted_while_a_frozen_account_holds_points(cycle, head, staff):
    (person,) = rich(9)
    published(cycle, head)
    ledger.freeze(retiree=person, why="去世")
    assert totals(people(cycle)) | {"people": 1} == {
        "people": 1, "losing": 0, "held": 9, "reserved": 0, "carried": 0, "expiring": 0
    }  # fmt: skip
    with time_machine.travel(POSTED):
        refused(lambda: rollover.start(cycle=cycle, by=head), "还有 1 个冻结账户里有积分")
        asked = actions.ask_settlement(
            account=Account.objects.get(retiree=person), kind="family", receiver="儿子", by=staff,
            reason="家属申请",
        )  # fmt: skip
        actions.decide_settlement(settlement=asked, agreed=True, by=head)
    posted(cycle, head)
    assert fresh(cycle).status == CycleStatus.CLOSED
    assert not Transfer.objects.filter(kind="expire").exists()
    assert audit().findings == []


def test_an_account_frozen_after_the_start_stops_the_job_and_it_goes_on_afterwards(cycle, head):
    (person,) = rich(9)
    published(cycle, head)
    with time_machine.travel(POSTED):
        job = rollover.start(cycle=cycle, by=head)
        ledger.freeze(retiree=person, why="去世")
        with pytest.raises(ledger.FrozenError):
            rollover.post_job(job)
        Job.objects.filter(pk=job.pk).update(state="failed")
        ledger.unfreeze(retiree=person)
        again = rollover.start(cycle=cycle, by=head)
        assert again.pk != job.pk
        rollover.post_job(again)
    assert fresh(cycle).status == CycleStatus.CLOSED


def test_the_policy_stands_once_it_is_published(cycle, head):
    rich(9)
    published(cycle, head)
    refused(
        lambda: rollover.set_policy(cycle=cycle, carry_percent=90, carry_cap=None, by=head),
        "结转已经公示",
    )


# ---- withdrawn -----------------------------------------------------------------------------------


def test_withdrawn_it_moves_again_and_is_published_anew(cycle, head):
    (person,) = rich(9)
    first = published(cycle, head)
    with time_machine.travel("2026-02-03 10:00 +0800"):
        refused(lambda: rollover.withdraw(cycle=cycle, reason=" ", by=head), "请写明为什么撤回")
        rollover.withdraw(cycle=cycle, reason="漏了一个人", by=head)
    first.refresh_from_db()
    assert (first.state, first.reason, fresh(cycle).published_at) == (
        "withdrawn",
        "漏了一个人",
        None,
    )
    second = published(cycle, head, "2026-02-04 10:00 +0800")
    assert second.pk != first.pk
    posted(cycle, head, "2026-02-12 10:00 +0800")
    assert balance(person, 2026) == 4


def test_once_posting_has_begun_it_is_not_withdrawn(cycle, head):
    rich(9, 8)
    published(cycle, head)
    with time_machine.travel(POSTED):
        rollover.start(cycle=cycle, by=head)
        refused(lambda: rollover.withdraw(cycle=cycle, reason="x", by=head), "已经开始记账")
        rollover.post_job(Rollover.objects.get().job)
        refused(lambda: rollover.withdraw(cycle=cycle, reason="x", by=head), "已经开始记账")


# ---- again and late ------------------------------------------------------------------------------


def test_done_again_it_does_nothing(cycle, head):
    rich(9, 4)
    first = published(cycle, head)
    assert published(cycle, head) == first
    job = posted(cycle, head)
    before = books.checksum()
    assert posted(cycle, make_user()) == job
    assert books.checksum() == before
    assert Job.objects.count() == 1


def test_late_causes_before_between_and_after(cycle, head, staff):
    """Late but in time: into the old year. From publishing on: into the new one, by two persons."""
    (person,) = rich(10)
    day = datetime.date(2025, 12, 30)
    with time_machine.travel(LATE):
        before = awarded(person, 2, on=day, by=staff)
    published(cycle, head)
    with time_machine.travel("2026-02-05 10:00 +0800"):
        between = awarded(person, 3, on=day, by=staff)
    posted(cycle, head)
    with time_machine.travel("2026-03-01 10:00 +0800"):
        after = awarded(person, 4, on=day, by=staff)
        assert [before.state, between.state, after.state] == ["posted", "waiting", "waiting"]
        ledger.supplement(posting=between, by=head, reason="属实")
        ledger.refuse(posting=after, by=head, reason="没有签到")
        back = ledger.reverse(source=before.source, by=staff)
    assert back == "waiting"
    assert (balance(person, 2025), balance(person, 2026)) == (0, 6 + 3)
    assert Posting.objects.get(pk=after.pk).state == "refused"
    assert audit().findings == []


# ---- by itself -----------------------------------------------------------------------------------


def test_the_year_turns_by_itself_once():
    old = make_cycle(2025, redeem_until=UNTIL)
    for at in ("2025-12-31 23:30 +0800", "2026-01-01 00:30 +0800", "2026-01-01 01:30 +0800"):
        with time_machine.travel(at):
            rollover.turn_year(on=datetime.date.fromisoformat(at[:10]))
        closing = "closing" if at[:4] == "2026" else "open"
        assert fresh(old).status == closing
    assert list(Cycle.objects.values_list("year", "status")) == [(2026, "open"), (2025, "closing")]


def test_a_year_whose_redeeming_is_over_is_proposed(cycle, head):
    rich(9)
    assert not rollover.proposed(UNTIL).exists()
    assert list(rollover.proposed(UNTIL + datetime.timedelta(1))) == [cycle]
    published(cycle, head)
    posted(cycle, head)
    assert not rollover.proposed(datetime.date(2026, 2, 11)).exists()


@pytest.mark.parametrize(
    ("day", "until"),
    [
        ("2026-02-02", "2026-02-09"), ("2026-02-06", "2026-02-13"), ("2026-02-07", "2026-02-13"),
        ("2026-02-12", "2026-02-26"),
    ],
)  # fmt: skip
def test_five_working_days_leave_out_weekends_and_the_spring_festival(day, until):
    opens_on = datetime.date.fromisoformat(day)
    assert workdays.after(opens_on, notices.WORKING_DAYS).isoformat() == until
