"""Who waits for a lock in this test's own database: other tests run beside it."""

from django.db import connection


def somebody_waits(table: str | None = None) -> bool:
    """Whether a connection to this database waits for a lock, on that table if one is named."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
            " LEFT JOIN pg_class c ON c.oid = l.relation"
            " WHERE NOT l.granted AND a.datname = current_database()"
            " AND (%s::text IS NULL OR c.relname = %s)",
            [table, table],
        )
        return cursor.fetchone()[0] > 0


def somebody_works() -> bool:
    """Whether another connection to this database is in a statement or a transaction: the server
    goes on for a client that was killed until its statement is done."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND state <> 'idle'"
        )
        return cursor.fetchone()[0] > 0
