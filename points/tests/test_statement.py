"""The bankbook, line by line: what moved, what was cut, what could not be taken, what waits."""

import datetime

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cadres.roles import Role
from cadres.tests.make import make_retiree, make_user
from points import actions, ledger
from points.models import Account, Posting, Shortfall
from points.statement import policy, statement, summary, waiting
from points.tests.make import DAY, awarded, make_cycle, make_rule, published

pytestmark = pytest.mark.django_db


@pytest.fixture
def cycle():
    return make_cycle()


@pytest.fixture
def person():
    return make_retiree()


@pytest.fixture
def staff():
    return make_user(role=Role.OFFICE_STAFF, name="王科长")


@pytest.fixture
def head():
    return make_user(role=Role.OFFICE_HEAD, name="李局长")


def account(person, year=2025) -> Account:
    return Account.objects.get(retiree=person, cycle__year=year)


def told(person, year=2025) -> list[tuple]:
    """(what for, change, balance after, notes) of each line, the oldest first."""
    lines = statement(account(person, year))
    return [(line.words, line.points, line.balance, list(line.notes)) for line in lines]


def test_a_year_reads_like_a_bankbook(cycle, person, staff, head):
    ledger.award(
        source="a:1", retiree=person, code="training", on=DAY, by=staff, memo="数字素养培训"
    )
    ledger.spend(key="s:1", retiree=person, cycle=cycle, amount=2, by=staff, memo="食用油")
    ledger.refund(key="s:1", by=staff, memo="没有货")
    asked = actions.ask_adjustment(retiree=person, cycle=cycle, amount=-1, reason="多记", by=staff)
    actions.decide_adjustment(adjustment=asked, agreed=True, by=head)
    ledger.reverse(source="a:1", by=head, memo="没有到会")
    assert told(person) == [
        ("培训班、数字素养培训", 3, 3, []),
        ("兑换", -2, 1, []),
        ("兑换退回", 2, 3, []),
        ("手工减分", -1, 2, []),
        (
            "更正，收回：培训班、数字素养培训",
            -2,
            0,
            ["有 1 分已经用掉，以后得分先抵这一笔；还欠 1 分"],
        ),
    ]
    lines = statement(account(person))
    assert [line.who for line in lines] == [
        "王科长", "王科长", "王科长", "王科长经办，李局长审核", "李局长",
    ]  # fmt: skip
    assert lines[0].detail == "数字素养培训"
    found = summary(account(person), lines)
    assert (found.balance, found.earned, found.redeemed, found.owed) == (0, 1, 0, 1)
    assert found.deducted == 1  # by hand; what was taken back was never earned


def test_earned_is_told_apart_from_what_was_deducted(cycle, person, staff, head):
    make_rule("fine", direction="deduct", points=10, name="受通报")
    awarded(person, 4)
    for source in ("d:1", "d:2"):
        ledger.deduct(
            source=source, retiree=person, code="fine", on=DAY, by=staff, approved_by=head
        )
    ledger.reverse(source="d:2", by=head)  # the second was a mistake
    awarded(person, 9)  # pays the six that are owed
    lines = statement(account(person))
    found = summary(account(person), lines)
    assert (found.earned, found.deducted, found.balance, found.owed) == (13, 10, 3, 0)


def test_a_line_says_when_it_was_booked_if_that_was_another_day(cycle, person):
    for now, on in (
        ("2025-06-02 09:00 +0800", "2025-06-01"),
        ("2025-11-26 09:00 +0800", "2025-06-01"),
        ("2026-01-05 00:30 +0800", "2025-12-20"),
    ):
        with time_machine.travel(now):
            awarded(person, 1, on=datetime.date.fromisoformat(on))
    booked = [line.booked for line in statement(account(person))]
    assert booked == ["", "11月26日记账", "2026年1月5日记账"]


def test_the_last_balance_is_the_accounts(cycle, person):
    for number in range(20):
        ledger.award(source=f"a:{number}", retiree=person, code="study_meeting", on=DAY, by=None)
    ledger.spend(key="s:1", retiree=person, cycle=cycle, amount=7, by=None)
    assert statement(account(person))[-1].balance == account(person).balance == 23


def test_what_the_cap_cut_is_said_also_when_nothing_was_left(cycle, person):
    make_rule("narrow", points=4, cap_per_cycle=6, name="限分的事")
    for number in range(3):
        ledger.award(source=f"a:{number}", retiree=person, code="narrow", on=DAY, by=None)
    ledger.spend(key="s:1", retiree=person, cycle=cycle, amount=1, by=None)
    assert told(person) == [
        ("限分的事", 4, 4, []),
        ("限分的事", 2, 6, ["已达年度上限，少记 2 分"]),
        ("限分的事", 0, 6, ["已达年度上限，少记 4 分"]),
        ("兑换", -1, 5, []),
    ]


def test_what_could_not_be_taken_at_all_has_its_line_and_what_pays_it_too(cycle, person):
    awarded(person, 5)
    ledger.spend(key="s:1", retiree=person, cycle=cycle, amount=5, by=None)
    ledger.reverse(source=Posting.objects.get().source, by=None)
    awarded(person, 3)
    assert told(person) == [
        ("测试规则", 5, 5, []),
        ("兑换", -5, 0, []),
        ("更正，收回：测试规则", 0, 0, ["有 5 分已经用掉，以后得分先抵这一笔；还欠 2 分"]),
        ("测试规则", 3, 3, []),
        ("补扣以前欠扣的积分", -3, 0, []),
    ]


def test_a_deduction_says_what_was_short_and_waived(cycle, person, staff, head):
    make_rule("fine", direction="deduct", points=10, name="受通报")
    awarded(person, 4)
    ledger.deduct(source="d:1", retiree=person, code="fine", on=DAY, by=staff, approved_by=head)
    assert told(person)[1:] == [
        ("受通报", -4, 0, ["有 6 分已经用掉，以后得分先抵这一笔；还欠 6 分"])
    ]
    owed = Shortfall.objects.get()
    ledger.ask_waiver(shortfall=owed, by=staff, reason="困难")
    ledger.waive(shortfall=owed, agreed=True, by=head)
    assert told(person)[1][3] == ["有 6 分已经用掉，以后得分先抵这一笔；已免去 6 分；现在已不欠"]


def test_carrying_over_stands_in_both_years():
    cycle = make_cycle(2025, redeem_until=datetime.date(2026, 1, 31), carry_percent=50)
    person = make_retiree()
    with time_machine.travel("2025-12-01 10:00 +0800"):
        awarded(person, 10)
    with time_machine.travel("2026-02-01 10:00 +0800"):
        published(cycle)
        ledger.close(cycle=cycle, by=None)
    assert told(person)[1:] == [("转入下一年", -5, 5, []), ("到期作废", -5, 0, [])]
    assert told(person, 2026) == [("上一年转来", 5, 5, [])]
    old = summary(account(person), statement(account(person)))
    assert (old.earned, old.carried_out, old.expired, old.balance) == (10, 5, 5, 0)


def test_what_waits_and_what_was_refused_are_said(cycle, person, staff, head):
    awarded(person, 1)
    ledger.freeze(retiree=person, why="转出")
    late = ledger.award(source="l:1", retiree=person, code="study_meeting", on=DAY, by=staff)
    (found,) = waiting(person)
    assert (found.points, found.why) == (2, "等办公室审核：账户已冻结")
    ledger.refuse(posting=late, by=head, reason="没有签到")
    assert waiting(person) == []
    assert told(person)[1][3] == ["审核后没有入账（应得 2 分）：没有签到"]


def test_until_when_points_count_is_said_in_words(cycle):
    cycle = make_cycle(2024, redeem_until=datetime.date(2026, 1, 31))
    today = datetime.date(2025, 12, 1)
    assert policy(cycle, today).startswith("这些积分到 2026年1月31日 为止兑换。到期没有用完的作废")
    cycle.carry_percent, cycle.carry_cap = 50, 20
    assert "50% 转入下一年，最多 20 分" in policy(cycle, today)
    assert "兑换期已过" in policy(cycle, datetime.date(2026, 2, 1))


def test_a_long_bankbook_asks_as_little_as_a_short_one(cycle, person):
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            lines = statement(account(person))
            summary(account(person), lines)
            waiting(person)
        return len(found)

    awarded(person, 3)
    few = queries()
    ledger.spend(key="s:0", retiree=person, cycle=cycle, amount=3, by=None)
    ledger.reverse(source=Posting.objects.get().source, by=None)
    for number in range(20):
        ledger.award(source=f"a:{number}", retiree=person, code="study_meeting", on=DAY, by=None)
    assert queries() == few
