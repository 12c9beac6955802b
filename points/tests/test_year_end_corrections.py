"""What is found wrong between the last day of redeeming and the close, and after it."""

import datetime

import pytest
import time_machine
from django.db import connection

from cadres.models import Retiree, Status
from cadres.roles import Role
from cadres.tests.make import make_retiree, make_user
from points import actions, ledger, rollover
from points.audit import audit
from points.models import Account, Posting, Shortfall, Transfer
from points.tests.make import awarded, balance, make_cycle, make_rule
from points.tests.test_rollover_kills import DAY

pytestmark = pytest.mark.django_db
UNTIL = datetime.date(2021, 1, 31)
IN_YEAR, AFTER, POSTED = "2020-12-01", "2021-02-02 10:00 +0800", "2021-02-15 10:00 +0800"


@pytest.fixture
def head():
    return make_user(role=Role.OFFICE_HEAD, name="李局长")


@pytest.fixture
def staff():
    return make_user(role=Role.OFFICE_STAFF, name="王科长")


@pytest.fixture
def cycle():
    return make_cycle(2020, redeem_until=UNTIL)


@pytest.fixture
def person():
    return make_retiree(name="张三")


@pytest.fixture(autouse=True)
def the_books_are_right():
    yield
    assert audit().findings == []


def given(person, points, by=None) -> Posting:
    with time_machine.travel(IN_YEAR):
        return awarded(person, points, on=DAY, by=by)


def publish(cycle, head):
    with time_machine.travel(AFTER):
        rollover.publish(cycle=cycle, homes={}, by=head)
    cycle.refresh_from_db()


def post(cycle, head):
    with time_machine.travel(POSTED):
        rollover.post_job(rollover.start(cycle=cycle, by=head))


@time_machine.travel(AFTER)
def test_after_the_last_day_an_award_is_still_taken_back_in_its_year(cycle, person, staff):
    posting = given(person, 9)
    assert ledger.reverse(source=posting.source, by=staff) == "reversed"
    assert balance(person, 2020) == 0
    with pytest.raises(ledger.CycleClosedError):
        ledger.spend(key="s:1", retiree=person, cycle=cycle, amount=1, by=staff)


@time_machine.travel(AFTER)
def test_after_the_last_day_points_are_still_adjusted(cycle, person, staff, head):
    given(person, 9)
    asked = actions.ask_adjustment(retiree=person, cycle=cycle, amount=-4, reason="多记", by=staff)
    actions.decide_adjustment(adjustment=asked, agreed=True, by=head)
    assert balance(person, 2020) == 5


def test_a_correction_that_waits_holds_up_posting_until_it_is_decided(cycle, person, staff, head):
    posting = given(person, 9)
    make_cycle(2021)
    publish(cycle, head)
    with time_machine.travel(POSTED):
        assert ledger.reverse(source=posting.source, by=staff) == "waiting"
        with pytest.raises(rollover.RolloverRefusedError, match="还有 1 笔更正等审核"):
            rollover.start(cycle=cycle, by=head)
        with pytest.raises(ledger.PublishedError):
            ledger.supplement(posting=posting, by=head)
        assert balance(person, 2020) == 9
        rollover.withdraw(cycle=cycle, reason="有一笔要更正", by=head)
        assert ledger.supplement(posting=posting, by=head, reason="属实") == "sent"
    assert balance(person, 2020) == 0
    taken = Transfer.objects.get(kind="reverse")
    assert (taken.posted_by, taken.approved_by) == (staff, head)
    assert not Shortfall.objects.exists()


def test_a_correction_that_is_refused_holds_nothing_up(cycle, person, staff, head):
    posting = given(person, 9)
    publish(cycle, head)
    with time_machine.travel(POSTED):
        ledger.reverse(source=posting.source, by=staff)
        ledger.refuse(posting=posting, by=head, reason="不属实")
        rollover.start(cycle=cycle, by=head)


def late_reversals(cycle, person, staff, head, *amounts, spent: int = 0) -> list[int]:
    """What is left to be taken for each award of a closed year."""
    postings = [given(person, amount) for amount in amounts]
    if spent:
        with time_machine.travel(IN_YEAR):
            ledger.spend(key="s:1", retiree=person, cycle=cycle, amount=spent, by=staff)
    make_cycle(2021)
    publish(cycle, head)
    post(cycle, head)
    with time_machine.travel("2021-03-01 10:00 +0800"):
        for posting in postings:
            assert ledger.reverse(source=posting.source, by=staff) == "waiting"
            ledger.supplement(posting=posting, by=head, reason="属实")
    owed = Shortfall.objects.order_by("pk")
    assert [one.amount for one in owed] == list(amounts)
    return [one.left for one in owed]


def test_what_has_expired_is_not_taken_a_second_time(cycle, person, staff, head):
    assert late_reversals(cycle, person, staff, head, 9, 5) == [0, 0]


def test_what_was_spent_of_a_closed_year_is_still_owed(cycle, person, staff, head):
    assert late_reversals(cycle, person, staff, head, 6, 4, spent=7) == [3, 4]


def test_what_expired_counts_once(cycle, person, staff, head):
    with time_machine.travel(IN_YEAR):
        first = awarded(person, 8, on=DAY)
        ledger.spend(key="s:1", retiree=person, cycle=cycle, amount=6, by=staff)
    make_cycle(2021)
    second = given(person, 5)
    publish(cycle, head)
    post(cycle, head)  # 7 expire
    with time_machine.travel("2021-03-01 10:00 +0800"):
        awarded(person, 20, on=datetime.date(2021, 2, 1))
        for posting, left in ((second, 20), (first, 14)):
            ledger.reverse(source=posting.source, by=staff)
            ledger.supplement(posting=posting, by=head, reason="属实")
            assert balance(person, 2021) == left


# ---- the departed --------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "why"), [("deceased", "去世"), ("moved_away", "转出")])
def test_an_account_of_somebody_departed_begins_frozen(cycle, person, staff, head, status, why):
    fields = {"status": status}
    fields["died_on" if status == "deceased" else "moved_away_on"] = datetime.date(2020, 4, 1)
    Retiree.objects.filter(pk=person.pk).update(**fields)
    with time_machine.travel(IN_YEAR):
        late = awarded(person, 6, on=DAY, by=staff)
        assert (late.state, late.waits_why) == ("waiting", "本人已去世或转出")
        ledger.supplement(posting=late, by=head, reason="属实")
    account = Account.objects.get(retiree=person)
    assert (account.balance, account.frozen_why) == (6, why)
    asked = actions.ask_settlement(
        account=account, kind="family", receiver="女儿", reason="家属申请", by=staff
    )
    actions.decide_settlement(settlement=asked, agreed=True, by=head)
    assert balance(person, 2020) == 0


def test_an_account_of_somebody_here_does_not(cycle, person):
    """Without its own condition the trigger would freeze everybody."""
    given(person, 6)
    assert person.status == Status.ACTIVE
    assert Account.objects.get(retiree=person).frozen_at is None
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM points_account WHERE frozen_at IS NOT NULL")
        assert cursor.fetchone()[0] == 0


# ---- by two persons ------------------------------------------------------------------------------


@pytest.mark.parametrize("values", [{"points": 7}, {"is_enabled": False}])
def test_a_deduction_is_not_booked_with_other_points_than_were_approved(
    cycle, person, staff, head, values
):
    rule = make_rule("fine", direction="deduct", points=4)
    with time_machine.travel(IN_YEAR):
        awarded(person, 20, on=DAY)
        on = datetime.date(2020, 12, 1)
        asked = actions.ask_deduction(retiree=person, code="fine", on=on, reason="批评", by=staff)
        actions.change_rule(rule=rule, valid_from=on, by=head, **values)
        with pytest.raises(ledger.LedgerRefusedError, match="这条规则后来改了"):
            actions.decide_adjustment(adjustment=asked, agreed=True, by=head)
    asked.refresh_from_db()
    assert asked.state == "waiting"
    assert balance(person, 2020) == 20


@pytest.mark.parametrize("is_known", [False, True])
def test_a_cause_of_a_year_without_books_says_so(cycle, person, staff, is_known):
    make_rule("old", valid_from=datetime.date(2010, 1, 1))
    on = datetime.date(2019, 5, 1)
    with time_machine.travel(IN_YEAR):
        cause = {"retiree": person, "code": "old", "on": on, "by": staff}
        if is_known:  # sent, taken back, sent again: the other way through the door
            ledger.award(source="x:1", **cause)
            ledger.reverse(source="x:1", by=staff)
        late = ledger.award(source="x:1", **cause)
    assert (late.state, late.waits_why) == ("waiting", "这一年还没有开账")
