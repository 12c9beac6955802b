"""The proof of the books finds what a hand has done to them, and nothing else."""

import datetime
import uuid

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection

from cadres.models import Retiree
from cadres.tests.make import make_retiree, make_user
from conftest import without_guards
from points import ledger, redemption
from points.audit import CHECKS, audit
from points.models import Account
from points.tests.make import (
    DAY,
    awarded,
    make_cycle,
    make_day,
    make_rich,
    make_stock,
    published,
)

pytestmark = pytest.mark.django_db(transaction=True)
#: What somebody with the owner's password could do, and the check that finds it.
HANDS = {
    "balance": "UPDATE points_account SET balance = balance + 1 WHERE kind = 'member'",
    "zero": "UPDATE points_account SET balance = balance + 1 WHERE kind = 'member'",
    "life": "UPDATE points_transfer SET occurred_on = '2019-01-01'",
    "reversal": "UPDATE points_transfer SET amount = amount + 5 WHERE reverses_id IS NOT NULL",
    "posting": "UPDATE points_posting SET posted = posted + 1, due = due + 1 WHERE posted > 0",
    "cause": "UPDATE points_transfer SET posting_id = NULL WHERE kind = 'award'",
    "cap": "UPDATE points_posting SET posted = 99, due = 99 WHERE cut = 0 AND posted = 2",
    "shortfall": 'UPDATE points_shortfall SET "left" = "left" - 1',
    "stock": "UPDATE points_daystock SET taken = taken - 1",
    "redemption": "UPDATE points_redemption SET state = 'collected' WHERE state = 'cancelled'",
    "carry": "UPDATE points_transfer SET amount = amount + 1 WHERE key LIKE 'carry-in%'",
}
_FIRST = "id = (SELECT min(id) FROM points_posting WHERE transfer_id IS NOT NULL)"
_AWARD = "id = (SELECT min(transfer_id) FROM points_posting)"
_COPY = (
    "INSERT INTO points_transfer (cycle_id, from_account_id, to_account_id, amount, kind, key,"
    " occurred_on, posted_at, memo, posting_id, reverses_id) SELECT cycle_id, {}, amount, {},"
    " 'x', occurred_on, posted_at, '', posting_id, {} FROM points_transfer WHERE " + _AWARD
)
#: More of them, each in a single row of many that are right.
SINGLE_HANDS = [
    ("life", f"UPDATE points_transfer SET occurred_on = '2199-01-01' WHERE {_AWARD}"),
    ("life", f"UPDATE points_transfer SET cycle_id = 9999 WHERE {_AWARD}"),
    ("life", f"UPDATE points_transfer SET to_account_id = 9999 WHERE {_AWARD}"),
    ("posting", f"UPDATE points_posting SET account_id = NULL WHERE {_FIRST}"),
    ("posting", f"UPDATE points_posting SET transfer_id = 9999 WHERE {_FIRST}"),
    ("posting", f"UPDATE points_posting SET transfer_id = transfer_id + 1 WHERE {_FIRST}"),
    ("posting", "UPDATE points_posting SET account_id = (SELECT max(id) FROM points_account"
     f" WHERE kind = 'member') WHERE {_FIRST}"),
    ("posting", f"UPDATE points_transfer SET amount = amount + 1 WHERE {_AWARD}"),
    ("posting", _COPY.format("to_account_id, from_account_id", "'reverse'", "id")),
    ("cause", _COPY.format("from_account_id, to_account_id", "'award'", "NULL")),
    ("cause", "UPDATE points_transfer SET posting_id = (SELECT max(id) FROM points_posting)"
     f" WHERE {_AWARD}"),
]  # fmt: skip


def make_books() -> None:
    """A little of everything."""
    cycle, person = make_cycle(), make_retiree()
    for number in range(3):
        ledger.award(source=f"a:{number}", retiree=person, code="study_meeting", on=DAY, by=None)
    awarded(person, 20)
    ledger.spend(key="s:1", retiree=person, cycle=cycle, amount=24, by=None)
    ledger.spend(key="s:2", retiree=person, cycle=cycle, amount=2, by=None)
    ledger.refund(key="s:2", by=None)
    ledger.reverse(source="a:0", by=None)
    ledger.reverse(source="a:1", by=None)
    make_redemptions(make_rich(50, name="李四"))


def make_redemptions(person: Retiree) -> None:
    """One that was handed out, and one that was given back."""
    day, user = make_day(), make_user()
    soap = make_stock(day, "香皂", 10, brought=5)
    asked = {"day": day, "retiree": person, "basket": {soap.pk: 1}, "by": user}
    redemption.serve(key=uuid.uuid4(), **asked)
    gone = redemption.serve(key=uuid.uuid4(), **asked)
    redemption.cancel(redemption=gone, by=user, is_office=True)


def make_carried_books() -> None:
    """A year that was closed, half of it carried over."""
    cycle = make_cycle(2025, redeem_until=datetime.date(2026, 1, 31), carry_percent=50)
    with time_machine.travel("2025-12-01 10:00 +0800"):
        awarded(make_retiree(), 10)
    with time_machine.travel("2026-02-01 10:00 +0800"):
        published(cycle)
        ledger.close(cycle=cycle, by=None)


def run(statement: str) -> None:
    with without_guards(), connection.cursor() as cursor:
        cursor.execute(statement)


def codes() -> set[str]:
    return {finding["code"] for finding in audit().findings}


def test_books_that_only_the_door_has_written_are_right():
    make_books()
    assert audit().findings == []
    call_command("audit_ledger")


@pytest.mark.parametrize("code", HANDS)
def test_a_hand_in_the_books_is_found(code):
    make_carried_books() if code == "carry" else make_books()
    assert not codes()
    run(HANDS[code])
    assert code in codes()
    with pytest.raises(SystemExit) as ended:
        call_command("audit_ledger")
    assert ended.value.code == 1


@pytest.mark.parametrize(("code", "hand"), SINGLE_HANDS)
def test_one_row_changed_among_many_is_found(code, hand):
    make_books()
    run(hand)
    assert code in codes()


def test_every_check_has_a_hand_that_it_finds():
    assert {check.code for check in CHECKS} == HANDS.keys()


def test_the_account_is_named(capsys):
    make_books()
    run(HANDS["balance"])
    with pytest.raises(SystemExit):
        call_command("audit_ledger")
    account = Account.objects.of_members().first()
    assert f"账户 {account.pk}" in capsys.readouterr().err
