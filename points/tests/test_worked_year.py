"""A year of five people, worked out by hand: every kind of event, the statement line by line.

The amounts come from the office's own rules (points_rules.csv): 到会 2, 上限 30；培训 3, 上限 12；
建言被采纳 5；县级荣誉 10；受通报批评 −10。
"""

import datetime

import pytest
import time_machine

from cadres.roles import Role
from cadres.tests.make import make_retiree, make_user
from points import actions, ledger
from points.audit import audit
from points.models import Account, Posting, Rule, Shortfall, Transfer
from points.statement import Line, statement
from points.tests.make import make_cycle, published

pytestmark = pytest.mark.django_db
HOLDS = "10:00 +0800"
MEETING = "主题党日、集中学习、三会一课到会："
TRAINING = "培训班、数字素养培训："


def lines(person, year: int) -> list[tuple]:
    """Day, what for, plus or minus, balance after, and notes: what a person's statement says."""
    account = Account.objects.get(retiree=person, cycle__year=year)
    found = statement(account)
    assert found[-1].balance == account.balance
    return [
        (f"{line.on:%m-%d}", _what(line), line.points, line.balance, *line.notes) for line in found
    ]


def _what(line: Line) -> str:
    return "：".join(filter(None, (line.words, line.detail)))


def spent_of(points: int, waived: str = "") -> str:
    """The note beside what could not be taken any more and is settled since."""
    return f"有 {points} 分已经用掉，以后得分先抵这一笔；{waived}现在已不欠"


class Year:
    """The office at work: who is awarded what on which day."""

    def __init__(self):
        self.cycle = make_cycle(
            2025, redeem_until=datetime.date(2026, 1, 31), carry_percent=50, carry_cap=20
        )
        self.staff = make_user(role=Role.OFFICE_STAFF, name="经办人")
        self.head = make_user(role=Role.OFFICE_HEAD, name="负责人")

    def on(self, day: str):
        """The clock stands on a day of 2025, or, `26-01-15`, of 2026."""
        day = day if day.count("-") == 2 else f"25-{day}"
        return time_machine.travel(f"20{day} {HOLDS}")

    def award(self, person, code: str, day: str, memo: str, sent: str = "") -> Posting:
        on = datetime.date.fromisoformat(f"2025-{day}")
        with self.on(sent or day):
            return ledger.award(
                source=f"{code}:{person.pk}:{day}", retiree=person, code=code, on=on,
                by=self.staff, memo=memo,
            )  # fmt: skip

    def close(self) -> None:
        with self.on("26-02-01"):
            published(self.cycle)
            ledger.close(cycle=self.cycle, by=self.head)


@pytest.fixture
def year():
    make = Year()
    # Deducting for absence is off by default; here the county has switched it on.
    absence = Rule.objects.get(code="absence")
    with make.on("01-02"):
        actions.change_rule(
            rule=absence, valid_from=datetime.date(2025, 1, 3), by=make.head, is_enabled=True
        )
    return make


@pytest.fixture(autouse=True)
def the_books_are_right():
    yield
    assert audit().findings == []


def test_zhang_comes_often_and_is_cut_at_the_cap(year):
    zhang = make_retiree(name="张大山")
    for month in range(1, 6):
        year.award(zhang, "training", f"{month:02d}-10", f"{month} 月培训")
    year.award(zhang, "suggestion_adopted", "06-01", "停车建言被采纳")
    year.close()
    assert lines(zhang, 2025) == [
        ("01-10", TRAINING + "1 月培训", 3, 3),
        ("02-10", TRAINING + "2 月培训", 3, 6),
        ("03-10", TRAINING + "3 月培训", 3, 9),
        ("04-10", TRAINING + "4 月培训", 3, 12),
        ("05-10", TRAINING + "5 月培训", 0, 12, "已达年度上限，少记 3 分"),
        ("06-01", "建言被采纳：停车建言被采纳", 5, 17),
        ("02-01", "转入下一年：2025 年积分转入下一年", -8, 9),
        ("02-01", "到期作废：2025 年积分到期", -9, 0),
    ]
    assert lines(zhang, 2026) == [("02-01", "上一年转来：2025 年结转的积分", 8, 8)]
    cut = Posting.objects.get(source=f"training:{zhang.pk}:05-10")
    assert (cut.due, cut.posted, cut.cut) == (3, 0, 3)


def test_li_is_absent_and_criticised(year):
    li = make_retiree(name="李文秀")
    year.award(li, "honour_county", "02-01", "县级先进")
    with year.on("03-01"):
        ledger.deduct(
            source="absent:1", retiree=li, code="absence", on=datetime.date(2025, 3, 1),
            by=year.staff, memo="3 月党日无故缺席",
        )  # fmt: skip
    with year.on("04-01"):
        asked = actions.ask_deduction(
            retiree=li, code="criticism", on=datetime.date(2025, 4, 1), reason="通报批评",
            by=year.staff,
        )  # fmt: skip
    with year.on("04-02"):
        actions.decide_adjustment(adjustment=asked, agreed=True, by=year.head)
    year.award(li, "study_meeting", "05-10", "5 月党日")
    assert lines(li, 2025) == [
        ("02-01", "获县级荣誉：县级先进", 10, 10),
        ("03-01", "无故缺席：3 月党日无故缺席", -2, 8),
        ("04-01", "受通报批评：通报批评", -8, 0, spent_of(2)),
        ("05-10", MEETING + "5 月党日", 2, 2),
        ("05-10", "补扣以前欠扣的积分：受通报批评", -2, 0),
    ]
    assert Shortfall.objects.get(retiree=li).left == 0
    criticism = Transfer.objects.get(memo="通报批评")
    assert (criticism.posted_by, criticism.approved_by) == (year.staff, year.head)


def test_wang_spends_what_is_taken_back_later(year):
    wang = make_retiree(name="王治国")
    year.award(wang, "honour_county", "02-01", "县级先进")
    with year.on("03-15"):
        ledger.spend(
            key="redemption:1", retiree=wang, cycle=year.cycle, amount=9, by=year.staff,
            memo="洗衣液一袋",
        )  # fmt: skip
    with year.on("04-01"):
        ledger.reverse(source=f"honour_county:{wang.pk}:02-01", by=year.staff, memo="荣誉录入有误")
    year.award(wang, "suggestion_adopted", "05-01", "修路建言被采纳")
    owed = Shortfall.objects.get(retiree=wang)
    assert (owed.amount, owed.left) == (9, 4)
    ledger.ask_waiver(shortfall=owed, by=year.staff, reason="非本人过错")
    ledger.waive(shortfall=owed, agreed=True, by=year.head)
    year.award(wang, "study_meeting", "06-10", "6 月党日")
    assert lines(wang, 2025) == [
        ("02-01", "获县级荣誉：县级先进", 10, 10),
        ("03-15", "兑换：洗衣液一袋", -9, 1),
        ("04-01", "更正，收回：获县级荣誉：荣誉录入有误", -1, 0, spent_of(9, "已免去 4 分；")),
        ("05-01", "建言被采纳：修路建言被采纳", 5, 5),
        ("05-01", "补扣以前欠扣的积分：获县级荣誉", -5, 0),
        ("06-10", MEETING + "6 月党日", 2, 2),
    ]


def test_zhao_is_adjusted_redeems_gives_back_and_comes_late(year):
    zhao = make_retiree(name="赵桂兰")
    year.award(zhao, "study_meeting", "01-10", "1 月党日")
    with year.on("02-01"):
        asked = actions.ask_adjustment(
            retiree=zhao, cycle=year.cycle, amount=6, reason="补记去年漏记的调解", by=year.staff
        )
        actions.decide_adjustment(adjustment=asked, agreed=True, by=year.head)
    with year.on("03-15"):
        ledger.spend(
            key="redemption:2", retiree=zhao, cycle=year.cycle, amount=5, by=year.staff,
            memo="预约：毛巾",
        )  # fmt: skip
    with year.on("03-16"):
        ledger.refund(key="redemption:2", by=year.staff, memo="取消预约：毛巾")
    year.award(zhao, "honour_county", "12-30", "县级先进", sent="26-01-20")
    year.close()
    late = year.award(zhao, "study_meeting", "12-28", "12 月党日", sent="26-03-01")
    assert (late.state, late.waits_why) == ("waiting", "送来时这一年已经结转")
    with year.on("26-03-05"):
        ledger.supplement(posting=late, by=year.head, reason="签到表属实")
    assert lines(zhao, 2025) == [
        ("01-10", MEETING + "1 月党日", 2, 2),
        ("02-01", "手工加分：补记去年漏记的调解", 6, 8),
        ("03-15", "兑换：预约：毛巾", -5, 3),
        ("03-16", "兑换退回：取消预约：毛巾", 5, 8),
        ("12-30", "获县级荣誉：县级先进", 10, 18),
        ("02-01", "转入下一年：2025 年积分转入下一年", -9, 9),
        ("02-01", "到期作废：2025 年积分到期", -9, 0),
    ]
    assert lines(zhao, 2026) == [
        ("02-01", "上一年转来：2025 年结转的积分", 9, 9),
        ("03-05", MEETING + "12 月党日", 2, 11),
    ]


def test_chen_dies_is_frozen_and_settled(year):
    chen = make_retiree(name="陈志远")
    year.award(chen, "honour_city", "02-01", "市级先进")
    with year.on("06-01"):
        ledger.freeze(retiree=chen, why="去世")
    late = year.award(chen, "study_meeting", "05-20", "5 月党日", sent="06-05")
    assert (late.state, late.waits_why) == ("waiting", "账户已冻结")
    with year.on("06-10"):
        ledger.supplement(posting=late, by=year.head, reason="去世前到会")
        asked = actions.ask_settlement(
            account=Account.objects.get(retiree=chen), kind="family", receiver="女儿陈小梅",
            reason="家属申请", by=year.staff,
        )  # fmt: skip
    with year.on("06-12"):
        actions.decide_settlement(settlement=asked, agreed=True, by=year.head)
    year.close()
    assert lines(chen, 2025) == [
        ("02-01", "获市级荣誉：市级先进", 15, 15),
        ("06-10", MEETING + "5 月党日", 2, 17),
        ("06-12", "账户结清：转给家属（女儿陈小梅）：家属申请", -17, 0),
    ]
    assert not Account.objects.filter(retiree=chen, cycle__year=2026).exists()


def test_the_year_adds_up(year):
    """Issued, redeemed, expired and carried over of three of them together, by hand."""
    test_li_is_absent_and_criticised(year)
    test_wang_spends_what_is_taken_back_later(year)
    test_zhang_comes_often_and_is_cut_at_the_cap(year)
    # 李 ends with 0; 王 with 2 (1 carried, 1 expired) after 9 redeemed; 张 with 17 (8 and 9).
    assert sums(2025) == {"issued": -28, "redeemed": 9, "expired": 10, "carried_out": 9}
    assert sums(2026) == {"carried_in": -9}


def sums(year: int) -> dict[str, int]:
    found = {}
    for account in Account.objects.filter(cycle__year=year, retiree=None):
        total = sum(t.amount for t in account.incoming.all())
        total -= sum(t.amount for t in account.outgoing.all())
        if total:
            found[account.kind] = total
    return found
