"""Every hostile file gets its sentence; the child that reads it stays within its limits."""

import contextlib
import os
import random
import resource
import time

import pytest
from django.utils import timezone

from cadres import spreadsheets, workbook_reader
from cadres.rosters import Names, read_roster
from cadres.spreadsheets import REFUSALS, WorkbookRefusedError, read_workbook
from cadres.tests.hostile import FILES
from cadres.tests.workbooks import HEADER, old_workbook, people, raw_sheet, raw_workbook, roster_of


@pytest.fixture
def read(tmp_path):
    """Reads bytes as a workbook."""

    def found(content: bytes):
        path = tmp_path / "file"
        path.write_bytes(content)
        return read_workbook(path)

    return found


_LARGE = {"much_text", "exploding_strings", "a_million_rows"}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n in _LARGE else n for n in FILES]
)
def test_hostile_file_is_refused_in_a_sentence(read, db, name):
    make, codes = FILES[name]
    content = make()
    start = time.monotonic()
    with pytest.raises(WorkbookRefusedError) as refusal:
        read_roster(read(content), Names.load({}, {}), timezone.localdate())
    assert refusal.value.code in codes
    assert str(refusal.value) == REFUSALS[refusal.value.code]
    assert time.monotonic() - start < spreadsheets.SECONDS
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    assert used < workbook_reader.MEMORY


@pytest.mark.parametrize(
    "words",
    ["import os; os.abort()", "while True: pass", "raise MemoryError", "import sys; sys.exit(3)",
     "print('[')", "import os; os.kill(os.getpid(), 11)"],
)  # fmt: skip
def test_reader_that_crashes_or_hangs_takes_nobody_with_it(read, monkeypatch, tmp_path, words):
    script = tmp_path / "reader.py"
    script.write_text(words)
    monkeypatch.setattr(spreadsheets, "READER", script)
    monkeypatch.setattr(spreadsheets, "SECONDS", 1)
    with pytest.raises(WorkbookRefusedError) as refusal:
        read(b"x")
    assert refusal.value.code == "crashed"


def test_reader_limits_itself(monkeypatch):
    """Negative control of the memory test above: without the limits nothing would hold."""
    limits = {}
    monkeypatch.setattr(resource, "setrlimit", lambda kind, values: limits.update({kind: values}))
    workbook_reader.limit_myself()
    assert limits[resource.RLIMIT_AS] == (workbook_reader.MEMORY,) * 2
    assert limits[resource.RLIMIT_CPU][0] <= spreadsheets.SECONDS


def test_reader_sees_neither_the_environment_nor_our_modules(monkeypatch, tmp_path):
    (tmp_path / "json.py").write_text("raise SystemExit(9)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.xlsx"
    path.write_bytes(roster_of(*people(1)))
    assert len(read_workbook(path).sheets[0].rows) == 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["xlsx", "xls"])
def test_workbook_with_any_bytes_changed_is_read_or_refused(read, kind):
    good = roster_of(*people(5)) if kind == "xlsx" else old_workbook([HEADER, *people(5)])
    chance = random.Random(os.environ.get("SEED", 7))
    for _ in range(150):
        content = bytearray(good)
        for _ in range(chance.randint(1, 20)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        with contextlib.suppress(WorkbookRefusedError):
            assert read(bytes(content)).kind in ("xlsx", "xls", "csv")


@pytest.mark.slow
def test_sheet_that_makes_the_search_slow_is_given_up_in_time(read):
    content = raw_workbook(raw_sheet("<c " * 12_000_000))
    start = time.monotonic()
    with pytest.raises(WorkbookRefusedError):
        read(content)
    assert time.monotonic() - start < spreadsheets.SECONDS + 3
