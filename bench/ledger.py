"""The ledger: one award by many clients, a thousand as a batch, and the proof of a million."""

import time
from collections.abc import Callable, Iterator
from functools import partial

from django.contrib.auth import get_user_model
from django.db import connection

from bench import audit, books, database, hordak
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

#: The statement that our own call sends.
_CALL = f"""
SELECT points_award(ARRAY['bench.a:' || :nth]::text[],
    ARRAY[:first::bigint + :nth]::bigint[], ARRAY['{CODE}']::text[], ARRAY['{{day}}']::date[],
    ARRAY[1]::numeric[], ARRAY['例会']::text[], '{{day}}', now(), NULL)
"""


def rows() -> Iterator[Row]:
    """By number of clients, the batch, and the proof."""
    books.make_books()
    yield from _by_clients()
    yield _batch()
    yield from audit.proof()


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


# ---- a batch -------------------------------------------------------------------------------------


def _batch() -> Row:
    """A thousand causes at once, against the two INSERTs alone (the trigger's UPDATE of balances
    is in them), and against a thousand calls. Each on a connection that has done the same for one
    cause before: workers keep theirs, and the server its plans."""
    ours = Contender(_award_many, BOOKS)
    floor = Contender(_insert, BOOKS)
    peer = Contender(_one_by_one, BOOKS)
    measure(ours, floor, peer)
    row = Row(f"得分 {BATCH:,} 笔一批；同类：一笔一笔", ours, floor, peer)
    row.at_most("÷下限", ours.seconds / floor.seconds, 1.5)
    return row


def _award_many() -> tuple[float, int]:
    members = books.member_ids()
    causes = books.causes("batch", members[:BATCH])
    ledger.award_many(causes=books.causes("before", members[-1:]), by=None)
    return _timed(lambda: ledger.award_many(causes=causes, by=None))


def _insert() -> tuple[float, int]:
    given = "SELECT 'bench.batch:' || id AS source, id AS retiree FROM cadres_retiree ORDER BY id"
    statement = books.least(f"{given} LIMIT {BATCH}")
    with database.as_owner(connection.settings_dict["NAME"]) as cursor:
        cursor.execute(books.least(f"{given} DESC LIMIT 1"))
        return _timed(lambda: cursor.execute(statement))[0], 1


def _one_by_one() -> tuple[float, int]:
    members = books.member_ids()
    causes = books.causes("batch", members[:BATCH])
    ledger.award_many(causes=books.causes("before", members[-1:]), by=None)
    return _timed(lambda: [ledger.award_many(causes=[cause], by=None) for cause in causes])


def _timed(work: Callable[[], object]) -> tuple[float, int]:
    """The clock starts when what is to be done is known, and the connection stands."""
    sent, began = database.sent(), time.perf_counter()
    work()
    return time.perf_counter() - began, database.sent() - sent
