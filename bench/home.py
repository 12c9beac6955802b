"""The county's home page, and its workbooks: at 1,878 and at 187,800 people."""

import datetime
import functools
import io
import statistics
import tempfile
import time
from collections.abc import Iterator
from functools import partial

import xlsxwriter
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.db.models import Count
from django.test import Client

from bench import database, peers, people, roster
from bench.lists import COPIES, LARGE
from bench.table import Contender, Row, measure
from cadres.forms import people_of
from cadres.models import ActivityClass, Export, Township
from cadres.roles import Role, give_role, load_roles
from fengjie_cadres.reports import numbers
from fengjie_cadres.reports.exports import write
from fengjie_cadres.reports.figures import FIGURES
from fengjie_cadres.reports.tables import TABLES

REQUESTS = 10
SIZES = (("1,878", roster.FULL), ("187,800", LARGE))
#: p95 of the home page at 187,800 people, in seconds.
HOME_BAR = 0.4


@functools.cache
def _make_both() -> None:
    roster.make_full()
    database.make(LARGE, roster.FULL)
    people.fill(LARGE, COPIES)


# ---- the home page ---------------------------------------------------------------------------


def home() -> Iterator[Row]:
    """The whole page against one grouping, and against one query for each figure and place."""
    _make_both()
    for size, name in SIZES:
        database.use(name)
        numbers.refresh()  # as the worker does where there are very many people
        ours = Contender(partial(_visit, name))
        floor = Contender(partial(_timed, name, _one_grouping))
        peer = Contender(partial(_timed, name, _one_query_each))
        measure(ours, floor, peer)
        row = Row(f"首页（{size} 人）", ours, floor, peer)
        row.at_most("秒", ours.seconds, HOME_BAR)
        row.at_most("查询", ours.queries, 20)
        yield row


def _user():
    found, is_new = get_user_model().objects.get_or_create(username="bench-staff")
    if is_new:
        load_roles()
        give_role(found, Role.OFFICE_STAFF)
    return found


def _visit(name: str) -> tuple[float, int]:
    """The 95th percentile of some requests, and one's queries (session and user among them)."""
    database.use(name)
    client = Client(HTTP_HOST="localhost")
    client.force_login(_user())
    return _percentile(lambda: _found(client.get("/")))


def _found(response) -> None:
    if response.status_code != 200:
        raise ValueError(response.status_code)


def _timed(name: str, work) -> tuple[float, int]:
    database.use(name)
    user = _user()
    return _percentile(lambda: work(user))


def _percentile(work) -> tuple[float, int]:
    times = []
    for _ in range(REQUESTS + 1):
        sent, began = database.sent(), time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.quantiles(times[1:], n=20)[-1], database.sent() - sent


def _one_grouping(user) -> None:
    found = people_of(FIGURES["retirees"].filled, user).order_by()
    list(found.values("township_id", "activity_class").annotate(Count("pk")))


def _one_query_each(user) -> None:
    for figure in FIGURES.values():
        figure.count(user)
    counted = people_of(FIGURES["retirees"].filled, user)
    for township in Township.objects.all():
        for code in ActivityClass.values:
            counted.filter(township=township, activity_class=code).count()


# ---- workbooks -------------------------------------------------------------------------------


def exports() -> Iterator[Row]:
    """花名册 of everybody, against the same rows plainly written, and import-export."""
    _make_both()
    for size, name in SIZES:
        ours = Contender(partial(_export, name))
        floor = Contender(partial(_write_plainly, name))
        peer = Contender(partial(_export_by_peer, name)) if name == roster.FULL else None
        measure(ours, floor, peer)
        row = Row(f"导出花名册 {size} × 20", ours, floor, peer)
        row.at_most("÷下限", ours.seconds / floor.seconds, 2 if peer else 1.3)
        if not peer:
            row.at_most("MB", ours.peak, 120)
        yield row


def _export(name: str) -> None:
    database.use(name)
    export = Export.objects.create(
        kind="roster", title="花名册", state="making", asked_by=_user(), params={}
    )
    with transaction.atomic():
        write(export)
    export.file.delete(save=False)


def _write_plainly(name: str) -> None:
    """The same values, no styles, no headings, in XlsxWriter's constant memory."""
    database.use(name)
    export = Export(kind="roster", title="花名册", asked_by=_user(), params={})
    with transaction.atomic(), tempfile.TemporaryFile() as file:
        (sheet,) = TABLES["roster"].fill(export, datetime.date.today())
        book = xlsxwriter.Workbook(file, {"constant_memory": True})
        page = book.add_worksheet()
        for line, row in enumerate(sheet.rows):
            for column, value in enumerate(row):
                if isinstance(value, int):
                    page.write_number(line, column, value)
                else:
                    page.write_string(line, column, value or "")
        book.close()


def _export_by_peer(name: str) -> None:
    database.use(name)
    found = peers.RosterResource().export()
    io.BytesIO(found.export("xlsx"))
    connection.close()
