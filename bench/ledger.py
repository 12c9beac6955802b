"""The ledger: one award by many clients, a thousand as a batch, and the proof of a million."""

from collections.abc import Iterator
from functools import partial

from django.contrib.auth import get_user_model
from django.db import connection

from bench import books, database, hordak
from bench.books import BOOKS, CODE
from bench.clients import in_processes, pgbench
from bench.table import Contender, Row, measure
from cadres.models import Retiree
from points import ledger
from points.models import Posting

CLIENTS = (1, 4, 8, 16)
#: Awards of a run, by however many clients; each to another person.
AWARDS = 1600
BATCH = 1000

#: The statement that our own call sends, and what it is to be told of the product's other calls.
_CALL = f"""
SELECT points_award(ARRAY['bench.a:' || :nth]::text[],
    ARRAY[:first::bigint + :nth]::bigint[], ARRAY['{CODE}']::text[], ARRAY['{{day}}']::date[],
    ARRAY[1]::numeric[], ARRAY['例会']::text[], '{{day}}', now(), NULL)
"""


def rows() -> Iterator[Row]:
    """Rows by number of clients, of the batch, and of the audit."""
    books.make_books()
    yield from _by_clients()


# ---- one award -----------------------------------------------------------------------------------


def _by_clients() -> Iterator[Row]:
    hordak.make()
    seconds = {}
    for clients in CLIENTS:
        ours = Contender(partial(_award, clients), BOOKS)
        floor = Contender(partial(_send_call, clients), BOOKS)
        least = Contender(partial(_send_least, clients), BOOKS)
        peer = Contender(partial(hordak.transfer, clients, AWARDS))
        measure(ours, floor, least, peer)
        seconds[clients] = ours.seconds
        row = Row(f"得分 {AWARDS:,} 笔，{clients} 个客户端（各一进程）", ours, floor, peer)
        row.at_least("下限的 %", 100 * floor.seconds / ours.seconds, 45)
        if clients >= 4:
            row.at_least("同类÷我们", peer.seconds / ours.seconds, 3)
        if clients > 4:
            row.at_most("÷4 个客户端", ours.seconds / seconds[4], 1.1)
        yield row
        yield Row("同上；下限是只写不查的一条语句", ours, least)


def _award(clients: int) -> tuple[float, int]:
    """As the product calls it. One process a client, like the workers of the web server."""
    people = list(Retiree.objects.order_by("pk")[:AWARDS])
    user, _ = get_user_model().objects.get_or_create(username="bench-staff")

    def work(number: int) -> None:
        for person in people[number::clients]:
            ledger.award(
                source=f"bench.a:{person.pk}", retiree=person, code=CODE, on=books.today(),
                by=user, memo="例会",
            )  # fmt: skip

    seconds = in_processes(clients, work)
    _check()
    return seconds, _queries(people[0], user)


def _queries(person: Retiree, user) -> int:
    sent = database.sent()
    ledger.award(source="bench.q", retiree=person, code=CODE, on=books.today(), by=user)
    return database.sent() - sent


def _check() -> None:
    found = Posting.objects.filter(state="posted", posted__gt=0, source__startswith="bench.a")
    if found.count() != AWARDS:
        raise ValueError(f"{found.count()} ≠ {AWARDS}")


def _send_call(clients: int) -> tuple[float, int]:
    """The same call by pgbench, in the same role, prepared once."""
    statement = _CALL.format(day=books.today())
    return _by_pgbench(statement, clients, role="cadres_app")


def _send_least(clients: int) -> tuple[float, int]:
    given = "SELECT 'bench.a:' || :nth AS source, :first::bigint + :nth AS retiree"
    return _by_pgbench(books.least(given), clients)


def _by_pgbench(statement: str, clients: int, role: str = "") -> tuple[float, int]:
    first, name = books.member_ids()[0], connection.settings_dict["NAME"]
    seconds = pgbench(name, statement, clients, AWARDS // clients, role, first=first)
    _check()
    return seconds, 1
