"""The year's end: accounts emptied, part carried over, the cycle closed."""

from collections.abc import Iterator
from functools import partial

from django.db import connection, transaction
from django.utils import timezone

from bench import database
from bench.table import Contender, Row, measure
from cadres.models import Retiree
from points import ledger
from points.models import Account, Cycle, CycleStatus, Transfer

SMALL, LARGE, HUGE = 1_878, 187_800, 1_878_000
YEAR = 2024
_COLUMNS = """points_transfer (cycle_id, from_account_id, to_account_id, amount, kind, key,
    occurred_on, posted_at, memo)"""


def rollovers() -> Iterator[Row]:
    """As many as the county has, and a hundred times as many."""
    small, large = _row(SMALL, peer=True), _row(LARGE)
    large.at_most("÷1,878 的每户", _a_head(large, LARGE) / _a_head(small, SMALL), 1.5)
    large.at_most("内存 MB", large.ours.peak, 30)
    yield small
    yield large


def huge() -> Iterator[Row]:
    """Minutes, so only when asked for."""
    large, row = _row(LARGE), _row(HUGE)
    row.at_most("÷187,800 的每户", _a_head(row, HUGE) / _a_head(large, LARGE), 1.5)
    row.at_most("内存 MB", row.ours.peak, 30)
    yield row


def _a_head(row: Row, accounts: int) -> float:
    return row.ours.seconds / accounts


def _row(accounts: int, peer: bool = False) -> Row:
    template = _filled(accounts)
    ours = Contender(partial(_ours, accounts), template)
    floor = Contender(partial(_floor, accounts), template)
    loop = Contender(partial(_loop, accounts), template) if peer else None
    measure(ours, floor, loop)
    database.drop(template)
    row = Row(f"年度结转 {accounts:,} 户", ours, floor, loop)
    row.at_most("÷下限", ours.seconds / floor.seconds, 1.5)
    return row


# ---- a year that is over -------------------------------------------------------------------------


def _filled(accounts: int) -> str:
    """A database with so many people who have points in a published year."""
    name = f"{database.PREFIX}rollover_{accounts}"
    database.make(name, database.EMPTY)
    database.use(name)
    base = Retiree.objects.create(name="张三", sex="M", birth_date="1953-07")
    cycle = ledger.open_cycle(year=YEAR)
    Cycle.objects.filter(pk=cycle.pk).update(carry_percent=30, carry_cap=20)
    following = ledger.open_cycle(year=YEAR + 1)
    connection.close()
    with database.as_owner(name) as cursor:
        _people(cursor, base.pk, accounts)
        _points(cursor, cycle.pk, following.pk)
        cursor.execute(
            "UPDATE points_cycle SET status = 'closing', published_at = now() WHERE id = %s",
            [cycle.pk],
        )
        cursor.execute("VACUUM ANALYZE")
    return name


def _people(cursor, base: int, number: int) -> None:
    cursor.execute(
        "SELECT string_agg(column_name, ', ') FROM information_schema.columns"
        " WHERE table_name = 'cadres_retiree' AND column_name <> 'id'"
    )
    columns = cursor.fetchone()[0]
    cursor.execute(
        f"INSERT INTO cadres_retiree ({columns}) SELECT {columns} FROM cadres_retiree r,"
        " generate_series(2, %s) WHERE r.id = %s",
        [number, base],
    )


def _points(cursor, cycle: int, following: int) -> None:
    """1 to 100 points each, of one award; half of the people have come back in the new year."""
    for pk, part in ((cycle, 1), (following, 2)):
        cursor.execute(
            "INSERT INTO points_account (cycle_id, kind, retiree_id, balance, frozen_why)"
            " SELECT %s, 'member', id, 0, '' FROM cadres_retiree WHERE id %% %s = 0 ORDER BY id",
            [pk, part],
        )
    cursor.execute(
        f"INSERT INTO {_COLUMNS} SELECT a.cycle_id, s.id, a.id, 1 + a.id %% 100, 'award',"
        " 'bench:' || a.id, '2024-03-01', now(), '' FROM points_account a"
        " JOIN points_account s ON s.cycle_id = a.cycle_id AND s.kind = 'issued'"
        " WHERE a.kind = 'member' AND a.cycle_id = %s",
        [cycle],
    )


# ---- the contenders ------------------------------------------------------------------------------


def _ours(accounts: int) -> None:
    cycle = ledger.close(cycle=Cycle.objects.get(year=YEAR), by=None)
    assert cycle.status == CycleStatus.CLOSED
    _check(accounts)


def _check(accounts: int) -> None:
    assert not Account.objects.filter(cycle__year=YEAR, balance__gt=0).exists()
    assert Transfer.objects.filter(kind="expire").count() == accounts


_FLOOR = f"""
INSERT INTO points_account (cycle_id, kind, retiree_id, balance, frozen_why)
SELECT n.id, 'member', a.retiree_id, 0, '' FROM points_account a, points_cycle n
WHERE a.cycle_id = %(old)s AND a.balance * 30 / 100 > 0 AND n.id = %(new)s
ON CONFLICT DO NOTHING;
INSERT INTO {_COLUMNS}
SELECT %(old)s, a.id, %(out)s, LEAST(a.balance * 30 / 100, 20), 'carry', 'carry-out:' || a.id,
    CURRENT_DATE, now(), '2024 年积分转入下一年'
FROM points_account a WHERE a.cycle_id = %(old)s AND a.balance * 30 / 100 > 0
UNION ALL
SELECT %(new)s, %(in)s, n.id, LEAST(a.balance * 30 / 100, 20), 'carry', 'carry-in:' || a.id,
    CURRENT_DATE, now(), '2024 年结转的积分'
FROM points_account a JOIN points_account n ON n.cycle_id = %(new)s
    AND n.retiree_id = a.retiree_id
WHERE a.cycle_id = %(old)s AND a.balance * 30 / 100 > 0
UNION ALL
SELECT %(old)s, a.id, %(expired)s, a.balance - LEAST(a.balance * 30 / 100, 20), 'expire',
    'expire:' || a.id, CURRENT_DATE, now(), '2024 年积分到期'
FROM points_account a WHERE a.cycle_id = %(old)s AND a.balance > 0;
UPDATE points_cycle SET status = 'closed' WHERE id = %(old)s
"""


def _floor(accounts: int) -> None:
    """Everything at once, without batches, locks or questions: all constraints and triggers on."""
    with database.as_owner(database.PREFIX + "run") as cursor:
        cursor.execute(_FLOOR, _numbers())
    _check(accounts)


def _numbers() -> dict[str, int]:
    found = {
        (a.cycle.year, a.kind): a
        for a in Account.objects.filter(retiree=None).select_related("cycle")
    }
    return {
        "old": found[YEAR, "expired"].cycle_id,
        "new": found[YEAR + 1, "carried_in"].cycle_id,
        "out": found[YEAR, "carried_out"].pk,
        "in": found[YEAR + 1, "carried_in"].pk,
        "expired": found[YEAR, "expired"].pk,
    }


def _loop(accounts: int) -> None:
    """Person by person, as the ORM's manual would have it; in the owner's role."""
    numbers, now = _numbers(), timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
    made = {"occurred_on": now.date(), "posted_at": now}
    for account in Account.objects.filter(cycle=numbers["old"], balance__gt=0).iterator():
        with transaction.atomic():
            held = Account.objects.select_for_update().get(pk=account.pk)
            carried = min(held.balance * 30 // 100, 20)
            if carried:
                following, _ = Account.objects.get_or_create(
                    cycle_id=numbers["new"], retiree_id=held.retiree_id, kind="member",
                    defaults={"balance": 0},
                )  # fmt: skip
                Transfer.objects.create(
                    cycle_id=numbers["old"], from_account=held, to_account_id=numbers["out"],
                    amount=carried, kind="carry", key=f"carry-out:{held.pk}", **made,
                )  # fmt: skip
                Transfer.objects.create(
                    cycle_id=numbers["new"], from_account_id=numbers["in"], to_account=following,
                    amount=carried, kind="carry", key=f"carry-in:{held.pk}", **made,
                )  # fmt: skip
            Transfer.objects.create(
                cycle_id=numbers["old"], from_account=held, to_account_id=numbers["expired"],
                amount=held.balance - carried, kind="expire", key=f"expire:{held.pk}", **made,
            )  # fmt: skip
    Cycle.objects.filter(pk=numbers["old"]).update(status="closed")
    _check(accounts)
