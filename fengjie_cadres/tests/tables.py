"""Has anything changed? Checksums over all rows of all tables."""

from collections.abc import Callable, Iterable

from django.db import connection, transaction

from fengjie_cadres.tests.county import HEAD, STAFF

#: Who is logged in, and since when, is no change of anything.
NO_CHANGE = {"django_session"}
#: By GET the desk hands its small tables to the office, and writes down that it did.
LOGGED = {STAFF: {"cadres_accessentry"}, HEAD: {"cadres_accessentry"}}


def checksums(without: Iterable[str] = ()) -> dict[str, str]:
    """Table → md5 over its rows (and how many they are)."""
    left_out = {*NO_CHANGE, *without}
    tables = [t for t in connection.introspection.table_names() if t not in left_out]
    one = "SELECT '{0}', count(*) || ' ' || md5(string_agg(md5(t::text), '' ORDER BY t::text))"
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"{one} FROM {{0}} t".format(t) for t in tables))
        return dict(cursor.fetchall())


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {table for table in before if before[table] != after.get(table)}


def changes_of(
    requests: Iterable[tuple[str, Callable]], without: Iterable[str] = ()
) -> dict[str, set[str]]:
    """Label of a request → the tables it has changed; all are sent, and none should.

    The tables are looked at once; only when something has changed are all requests sent again,
    one by one, to find which it was.
    """
    requests = list(requests)
    before, savepoint = checksums(without), transaction.savepoint()
    for _, send in requests:
        send()
    if not changed(before, checksums(without)):
        transaction.savepoint_commit(savepoint)
        return {}
    transaction.savepoint_rollback(savepoint)
    found = {}
    for label, send in requests:
        send()
        after = checksums(without)
        if tables := changed(before, after):
            found[label], before = tables, after
    return found or {"?": {"something, together"}}
