"""The door: what is posted, cut, taken back, spent and given back."""

import datetime
from decimal import Decimal

import pytest
import time_machine

from cadres.roles import Role
from cadres.tests.make import make_retiree, make_user
from points import actions, ledger
from points.models import Account, CycleStatus, Posting, Shortfall, Transfer
from points.tests.make import DAY, awarded, balance, make_cycle, make_rich, make_rule, published

pytestmark = pytest.mark.django_db


@pytest.fixture
def cycle():
    return make_cycle()


@pytest.fixture
def person():
    return make_retiree()


@pytest.fixture
def staff():
    return make_user(role=Role.OFFICE_STAFF)


@pytest.fixture
def head():
    return make_user(role=Role.OFFICE_HEAD)


def award(person, source="x:1", code="study_meeting", on=DAY, **more):
    return ledger.award(source=source, retiree=person, code=code, on=on, by=None, **more)


def test_an_award_moves_points_from_issued_to_the_member(cycle, person):
    posting = award(person)
    assert (posting.due, posting.posted, posting.cut, posting.state) == (2, 2, 0, "posted")
    transfer = Transfer.objects.get()
    assert transfer.from_account.kind == "issued"
    assert transfer.to_account.retiree == person
    assert (transfer.key, transfer.amount, transfer.occurred_on) == ("x:1#1", 2, DAY)
    assert balance(person) == 2


def test_the_same_source_posts_once(cycle, person):
    for _ in range(100):
        award(person)
    assert balance(person) == 2
    assert Transfer.objects.count() == 1


def test_a_source_of_somebody_else_is_refused(cycle, person):
    award(person)
    with pytest.raises(ledger.SourceTakenError):
        award(make_retiree(name="别人"))


@pytest.mark.parametrize(
    ("minutes", "points"), [(14, 0), (15, 1), (44, 1), (45, 2), (60, 2), (150, 5), (165, 6)]
)
def test_points_of_hours_are_rounded_half_up_once(cycle, person, minutes, points):
    award(person, code="volunteer_hour", units=Decimal(minutes) / 60)
    assert balance(person) == points


def test_an_award_is_cut_to_what_the_cap_leaves(cycle, person):
    for number in range(20):
        award(person, source=f"x:{number}")
    assert balance(person) == 30
    last = Posting.objects.get(source="x:19")
    assert (last.due, last.posted, last.cut, last.transfer) == (2, 0, 2, None)


def test_a_batch_is_cut_in_its_order(cycle, person):
    causes = [ledger.Cause(f"b:{n:02d}", person.pk, "study_meeting", DAY) for n in range(20)]
    ledger.award_many(causes=causes, by=None)
    assert balance(person) == 30
    assert list(Posting.objects.order_by("source").values_list("posted", flat=True)) == (
        [2] * 15 + [0] * 5
    )


def test_reversing_frees_the_cap(cycle, person):
    for number in range(16):
        award(person, source=f"x:{number}")
    ledger.reverse(source="x:0", by=None)
    assert balance(person) == 28
    award(person, source="x:99")
    assert balance(person) == 30


def test_the_cap_counts_across_versions_of_a_rule(cycle, person):
    make_rule("dual", points=10, cap_per_cycle=15)
    make_rule("dual", points=10, cap_per_cycle=25, valid_from=datetime.date(2025, 6, 1))
    award(person, source="v:1", code="dual")
    award(person, source="v:2", code="dual")
    assert balance(person) == 15
    award(person, source="v:3", code="dual", on=datetime.date(2025, 6, 2))
    assert balance(person) == 25


def test_versions_in_one_batch_count_one_after_the_other(cycle, person):
    make_rule("dual", points=10, cap_per_cycle=5)
    make_rule("dual", points=10, cap_per_cycle=25, valid_from=datetime.date(2025, 6, 1))
    days = [DAY, DAY, datetime.date(2025, 6, 2), datetime.date(2025, 6, 3)]
    causes = [ledger.Cause(f"b:{n}", person.pk, "dual", day) for n, day in enumerate(days)]
    ledger.award_many(causes=causes, by=None)
    assert [p.posted for p in Posting.objects.order_by("source")] == [5, 0, 10, 10]


def test_a_rule_that_is_off_earns_nothing(cycle, person):
    make_rule("off", is_enabled=False)
    assert award(person, code="off") is None
    assert award(person, source="x:2", code="no_such_rule") is None
    assert not Posting.objects.exists()


def test_what_was_spent_cannot_be_taken_back_and_is_owed(cycle, person):
    award(person, code="honour_county")
    ledger.spend(key="s:1", retiree=person, cycle=cycle, amount=8, by=None)
    assert ledger.reverse(source="x:1", by=None) == "reversed"
    assert balance(person) == 0
    owed = Shortfall.objects.get()
    assert (owed.amount, owed.left) == (8, 8)
    award(person, source="x:2", code="honour_city")
    assert balance(person) == 7
    owed.refresh_from_db()
    assert owed.left == 0


def test_present_absent_present_comes_out_right(cycle, person):
    for _ in range(3):
        award(person)
        ledger.reverse(source="x:1", by=None)
        ledger.reverse(source="x:1", by=None)
    award(person)
    assert balance(person) == 2
    assert Posting.objects.get().revision == 4


def test_present_spent_absent_present_leaves_nothing_more(cycle, person):
    award(person)
    ledger.spend(key="s:1", retiree=person, cycle=cycle, amount=2, by=None)
    ledger.reverse(source="x:1", by=None)
    award(person)
    assert balance(person) == 0
    assert Shortfall.objects.get().left == 0


def test_a_deduction_takes_what_is_there_and_the_rest_is_owed(cycle, person, staff, head):
    make_rule("fine", direction="deduct", points=10)
    awarded(person, 4)
    posting = ledger.deduct(
        source="d:1", retiree=person, code="fine", on=DAY, by=staff, approved_by=head
    )
    assert (posting.due, posting.posted, posting.short) == (10, 4, 6)
    assert balance(person) == 0
    awarded(person, 10)
    assert balance(person) == 4
    assert ledger.reverse(source="d:1", by=None) == "reversed"
    assert balance(person) == 14


def test_a_reversed_deduction_is_owed_no_more(cycle, person):
    make_rule("fine", direction="deduct", points=10)
    ledger.deduct(source="d:1", retiree=person, code="fine", on=DAY, by=None)
    ledger.reverse(source="d:1", by=None)
    awarded(person, 5)
    assert balance(person) == 5
    owed = Shortfall.objects.get()
    assert (owed.left, owed.cancelled) == (0, 10)


def test_spending_more_than_there_is_is_refused(cycle, person):
    awarded(person, 5)
    with pytest.raises(ledger.InsufficientPointsError, match="现有 5 分"):
        ledger.spend(key="s:1", retiree=person, cycle=cycle, amount=6, by=None)


def test_a_key_spends_once_and_is_given_back_once(cycle, person):
    awarded(person, 10)
    for _ in range(3):
        ledger.spend(key="s:1", retiree=person, cycle=cycle, amount=4, by=None)
    assert balance(person) == 6
    for _ in range(3):
        ledger.refund(key="s:1", by=None)
    assert balance(person) == 10
    with pytest.raises(ledger.SourceTakenError):
        ledger.spend(key="s:1", retiree=person, cycle=cycle, amount=5, by=None)
    with pytest.raises(ledger.NothingThereError):
        ledger.refund(key="s:9", by=None)


def test_a_frozen_account_does_not_spend_and_its_awards_wait(cycle, person, staff, head):
    awarded(person, 10)
    ledger.freeze(retiree=person, why="去世")
    with pytest.raises(ledger.FrozenError):
        ledger.spend(key="s:1", retiree=person, cycle=cycle, amount=1, by=None)
    posting = ledger.award(source="late:1", retiree=person, code="study_meeting", on=DAY, by=staff)
    assert (posting.state, posting.waits_why) == ("waiting", "账户已冻结")
    with pytest.raises(ledger.SecondPersonError):
        ledger.supplement(posting=posting, by=staff)
    ledger.supplement(posting=posting, by=head, reason="属实")
    assert balance(person) == 12


def test_settling_empties_a_frozen_account_by_two_persons(cycle, person, staff, head):
    awarded(person, 10)
    account = Account.objects.get(retiree=person)
    with pytest.raises(ledger.NothingThereError):
        actions.ask_settlement(account=account, kind="paid", receiver="", reason="x", by=staff)
    ledger.freeze(retiree=person, why="去世")
    asked = actions.ask_settlement(
        account=account, kind="family", receiver="儿子张小三", reason="家属申请", by=staff
    )
    with pytest.raises(ledger.SecondPersonError):
        actions.decide_settlement(settlement=asked, agreed=True, by=staff)
    actions.decide_settlement(settlement=asked, agreed=True, by=head)
    actions.decide_settlement(settlement=asked, agreed=True, by=head)
    assert balance(person) == 0
    transfer = Transfer.objects.get(kind="settle")
    assert (transfer.posted_by, transfer.approved_by) == (staff, head)
    assert "儿子张小三" in transfer.memo


def test_an_adjustment_needs_a_second_person(cycle, person, staff, head):
    asked = actions.ask_adjustment(retiree=person, cycle=cycle, amount=7, reason="漏记", by=staff)
    with pytest.raises(ledger.SecondPersonError):
        actions.decide_adjustment(adjustment=asked, agreed=True, by=staff)
    assert balance(person) == 0
    for _ in range(2):
        actions.decide_adjustment(adjustment=asked, agreed=True, by=head)
    assert balance(person) == 7


def test_no_more_is_taken_by_hand_than_there_is(cycle, person, staff, head):
    awarded(person, 7)

    def minus(amount: int):
        return actions.ask_adjustment(
            retiree=person, cycle=cycle, amount=amount, reason="重复", by=staff
        )

    with pytest.raises(ledger.InsufficientPointsError, match="不能减 9 分。请填 7 分以内"):
        minus(-9)
    asked = minus(-7)
    ledger.spend(key="s:9", retiree=person, cycle=cycle, amount=3, by=staff)
    with pytest.raises(ledger.InsufficientPointsError, match=f"{person.name}在.*只剩 4 分.*不同意"):
        actions.decide_adjustment(adjustment=asked, agreed=True, by=head)
    asked.refresh_from_db()
    assert (asked.state, balance(person)) == ("waiting", 4)


def test_a_declined_adjustment_moves_nothing(cycle, person, staff, head):
    asked = actions.ask_adjustment(retiree=person, cycle=cycle, amount=7, reason="x", by=staff)
    actions.decide_adjustment(adjustment=asked, agreed=False, by=head)
    actions.decide_adjustment(adjustment=asked, agreed=True, by=head)
    assert balance(person) == 0


def test_criticism_costs_points_after_a_second_person(cycle, staff, head):
    person = make_rich(30)
    asked = actions.ask_deduction(
        retiree=person, code="criticism", on=DAY, reason="通报批评", by=staff
    )
    actions.decide_adjustment(adjustment=asked, agreed=True, by=head)
    assert balance(person) == 20


def test_what_comes_too_late_waits_and_goes_into_the_year_of_today(person, staff, head):
    make_cycle(2024, redeem_until=datetime.date(2025, 1, 31))
    make_cycle(2025)
    late = ledger.award(
        source="late:1", retiree=person, code="study_meeting", by=staff,
        on=datetime.date(2024, 12, 30),
    )  # fmt: skip
    assert late is None  # no rule counted in 2024
    make_rule("old")
    late = ledger.award(
        source="late:1", retiree=person, code="old", on=datetime.date(2024, 12, 30), by=staff
    )
    assert late.state == "waiting"
    with time_machine.travel("2025-12-01 10:00 +0800"):
        ledger.supplement(posting=late, by=head)
    assert (balance(person, 2024), balance(person, 2025)) == (0, 2)


def test_a_refused_late_cause_stays_refused(person, staff, head):
    make_cycle(2024, redeem_until=datetime.date(2025, 1, 31))
    make_cycle(2025)
    make_rule("old")
    on = datetime.date(2024, 12, 30)
    late = ledger.award(source="late:1", retiree=person, code="old", on=on, by=staff)
    ledger.refuse(posting=late, by=head, reason="没有签到")
    again = ledger.award(source="late:1", retiree=person, code="old", on=on, by=staff)
    assert again.state == "refused"
    assert ledger.reverse(source="late:1", by=staff) == "nothing"


def test_a_late_reversal_waits_and_is_taken_from_the_year_of_today(person, staff, head):
    make_rule("old")
    year = make_cycle(2024, redeem_until=datetime.date(2025, 1, 31), carry_percent=100)
    make_cycle(2025)
    on = datetime.date(2024, 12, 30)
    with time_machine.travel("2025-01-05 10:00 +0800"):
        ledger.award(source="r:1", retiree=person, code="old", on=on, by=staff)
        ledger.spend(key="s:1", retiree=person, cycle=year, amount=2, by=staff)
    with time_machine.travel("2025-12-01 10:00 +0800"):
        ledger.close(cycle=published(year), by=head)
        assert ledger.reverse(source="r:1", by=staff) == "waiting"
        awarded(person, 1)
        ledger.supplement(posting=Posting.objects.get(source="r:1"), by=head)
    assert balance(person, 2025) == 0
    assert Shortfall.objects.get().left == 1


def test_a_shortfall_is_waived_by_a_second_person(cycle, person, staff, head):
    make_rule("fine", direction="deduct", points=10)
    ledger.deduct(source="d:1", retiree=person, code="fine", on=DAY, by=None)
    owed = Shortfall.objects.get()
    assert ledger.waive(shortfall=owed, agreed=True, by=head) == 0
    ledger.ask_waiver(shortfall=owed, by=staff, reason="困难")
    with pytest.raises(ledger.SecondPersonError):
        ledger.waive(shortfall=owed, agreed=True, by=staff)
    assert ledger.waive(shortfall=owed, agreed=True, by=head) == 10
    awarded(person, 3)
    assert balance(person) == 3


def test_a_cause_of_the_future_is_refused(cycle, person):
    with pytest.raises(ledger.NotYetError):
        award(person, on=datetime.date(2199, 1, 1))


def test_closing_carries_by_policy_and_expires_the_rest():
    cycle = make_cycle(2025, redeem_until=datetime.date(2026, 1, 31))
    cycle.carry_percent, cycle.carry_cap = 50, 20
    cycle.save()
    people = [make_retiree(name=f"甲{n}") for n in range(3)]
    with time_machine.travel("2025-12-01 10:00 +0800"):
        for person, points in zip(people, (10, 101, 1), strict=True):
            awarded(person, points)
    with time_machine.travel("2026-02-01 10:00 +0800"):
        with pytest.raises(ledger.CycleClosedError):
            ledger.close(cycle=cycle, by=None)
        published(cycle)
        assert ledger.close(cycle=cycle, by=None, batch=2).status == CycleStatus.CLOSED
        ledger.close(cycle=cycle, by=None)
    assert [balance(p) for p in people] == [0, 0, 0]
    assert [balance(p, 2026) for p in people] == [5, 20, 0]


def test_closing_waits_for_the_ruling_on_frozen_accounts(person, staff, head):
    cycle = make_cycle(2025, redeem_until=datetime.date(2026, 1, 31))
    with time_machine.travel("2025-12-01 10:00 +0800"):
        awarded(person, 10)
    ledger.freeze(retiree=person, why="去世")
    with time_machine.travel("2026-02-01 10:00 +0800"):
        published(cycle)
        with pytest.raises(ledger.FrozenError):
            ledger.close(cycle=cycle, by=None)
        asked = actions.ask_settlement(
            account=Account.objects.get(retiree=person), kind="void", receiver="", reason="无家属",
            by=staff,
        )  # fmt: skip
        actions.decide_settlement(settlement=asked, agreed=True, by=head)
        assert ledger.close(cycle=cycle, by=None).status == CycleStatus.CLOSED
