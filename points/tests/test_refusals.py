"""What the database refuses whoever asks: the run-time role has no right to it, and for the owner
the guards and constraints stand."""

import contextlib
import datetime

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.db.models import ProtectedError

from cadres.tests.make import make_retiree, make_user
from points import ledger
from points.models import Account, Cycle, Transfer
from points.tests import books
from points.tests.make import awarded, make_cycle, make_day, make_stock, published

pytestmark = pytest.mark.django_db
NOT_ALLOWED, MAY_ONLY_GROW = "permission denied", "may only grow"
COLUMNS = """cycle_id, from_account_id, to_account_id, amount, kind, key, occurred_on, posted_at,
    memo"""


@contextlib.contextmanager
def as_owner():
    """The block's statements run as the owner, in this test's own transaction."""
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        yield
        cursor.execute("SET ROLE cadres_app")


@pytest.fixture
def at():
    """A year that is closed, one that is open, and what stands in them: names for statements."""
    old = make_cycle(2024, redeem_until=datetime.date(2025, 1, 31))
    new, person, other = make_cycle(2025), make_retiree(), make_retiree(name="李四")
    with time_machine.travel("2024-12-20 10:00 +0800"):
        awarded(person, 7, on=datetime.date(2024, 12, 1))
    with time_machine.travel("2025-03-01 10:00 +0800"):
        published(old)
        ledger.close(cycle=old, by=None)
        awarded(person, 10)
        awarded(other, 10)
        ledger.spend(key="s:1", retiree=person, cycle=new, amount=4, by=None)
        ledger.refund(key="s:1", by=None)
    member = Account.objects.get(retiree=person, cycle=new)
    run("SELECT 1")
    return {
        "old": old.pk,
        "new": new.pk,
        "member": member.pk,
        "person": person.pk,
        "other": Account.objects.get(retiree=other, cycle=new).pk,
        "old_member": Account.objects.get(retiree=person, cycle=old).pk,
        "issued": Account.objects.get(kind="issued", cycle=new).pk,
        "redeemed": Account.objects.get(kind="redeemed", cycle=new).pk,
        "old_issued": Account.objects.get(kind="issued", cycle=old).pk,
        "spent": Transfer.objects.get(key="s:1").pk,
        "award": Transfer.objects.filter(kind="award", cycle=new).first().pk,
    }


def test_the_checksum_sees_every_table_of_the_app():
    told = [books.checksum()]
    with time_machine.travel("2025-03-01 10:00 +0800"):
        day = make_day()
    told.append(books.checksum())
    day.operators.add(make_user())
    told.append(books.checksum())
    make_stock(day, "香皂", 3, brought=9)
    told.append(books.checksum())
    assert len(set(told)) == 4


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        # Now and not at COMMIT, which never comes in this test.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def refused(statement: str, words: str, at: dict) -> None:
    """The statement is refused with these words, and nothing has changed."""
    before = books.checksum()
    with pytest.raises(DatabaseError, match=words), transaction.atomic():
        run(statement.format(**at, columns=COLUMNS))
    assert books.checksum() == before


def row(cycle: str, source: str, goal: str, amount: int = 1, kind: str = "award", **more) -> str:
    """An INSERT of a transfer, by names."""
    columns = "".join(f", {column}" for column in more)
    values = "".join(f", {value}" for value in more.values())
    return (
        f"INSERT INTO points_transfer ({{columns}}{columns}) VALUES ({{{cycle}}}, {{{source}}},"
        f" {{{goal}}}, {amount}, '{kind}', 'hand:1', '2025-03-01', now(), ''{values})"
    )


# ---- every way to change or forge a transfer ---------------------------------------------------

CHANGES = {
    "UPDATE": "UPDATE points_transfer SET amount = 99 WHERE id = {award}",
    "UPDATE of nothing": "UPDATE points_transfer SET amount = amount WHERE FALSE",
    "UPDATE of the memo": "UPDATE points_transfer SET memo = 'x'",
    "UPDATE … FROM": (
        "UPDATE points_transfer t SET amount = 1 FROM points_account a WHERE a.id = t.to_account_id"
    ),
    "DELETE": "DELETE FROM points_transfer WHERE id = {award}",
    "DELETE in WITH": "WITH gone AS (DELETE FROM points_transfer RETURNING id) SELECT * FROM gone",
    "TRUNCATE": "TRUNCATE points_transfer CASCADE",
    "TRUNCATE of accounts": "TRUNCATE points_account CASCADE",
    "TRUNCATE of cycles": "TRUNCATE points_cycle CASCADE",
    "TRUNCATE of people": "TRUNCATE cadres_retiree CASCADE",
    "ON CONFLICT DO UPDATE": (
        "INSERT INTO points_transfer ({columns}) SELECT {columns} FROM points_transfer"
        " WHERE id = {award} ON CONFLICT (key) DO UPDATE SET amount = 99"
    ),
    "MERGE": (
        "MERGE INTO points_transfer t USING (SELECT {award} AS id) s ON t.id = s.id"
        " WHEN MATCHED THEN UPDATE SET amount = 99"
    ),
    "MERGE that deletes": (
        "MERGE INTO points_transfer t USING (SELECT {award} AS id) s ON t.id = s.id"
        " WHEN MATCHED THEN DELETE"
    ),
}


@pytest.mark.parametrize("way", CHANGES)
def test_a_transfer_is_not_changed_by_the_run_time_role(way, at):
    refused(CHANGES[way], NOT_ALLOWED, at)


@pytest.mark.parametrize("way", CHANGES)
def test_a_transfer_is_not_changed_by_the_owner_either(way, at):
    with as_owner():
        refused(CHANGES[way], MAY_ONLY_GROW, at)


FORGERIES = {
    "INSERT": row("new", "issued", "member"),
    "COPY": "COPY points_transfer FROM PROGRAM 'true'",
    "INSERT of a posting": (
        "INSERT INTO points_posting SELECT * FROM points_posting ON CONFLICT DO NOTHING"
    ),
    "UPDATE of a posting": "UPDATE points_posting SET state = 'reversed'",
    "DELETE of a posting": "DELETE FROM points_posting",
    "UPDATE of a balance": "UPDATE points_account SET balance = 999 WHERE id = {member}",
    "UPDATE of an owner": "UPDATE points_account SET retiree_id = NULL WHERE id = {member}",
    "INSERT of an account": (
        "INSERT INTO points_account (cycle_id, kind, retiree_id, balance, frozen_why)"
        " VALUES ({new}, 'member', {person}, 50, '')"
    ),
    "DELETE of an account": "DELETE FROM points_account WHERE id = {member}",
    "UPDATE of a shortfall": 'UPDATE points_shortfall SET "left" = 0',
    "DELETE of a shortfall": "DELETE FROM points_shortfall",
    "DELETE of a cycle": "DELETE FROM points_cycle WHERE id = {new}",
    "UPDATE of a rule": "UPDATE points_rule SET points = 99",
    "DELETE of a rule": "DELETE FROM points_rule",
    "triggers off": "ALTER TABLE points_transfer DISABLE TRIGGER ALL",
    "a trigger dropped": "DROP TRIGGER guard_rows ON points_transfer",
    "an own trigger": (
        "CREATE TRIGGER x BEFORE INSERT ON points_transfer"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    ),
    "a function replaced": (
        "CREATE OR REPLACE FUNCTION points_system(a_cycle bigint, a_kind text) RETURNS bigint"
        " LANGUAGE sql AS 'SELECT 1::bigint'"
    ),
    "the inner pen": (
        "SELECT points_write({new}, {issued}, {member}, 5, 'award', 'hand:1', '2025-03-01',"
        " now(), NULL)"
    ),
    "the inner carrying": (
        "SELECT points_empty(c, {new}, ARRAY[{member}]::bigint[], '2025-03-01', now(), NULL)"
        " FROM points_cycle c WHERE id = {new}"
    ),
}
_FORGERY_WORDS = "permission denied|must be owner|must be superuser"


@pytest.mark.parametrize("way", FORGERIES)
def test_the_books_are_not_written_past_the_door(way, at):
    refused(FORGERIES[way], _FORGERY_WORDS, at)


# ---- the same through Django -------------------------------------------------------------------


def _save(transfer):
    transfer.amount = 99
    transfer.save()


def _bulk_update(transfer):
    transfer.amount = 99
    Transfer.objects.bulk_update([transfer], ["amount"])


def _bulk_create(transfer):
    transfer.amount = 99
    Transfer.objects.bulk_create(
        [transfer], update_conflicts=True, unique_fields=["key"], update_fields=["amount"]
    )


def _copy(transfer):
    transfer.pk, transfer.key, transfer.posting = None, "hand:1", None
    transfer.save(force_insert=True)


THROUGH_DJANGO = {
    "save": _save,
    "update": lambda transfer: Transfer.objects.update(amount=99),
    "bulk_update": _bulk_update,
    "bulk_create": _bulk_create,
    "create": _copy,
    "delete": lambda transfer: transfer.delete(),
    "delete of all": lambda transfer: Transfer.objects.all().delete(),
    "raw delete": lambda transfer: Transfer.objects.all()._raw_delete("default"),
    "delete of the person": lambda transfer: transfer.to_account.retiree.delete(),
    "delete of the account": lambda transfer: transfer.to_account.delete(),
    "delete of the cycle": lambda transfer: transfer.cycle.delete(),
    "delete of the posting": lambda transfer: transfer.posting.delete(),
    "balance": lambda transfer: Account.objects.filter(pk=transfer.to_account_id).update(balance=9),
    "closed cycle": lambda transfer: Cycle.objects.filter(year=2024).update(status="open"),
}


@pytest.mark.parametrize("way", THROUGH_DJANGO)
def test_django_does_not_change_the_books(way, at):
    transfer, before = Transfer.objects.get(pk=at["award"]), books.checksum()
    with pytest.raises((DatabaseError, ProtectedError)), transaction.atomic():
        THROUGH_DJANGO[way](transfer)
    assert books.checksum() == before


# ---- what no transfer may be, though the owner writes it ---------------------------------------

WRONG = {
    "a negative balance": (row("new", "member", "redeemed", 11, "spend"), "never_below_zero"),
    "nothing": (row("new", "issued", "member", 0), "moves_something"),
    "less than nothing": (row("new", "issued", "member", -5), "amount_check|moves_something"),
    "to itself": (row("new", "member", "member"), "goes_elsewhere"),
    "an account of another cycle": (row("new", "issued", "old_member"), "in_its_cycle"),
    "from an account of another cycle": (row("new", "old_issued", "member"), "in_its_cycle"),
    "a cycle that is none of theirs": (row("old", "issued", "member"), "in_its_cycle|any more"),
    "a closed cycle": (row("old", "old_issued", "old_member"), "nothing moves in this cycle"),
    "a second reversal": (
        row("new", "redeemed", "member", 4, "refund", reverses_id="{spent}"),
        "reverses_id",
    ),
    "a refund of nothing": (row("new", "redeemed", "member", 4, "refund"), "back_names_what"),
    "an unknown kind": (row("new", "issued", "member", 1, "gift"), "kind_listed"),
    "by hand without two persons": (row("new", "issued", "member", 1, "adjust"), "by_hand"),
    "a key twice": (
        "INSERT INTO points_transfer ({columns}) SELECT {columns} FROM points_transfer"
        " WHERE id = {award}",
        "transfer_key_once",
    ),
    "a balance by hand": ("UPDATE points_account SET balance = -1 WHERE id = {member}", "below"),
    "an account that begins rich": (
        "INSERT INTO points_account (cycle_id, kind, retiree_id, balance, frozen_why)"
        " VALUES ({old}, 'member', {person}, 50, '')",
        "begins at zero",
    ),
    "a second account": (
        "INSERT INTO points_account (cycle_id, kind, retiree_id, balance, frozen_why)"
        " VALUES ({new}, 'member', {person}, 0, '')",
        "account_one_a_person_and_cycle",
    ),
    "an account that changes its cycle": (
        "UPDATE points_account SET cycle_id = {old} WHERE id = {other}",
        "in_its_cycle",
    ),
    "a closed cycle opened": ("UPDATE points_cycle SET status = 'open' WHERE id = {old}", "closed"),
    "a closed cycle prolonged": (
        "UPDATE points_cycle SET redeem_until = '2099-01-31' WHERE id = {old}",
        "closed",
    ),
    "a cycle closed at once": (
        "UPDATE points_cycle SET status = 'closed' WHERE id = {new}",
        "from open to closing to closed",
    ),
    "a person with points deleted": (
        "DELETE FROM cadres_retiree WHERE id = {person}",
        "foreign key",
    ),
    "a cycle with accounts deleted": ("DELETE FROM points_cycle WHERE id = {new}", "foreign key"),
    "an account with transfers deleted": (
        "DELETE FROM points_account WHERE id = {member}",
        "foreign key|in_its_cycle",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_the_owner_writes_nothing_wrong_either(what, at):
    statement, words = WRONG[what]
    with as_owner():
        refused(statement, words, at)


def test_a_closing_cycle_with_points_is_not_closed_and_not_opened_again(at):
    cycle = Cycle.objects.get(pk=at["new"])
    with time_machine.travel("2026-01-05 10:00 +0800"):
        ledger.begin_closing(cycle=cycle)
    for status in ("closed", "open"):
        refused(
            f"UPDATE points_cycle SET status = '{status}' WHERE id = {{new}}",
            "still holds points|from open to closing",
            at,
        )


def test_from_publishing_the_rollover_to_posting_it_nothing_moves(at):
    Cycle.objects.filter(pk=at["new"]).update(published_at="2025-03-02 10:00+08:00")
    with as_owner():
        refused(row("new", "issued", "member"), "nothing moves in this cycle", at)


def test_what_is_right_goes_through_for_the_owner(at):
    """The control: the statements above are refused for what is wrong in them."""
    with as_owner():
        run(row("new", "issued", "member").format(**at, columns=COLUMNS))
    assert Account.objects.get(pk=at["member"]).balance == 11
