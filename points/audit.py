"""Proves the books: every invariant of the ledger, set-based, over all transfers there are."""

import time
from dataclasses import dataclass

from django.db import connection

from points.models import AuditRun

#: Of each finding so many examples are kept.
EXAMPLES = 20


@dataclass(frozen=True)
class Check:
    """`statement` selects (what it is about, what is wrong) of every violation."""

    code: str
    words: str
    statement: str


#: A transfer that comes of a cause: its posting names it, and it names its posting.
_CAUSED = "{0}.kind IN ('award', 'deduct') AND {0}.shortfall_id IS NULL"
_MARK = "hashint8extended({}, hashint8extended({}, {}))"
_MARK_OF_POSTING = _MARK.format("p.transfer_id", "p.id", "p.posted")
_MARK_OF_TRANSFER = _MARK.format("t.id", "COALESCE(t.posting_id, 0)", "t.amount")
#: The person's account of a transfer between {0} and the account `o` it goes to.
_ITS_ACCOUNT = "CASE WHEN o.kind = 'member' THEN o.id ELSE {0}.from_account_id END"
#: Only these end with the last day of redeeming.
_EARLY = "('award', 'deduct', 'spend')"

CHECKS = [
    Check(
        "balance",
        "账户余额与流水之和不符",
        """
        SELECT '账户 ' || a.id, format('余额 %s，流水合计 %s', a.balance, COALESCE(s.sum, 0))
        FROM points_account a LEFT JOIN moved s ON s.account_id = a.id
        WHERE a.kind = 'member' AND a.balance <> COALESCE(s.sum, 0)
        """,
    ),
    Check(
        "zero",
        "周期内所有账户之和不为零",
        """
        SELECT c.year || ' 年', format('合计 %s', sum(COALESCE(a.balance, s.sum, 0)))
        FROM points_account a JOIN points_cycle c ON c.id = a.cycle_id
        LEFT JOIN moved s ON s.account_id = a.id
        GROUP BY c.year HAVING sum(COALESCE(a.balance, s.sum, 0)) <> 0
        """,
    ),
    Check(
        "life",
        "流水不在周期之内，或记在别的周期的账户上",
        f"""
        WITH wrong AS MATERIALIZED (
            SELECT DISTINCT p.cycle_id, p.from_account_id, p.to_account_id FROM pairs p
            LEFT JOIN points_cycle c ON c.id = p.cycle_id
            LEFT JOIN points_account f ON f.id = p.from_account_id
            LEFT JOIN points_account o ON o.id = p.to_account_id
            WHERE f.cycle_id IS DISTINCT FROM p.cycle_id OR o.cycle_id IS DISTINCT FROM p.cycle_id
               OR p.first < c.starts_on
               OR (p.last > c.redeem_until AND p.kind IN {_EARLY})
        )
        SELECT '流水 ' || t.id, t.kind FROM points_transfer t
        JOIN wrong w ON w.cycle_id = t.cycle_id AND w.from_account_id = t.from_account_id
            AND w.to_account_id = t.to_account_id
        LEFT JOIN points_cycle c ON c.id = t.cycle_id
        LEFT JOIN points_account f ON f.id = t.from_account_id
        LEFT JOIN points_account o ON o.id = t.to_account_id
        WHERE EXISTS (SELECT FROM wrong) -- else nothing is read
          AND (f.cycle_id IS DISTINCT FROM t.cycle_id OR o.cycle_id IS DISTINCT FROM t.cycle_id
            OR t.occurred_on < c.starts_on
            OR (t.occurred_on > c.redeem_until AND t.kind IN {_EARLY}))
        """,
    ),
    Check(
        "reversal",
        "冲销与原流水不符",
        """
        SELECT '流水 ' || r.id, format('冲销 %s，原 %s', r.amount, t.amount)
        FROM backs b JOIN points_transfer r ON r.id = b.id JOIN points_transfer t ON t.id = b.of_id
        WHERE b.is_wrong
        """,
    ),
    Check(
        "posting",
        "入账与流水不符",
        """
        SELECT '入账 ' || p.id, format('实得 %s，流水 %s', p.posted, t.amount)
        FROM points_posting p LEFT JOIN points_transfer t ON t.id = p.transfer_id
        WHERE EXISTS (SELECT FROM suspects)
          AND (p.account_id IS NULL OR p.account_id IN (SELECT account_id FROM suspects))
          AND p.transfer_id IS NOT NULL
          AND (p.account_id IS NULL OR t.id IS NULL OR p.posted <> t.amount
            OR t.posting_id IS DISTINCT FROM p.id
            OR p.account_id NOT IN (t.from_account_id, t.to_account_id)
            OR EXISTS (SELECT FROM points_transfer r WHERE r.reverses_id = t.id))
        """,
    ),
    Check(
        "cause",
        "得分或扣分没有对应的入账",
        f"""
        SELECT '流水 ' || t.id, t.key FROM points_transfer t
        LEFT JOIN points_posting p ON p.id = t.posting_id
        WHERE EXISTS (SELECT FROM suspects) AND t.id IN (
            SELECT id FROM points_transfer JOIN suspects ON account_id = to_account_id
            UNION SELECT id FROM points_transfer JOIN suspects ON account_id = from_account_id)
          AND {_CAUSED.format("t")} AND p.transfer_id IS DISTINCT FROM t.id
          -- a deduction given back by two persons, too late for its own cycle
          AND NOT EXISTS (SELECT FROM points_transfer g WHERE g.posting_id = t.posting_id
            AND g.kind = 'award' AND g.approved_by_id IS NOT NULL
            AND g.key = rtrim(t.key, '+') || '+')
          AND NOT EXISTS (SELECT FROM points_transfer r WHERE r.reverses_id = t.id)
          AND NOT EXISTS (SELECT FROM points_shortfall s WHERE s.posting_id = p.id)
        """,
    ),
    Check(
        "cap",
        "超过年度上限",
        """
        SELECT '账户 ' || b.account_id, r.code FROM booked b JOIN points_rule r ON r.id = b.rule_id
        WHERE r.direction = 'award' GROUP BY b.account_id, r.code
        HAVING sum(b.posted) > max(r.cap_per_cycle) AND bool_and(r.cap_per_cycle IS NOT NULL)
        """,
    ),
    Check(
        "shortfall",
        "欠扣与补扣不符",
        """
        SELECT '欠扣 ' || s.id, format('共 %s', s.amount) FROM points_shortfall s
        LEFT JOIN LATERAL (SELECT sum(CASE WHEN t.reverses_id IS NULL THEN t.amount
            ELSE -t.amount END) AS paid FROM points_transfer t WHERE t.posting_id = s.posting_id
            AND t.shortfall_id = s.id) p ON TRUE
        WHERE s.amount <> s."left" + s.waived + s.cancelled + COALESCE(p.paid, 0)
        """,
    ),
    Check(
        "stock",
        "兑换库存与兑换单不符",
        """
        SELECT '场次库存 ' || s.id, format('记 %s，兑换单合计 %s', s.taken, COALESCE(l.sum, 0))
        FROM points_daystock s LEFT JOIN (
            SELECT l.stock_id, sum(l.quantity) AS sum FROM points_redemptionline l
            JOIN points_redemption r ON r.id = l.redemption_id
            WHERE r.state IN ('reserved', 'collected') GROUP BY l.stock_id
        ) l ON l.stock_id = s.id
        WHERE s.taken <> COALESCE(l.sum, 0) OR s.taken > s.brought
        """,
    ),
    Check(
        "redemption",
        "兑换单与流水不符",
        """
        SELECT '兑换单 ' || r.id, format('%s 分，流水 %s 分，物品 %s 分', r.points, t.amount, l.sum)
        FROM points_redemption r
        JOIN points_redemptionday d ON d.id = r.day_id
        JOIN points_transfer t ON t.id = r.transfer_id
        JOIN points_account a ON a.id = t.from_account_id
        LEFT JOIN points_transfer b ON b.reverses_id = t.id
        LEFT JOIN (SELECT redemption_id, sum(quantity * points) AS sum
            FROM points_redemptionline GROUP BY redemption_id) l ON l.redemption_id = r.id
        WHERE t.kind <> 'spend' OR a.retiree_id <> r.retiree_id OR t.cycle_id <> d.cycle_id
           OR r.points <> t.amount OR r.points IS DISTINCT FROM l.sum
           OR (b.id IS NULL) <> (r.state IN ('reserved', 'collected'))
        """,
    ),
    Check(
        "carry",
        "结转转出与转入不等",
        """
        SELECT c.year || ' 年', format('转出 %s，转入 %s', COALESCE(o.sum, 0), COALESCE(-i.sum, 0))
        FROM points_cycle c
        JOIN points_account co ON co.cycle_id = c.id AND co.kind = 'carried_out'
        LEFT JOIN moved o ON o.account_id = co.id
        LEFT JOIN points_cycle n ON n.year = c.year + 1
        LEFT JOIN points_account ci ON ci.cycle_id = n.id AND ci.kind = 'carried_in'
        LEFT JOIN moved i ON i.account_id = ci.id
        WHERE COALESCE(o.sum, 0) <> COALESCE(-i.sum, 0)
        """,
    ),
]

#: What all checks stand on; each of the two big tables is read once. `pairs` sums what went from
#: one account to another, `moved` what each account moved, `booked` what each rule gave it; `backs`
#: are the transfers that take another one back. A posting and a transfer that name each other bear
#: the same mark, a hash of 64 bits, which xor cancels: of an account where nothing is left of all
#: marks, nothing need be looked at. The others are `suspects` (corrections across years make some,
#: which are no fault); their rows are compared one by one.
TABLES = {
    "pairs": f"""
    SELECT cycle_id, from_account_id, to_account_id, kind, count(*) AS count, sum(amount) AS sum,
        min(occurred_on) AS first, max(occurred_on) AS last,
        bit_xor({_MARK_OF_TRANSFER}) FILTER (WHERE shortfall_id IS NULL) AS mark
    FROM points_transfer t GROUP BY cycle_id, from_account_id, to_account_id, kind
    """,
    "moved": """
    SELECT account_id, sum(delta) AS sum FROM (
        SELECT to_account_id AS account_id, sum AS delta FROM pairs
        UNION ALL SELECT from_account_id, -sum FROM pairs
    ) m GROUP BY account_id
    """,
    "booked": f"""
    SELECT account_id, rule_id, sum(posted) AS posted, bit_xor({_MARK_OF_POSTING}) AS mark
    FROM points_posting p WHERE transfer_id IS NOT NULL GROUP BY account_id, rule_id
    """,
    "backs": f"""
    SELECT r.id, t.id AS of_id, {_ITS_ACCOUNT.format("t")} AS account_id,
        CASE WHEN {_CAUSED.format("t")} THEN {_MARK_OF_TRANSFER} END AS mark,
        r.amount > t.amount OR r.from_account_id <> t.to_account_id
        OR r.to_account_id <> t.from_account_id
        OR (r.kind = 'refund' AND (t.kind <> 'spend' OR r.amount <> t.amount))
        OR (r.kind = 'reverse' AND t.kind NOT IN ('award', 'deduct')) AS is_wrong
    FROM points_transfer r JOIN points_transfer t ON t.id = r.reverses_id
    LEFT JOIN points_account o ON o.id = t.to_account_id
    WHERE r.reverses_id IS NOT NULL -- few: the planner does not see it by itself
    """,
    "suspects": f"""
    SELECT account_id FROM (
        SELECT account_id, mark FROM booked
        UNION ALL SELECT {_ITS_ACCOUNT.format("p")}, p.mark
        FROM pairs p LEFT JOIN points_account o ON o.id = p.to_account_id
        WHERE p.kind IN ('award', 'deduct')
        UNION ALL SELECT account_id, mark FROM backs
    ) marked GROUP BY account_id HAVING bit_xor(mark) <> 0
    """,
}

_PREPARED = [
    "SET LOCAL work_mem = '64MB'",
    "SET LOCAL random_page_cost = 1.1",
    "SET LOCAL parallel_tuple_cost = 0.001",
    *(f"CREATE TEMP TABLE {name} ON COMMIT DROP AS {query}" for name, query in TABLES.items()),
    "ANALYZE moved, suspects",
]


def audit() -> AuditRun:
    """Runs every check in one snapshot of the books and keeps what was found."""
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ" if _is_own() else "SELECT 1")
        try:
            findings = _found(cursor)
            transfers = _count(cursor)
        finally:
            if _is_own():
                cursor.execute("COMMIT")
            else:
                cursor.execute(f"DROP TABLE IF EXISTS {', '.join(TABLES)}")
    return AuditRun.objects.create(
        transfers=transfers,
        findings=findings,
        seconds=round(time.perf_counter() - began, 3),
    )


def last() -> AuditRun | None:
    """The latest run; for the office's home."""
    return AuditRun.objects.first()


def _is_own() -> bool:
    return not connection.in_atomic_block


def _count(cursor) -> int:
    cursor.execute("SELECT COALESCE(sum(count), 0) FROM pairs")
    return cursor.fetchone()[0]


def _found(cursor) -> list[dict]:
    for statement in _PREPARED:
        cursor.execute(statement)
    findings = []
    for check in CHECKS:
        cursor.execute(check.statement)
        rows = cursor.fetchmany(EXAMPLES + 1)
        if rows:
            examples = [{"where": where, "what": what} for where, what in rows[:EXAMPLES]]
            if len(rows) > EXAMPLES:
                examples.append({"where": "还有更多", "what": "只列出前 20 处"})
            findings.append({"code": check.code, "words": check.words, "examples": examples})
    return findings
