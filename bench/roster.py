"""The roster: read, imported, imported again, and ten times as long."""

import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import openpyxl
import pghistory
import python_calamine
from django.conf import settings
from django.core.files import File
from django.db import connection, transaction

from bench import database, peers, people
from bench.table import Contender, Row, measure
from branches import roster
from branches.models import ImportBatch
from cadres.spreadsheets import MAX_BYTES, read_workbook

FULL = database.PREFIX + "full"
_FLOOR_COLUMNS = 23


def read() -> Iterator[Row]:
    """Only the file: child process and all its checks, against the bare readers."""
    ours = Contender(lambda: _none(read_workbook(people.DEMO)))
    floor = Contender(lambda: _none(_rows(people.DEMO)))
    peer = Contender(_read_by_openpyxl)
    database.use(database.EMPTY)
    measure(ours, floor, peer)
    row = Row("读取名册 1,878 × 23", ours, floor, peer)
    row.at_most("秒", ours.seconds, 0.4)
    yield row


def imports() -> Iterator[Row]:
    """New rows, the same again, and 18,780 rows: from the file to the commit."""
    small, large = _files()
    _make_room_for_others()
    new = _import_row("导入 1,878 新增", small, database.EMPTY, created=people.PEOPLE)
    make_full()
    again = _import_row("同一份再导入（全部不变）", small, FULL, unchanged=people.PEOPLE)
    ours = Contender(partial(import_roster, large, created=10 * people.PEOPLE), database.EMPTY)
    floor = Contender(partial(_copy_plainly, large), database.EMPTY)
    measure(ours, floor)
    long = Row("导入 18,780 新增", ours, floor)
    new.at_least("同类÷我们", new.peer.seconds / new.ours.seconds, 15)
    new.at_most("查询", new.ours.queries, 40)
    new.same("18,780 行时查询相同", new.ours.queries, ours.queries)
    long.at_most("÷1,878 行", ours.seconds / new.ours.seconds, 11)
    yield from (new, again, long)


def imports_by_peer() -> Iterator[Row]:
    """The long roster by import-export: minutes, so only when asked for."""
    _, large = _files()
    _make_room_for_others()
    ours = Contender(partial(import_roster, large, created=10 * people.PEOPLE), database.EMPTY)
    peer = Contender(partial(_none_of, peers.import_in_admin, large), database.EMPTY)
    measure(ours, peer)
    yield Row("导入 18,780 新增，与同类比", ours, None, peer)


def _import_row(what: str, path: Path, template: str, **expected: int) -> Row:
    ours = Contender(partial(import_roster, path, **expected), template)
    floor = Contender(partial(_copy_plainly, path), template)
    peer = Contender(partial(_none_of, peers.import_in_admin, path), template)
    measure(ours, floor, peer)
    row = Row(what, ours, floor, peer)
    row.at_most("÷下限", ours.seconds / floor.seconds, 8)
    return row


# ---- ours ------------------------------------------------------------------------------------


def import_roster(path: Path, **expected: int) -> None:
    """What the command and the two background jobs of the page do."""
    with pghistory.context(command="bench"):
        with open(path, "rb") as file:
            batch = roster.accept_upload(
                file=File(file, name=path.name), by=None, in_background=False
            )
        batch = roster.write(batch=roster.stage(batch=batch), by=None)
    found = {name: getattr(batch, name) for name in expected}
    if found != expected:
        raise ValueError(f"{found} ≠ {expected}")


def make_full() -> None:
    """The database with the county's 1,878 people in it."""
    database.make(FULL, database.EMPTY)
    database.use(FULL)
    with open(people.DEMO, "rb") as file:
        batch = roster.accept_upload(
            file=File(file, name="demo.xlsx"), by=None, in_background=False
        )
    roster.write(batch=roster.stage(batch=batch), by=None)
    assert ImportBatch.objects.get().created == people.PEOPLE
    connection.close()
    with database.as_owner(FULL) as cursor:
        cursor.execute("VACUUM ANALYZE")


# ---- the others ------------------------------------------------------------------------------


def _files() -> tuple[Path, Path]:
    """The demo roster with its headings in the first row (import-export needs that), and ten of it."""
    folder = Path(settings.PRIVATE_ROOT)
    small, large = folder / "1878.xlsx", folder / "18780.xlsx"
    for path, copies in ((small, 0), (large, 9)):
        if not path.exists():
            people.write_roster(path, copies)
    assert large.stat().st_size < MAX_BYTES
    return small, large


def _make_room_for_others() -> None:
    """The floor's table, and a right that import-export needs and our role does not have."""
    columns = ", ".join(f"c{n} text" for n in range(_FLOOR_COLUMNS))
    with database.as_owner(database.EMPTY) as cursor:
        cursor.execute(f"CREATE TABLE IF NOT EXISTS bench_floor ({columns})")
        cursor.execute("GRANT UPDATE ON SEQUENCE cadres_retiree_id_seq TO cadres_app")


def _rows(path: Path) -> list[list]:
    return python_calamine.load_workbook(str(path)).get_sheet_by_index(0).to_python()


def _copy_plainly(path: Path) -> None:
    """The least that could be done: the cells as they are, into a table without rules."""
    lines = io.StringIO()
    for row in _rows(path):
        lines.write("\t".join(str(cell) or "\\N" for cell in row) + "\n")
    lines.seek(0)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.copy_expert("COPY bench_floor FROM STDIN", lines)


def _read_by_openpyxl() -> None:
    book = openpyxl.load_workbook(people.DEMO, read_only=True, data_only=True)
    for sheet in book:
        list(sheet.iter_rows(values_only=True))


def _none(value) -> None:
    """For a lambda whose value is no number of seconds."""


def _none_of(function, *args) -> None:
    function(*args)
