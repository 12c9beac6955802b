"""`manage.py import_roster`: exit status, report, rejected rows, dry run, scope and day."""

import datetime
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from branches.models import ImportBatch, ImportState, StagedRow
from branches.tests.test_import_samples import DATA, KEYS
from cadres.models import ClassChange, Retiree
from cadres.tests.hostile import FILES
from cadres.tests.make import make_retiree
from cadres.tests.workbooks import people, person, roster_of
from cadres.tests.worker import Worker
from fengjie_cadres import demo

pytestmark = pytest.mark.django_db
MESSY = DATA / "roster_messy.xlsx"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "名册.xlsx"
    path.write_bytes(roster_of(*people(3), person(3, 活动类别="丁")))
    return path


def test_county_sample_by_command_twice(tmp_path):
    counts = []
    for turn in range(2):
        out = tmp_path / f"{turn}.json"
        call_command("import_roster", str(demo.ROSTER), report=out)
        found = json.loads(out.read_text("utf-8"))
        counts.append([found[k] for k in ("rows", "created", "updated", "unchanged", "rejected")])
        assert found["problems"] == []
        assert found["missing"] == 0
    assert counts == [[1878, 1878, 0, 0, 0], [1878, 0, 0, 1878, 0]]


def test_messy_sample_by_command(tmp_path, capsys):
    expected = json.loads((DATA / "roster_messy.expected.json").read_text())
    out, rejected = tmp_path / "out.json", tmp_path / "rejected.xlsx"
    call_command("import_roster", str(MESSY), "--report", str(out), "--rejected", str(rejected))
    found = json.loads(out.read_text("utf-8"))
    assert [{key: p[key] for key in KEYS} for p in found["problems"]] == expected["problems"]
    assert found["created"] == Retiree.objects.count() == 48
    assert openpyxl.load_workbook(rejected).active.max_row == 13
    assert "新增 48" in capsys.readouterr().out


def test_dry_run_writes_nobody(file, tmp_path, capsys):
    out = tmp_path / "out.json"
    call_command("import_roster", str(file), "--dry-run", "--report", str(out))
    assert json.loads(out.read_text())["created"] == 3
    assert not Retiree.objects.exists()
    assert ImportBatch.objects.get().state == ImportState.DISCARDED
    assert "没有写入" in capsys.readouterr().out


def test_day_of_the_file_is_the_day_that_changes_count_from(file):
    call_command("import_roster", str(file), "--on", "2026-02-03")
    assert {c.effective_from for c in ClassChange.objects.all()} == {datetime.date(2026, 2, 3)}


@pytest.mark.parametrize(("scope", "missing"), [("county", 1), ("units", 0), ("none", 0), ("", 0)])
def test_scope_decides_who_is_missing(file, tmp_path, scope, missing):
    make_retiree(unit=None)
    out = tmp_path / "out.json"
    call_command("import_roster", str(file), report=out, **({"scope": scope} if scope else {}))
    assert json.loads(out.read_text())["missing"] == missing


def exit_status(*arguments) -> int:
    with pytest.raises(SystemExit) as ended:
        call_command("import_roster", *map(str, arguments))
    return ended.value.code


@pytest.mark.parametrize(
    "name",
    ["png", "empty", "truncated_xlsx", "six_megabytes", "laughs_in_the_sheet", "html_named_xls",
     "lone_far_cell", "text_without_a_header", "workbook_without_people", "encrypted_zip"],
)  # fmt: skip
def test_file_that_cannot_be_read_ends_with_two_and_a_sentence(tmp_path, capsys, name):
    path = tmp_path / "名册.xlsx"
    path.write_bytes(FILES[name][0]())
    assert exit_status(path) == 2
    words = capsys.readouterr().err.strip()
    assert words.endswith("。")
    assert "Traceback" not in words
    assert not Retiree.objects.exists()
    assert not StagedRow.objects.exists()


def test_file_that_is_not_there_ends_with_two(tmp_path, capsys):
    assert exit_status(tmp_path / "nowhere.xlsx") == 2
    assert "nowhere.xlsx" in capsys.readouterr().err
    assert exit_status(tmp_path) == 2


def test_day_in_the_future_ends_with_two(file):
    assert exit_status(file, "--on", "2999-01-01") == 2
    assert not Retiree.objects.exists()


def test_history_names_the_command(file):
    call_command("import_roster", str(file))
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT pgh_context->>'command' FROM cadres_retireeevent")
        assert cursor.fetchall() == [("import_roster",)]


@pytest.mark.django_db(transaction=True)
def test_command_line_of_its_own_process_in_an_old_locale(file, tmp_path, queue):
    """And with a blank and Chinese in the path."""
    folder = tmp_path / "名 册"
    folder.mkdir()
    shutil.copy(file, folder / "名册.xlsx")
    environment = Worker(queue, tmp_path / "log").environment | {"LC_ALL": "C", "LANG": "C"}
    done = subprocess.run(
        [sys.executable, "manage.py", "import_roster", str(folder / "名册.xlsx"),
         "--report", str(folder / "out.json")],
        cwd=settings.BASE_DIR, env=environment, capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads((folder / "out.json").read_text("utf-8"))["created"] == 3
    assert Retiree.objects.count() == 3
    assert os.path.exists(Path(ImportBatch.objects.get().upload.path))
