"""All that the database knows of the books, in one prepared statement: for comparing and for
showing that nothing has changed."""

from django.apps import apps
from django.db import connection

from points.audit import CHECKS, TABLES

_TABLES = sorted(
    model._meta.db_table
    for model in apps.get_app_config("points").get_models(include_auto_created=True)
)
_WITH = ", ".join(f"{name} AS MATERIALIZED ({query})" for name, query in TABLES.items())
_CHECKSUM = " || ".join(
    f"(SELECT '{table}' || count(*) || ':' || COALESCE(sum(hashtextextended(t::text, 0)), 0)"
    f" FROM {table} t)"
    for table in _TABLES
)
_FINDINGS = " UNION ALL ".join(
    f"SELECT '{check.code}', x.* FROM ({check.statement}) x (at, what)" for check in CHECKS
)
_BOOKS = f"""
PREPARE books AS WITH {_WITH}
SELECT {_CHECKSUM},
    (SELECT json_agg(x) FROM (
        SELECT a.retiree_id AS who, c.year, a.balance, a.frozen_at IS NOT NULL AS frozen
        FROM points_account a JOIN points_cycle c ON c.id = a.cycle_id
        WHERE a.kind = 'member') x),
    (SELECT json_agg(x) FROM (
        SELECT p.source, p.state, p.due, p.posted, p.cut, p.short, p.is_reversal_waiting AS undo,
            c.year FROM points_posting p LEFT JOIN points_account a ON a.id = p.account_id
            LEFT JOIN points_cycle c ON c.id = a.cycle_id) x),
    (SELECT json_agg(x) FROM (
        SELECT s.id, s.retiree_id AS who, s.amount, s."left", s.waived, s.cancelled
        FROM points_shortfall s ORDER BY s.id) x),
    (SELECT json_agg(x) FROM (
        SELECT c.year, a.kind, m.sum FROM points_account a JOIN moved m ON m.account_id = a.id
        JOIN points_cycle c ON c.id = a.cycle_id WHERE a.kind <> 'member' AND m.sum <> 0) x),
    (SELECT json_agg(x) FROM ({_FINDINGS}) x)
"""


def prepare() -> None:
    """Once a connection."""
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
        cursor.execute(_BOOKS)


def read() -> dict:
    """`checksum` of every table of the app, and its rows as lists of dicts."""
    with connection.cursor() as cursor:
        cursor.execute("EXECUTE books")
        checksum, *lists = cursor.fetchone()
    names = ("accounts", "postings", "shortfalls", "sums", "findings")
    return {"checksum": checksum} | {
        name: found or [] for name, found in zip(names, lists, strict=True)
    }


def checksum() -> str:
    """Of every row of every table of the app."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_CHECKSUM}")
        return cursor.fetchone()[0]
