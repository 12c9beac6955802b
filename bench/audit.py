"""The proof of the books over a million transfers, against adding them up once."""

import datetime
from collections.abc import Iterator
from functools import partial

from django.db import connection

from bench import books, database, people, roster
from bench.table import Contender, Row, measure
from points import ledger
from points.audit import audit
from points.models import Rule, Transfer

MILLION = database.PREFIX + "million"
#: A tenth of the people with a tenth of the transfers: memory must not follow them.
TENTH = database.PREFIX + "tenth"
#: Of each person; spent is thrice, and what every other one spent first is given back.
AWARDS = 50
#: So many of them in one statement.
ROUNDS = 10
CODE = "bench"

_SPENT = """
INSERT INTO points_transfer (cycle_id, from_account_id, to_account_id, amount, kind, key,
    occurred_on, posted_at, memo)
SELECT a.cycle_id, a.id, r.id, 4, 'spend', 'bench:' || a.id || ':' || n, '{day}', now(), '毛巾'
FROM points_account a JOIN points_account r ON r.cycle_id = a.cycle_id AND r.kind = 'redeemed'
CROSS JOIN generate_series(1, 3) n WHERE a.kind = 'member'
"""
_GIVEN_BACK = """
INSERT INTO points_transfer (cycle_id, from_account_id, to_account_id, amount, kind, key,
    occurred_on, posted_at, memo, reverses_id)
SELECT cycle_id, to_account_id, from_account_id, amount, 'refund', key || '!', occurred_on, now(),
    memo, id
FROM points_transfer WHERE kind = 'spend' AND key LIKE '%:1' AND from_account_id % 2 = 0
"""
#: What any proof has to do: every transfer once, on both of its accounts.
_FLOOR = """
SELECT account_id, sum(delta) FROM (
    SELECT to_account_id AS account_id, amount AS delta FROM points_transfer
    UNION ALL SELECT from_account_id, -amount FROM points_transfer
) moved GROUP BY account_id
"""


def proof() -> Iterator[Row]:
    """Its time and its memory, and how both grow."""
    roster.make_full()
    _make(TENTH, copies=0)
    _make(MILLION, copies=9)
    ours, floor = Contender(partial(_audit, MILLION)), Contender(partial(_add_up, MILLION))
    tenth = Contender(partial(_audit, TENTH))
    measure(ours, floor, tenth)
    database.use(MILLION)
    row = Row(f"audit_ledger，{Transfer.objects.count():,} 笔流水", ours, floor)
    connection.close()
    row.at_most("÷下限", ours.seconds / floor.seconds, 3)
    row.at_most("÷十分之一流水", ours.seconds / tenth.seconds, 12)
    # Python's; the server's is bounded by its own settings (work_mem), beyond it sorts on disk
    row.at_most("比十分之一多用的 MB", ours.peak - tenth.peak, 10)
    yield row


def _make(name: str, copies: int) -> None:
    """As the owner, set-based, every constraint and trigger at work."""
    database.make(name, roster.FULL)
    if copies:
        people.fill(name, copies)
    database.use(name)
    cycle = ledger.open_cycle(year=books.today().year)
    Rule.objects.create(
        code=CODE, name="例会", direction="award", points=2, per="次", verified_by="", cause="",
        credited="", valid_from=datetime.date(2020, 1, 1),
    )  # fmt: skip
    given = "SELECT 'bench:' || r.id || ':' || n AS source, r.id AS retiree"
    given += " FROM cadres_retiree r CROSS JOIN generate_series({}, {}) n"
    statement = books.least(given, CODE)
    connection.close()
    with database.as_owner(name) as cursor:
        cursor.execute(
            "INSERT INTO points_account (cycle_id, kind, retiree_id, balance, frozen_why)"
            " SELECT %s, 'member', id, 0, '' FROM cadres_retiree",
            [cycle.pk],
        )
        for first in range(1, AWARDS, ROUNDS):
            cursor.execute(statement.format(first, first + ROUNDS - 1))
        cursor.execute(_SPENT.format(day=books.today()))
        cursor.execute(_GIVEN_BACK)
        cursor.execute("VACUUM ANALYZE")


def _audit(name: str) -> None:
    database.use(name)
    found = audit()
    if found.findings:
        raise ValueError(found.findings)


def _add_up(name: str) -> None:
    database.use(name)
    with connection.cursor() as cursor:
        cursor.execute(_FLOOR)
        cursor.fetchall()
