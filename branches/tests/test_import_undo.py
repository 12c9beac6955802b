"""A written batch is taken back as a whole, or not at all."""

import datetime
import json
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from branches import roster
from branches.models import ImportBatch, ImportState, Membership, StagedRow
from branches.roster import UndoRefusedError, undo
from branches.tests.make import make_membership, make_seat, some_branch, uploaded, written
from cadres.models import ClassChange, Residence, Retiree
from cadres.spreadsheets import WorkbookRefusedError
from cadres.tests.make import (
    make_class_change,
    make_residence,
    make_retiree,
    make_user,
    some_township,
)
from cadres.tests.workbooks import id_number, people, person, roster_of
from fengjie_cadres import demo

pytestmark = pytest.mark.django_db
MARCH, MAY = datetime.date(2026, 3, 1), datetime.date(2026, 5, 1)
TABLES = ("cadres_retiree", "cadres_residence", "cadres_classchange", "branches_membership")


def snapshot() -> dict[str, list[str]]:
    """Every row of every table with all columns, but for the instant of the last change."""
    found = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(
                f"SELECT (to_jsonb(t) - 'updated_at')::text FROM {table} t ORDER BY t.id"
            )
            found[table] = [text for (text,) in cursor.fetchall()]
    return found


def changed_person(index: int) -> list:
    """Everything that may change, changed."""
    return person(
        index,
        姓名="单雄信",
        出生年月="1950.01",
        原工作单位="县财政局",
        联系电话="13999999999/023-56551234",
        详细地址="9号",
        所在党支部="草堂镇离退休干部党支部",
        活动类别="C",
        政治面貌="中共党员",
        **{"居住乡镇(街道)": "草堂镇"},
    )


@pytest.mark.slow
def test_undo_of_the_first_roster_leaves_nobody():
    batch = written(Path(demo.ROSTER).read_bytes())
    assert undo(batch=batch, by=None).state == ImportState.UNDONE
    assert snapshot() == {table: [] for table in TABLES}


@pytest.mark.parametrize("on", [MARCH, MAY])
def test_undo_puts_every_column_of_every_table_back(on):
    """On another day periods were closed and opened; on the same day they were corrected."""
    written(roster_of(*people(5, 所在党支部="朱衣镇离退休干部党支部", 详细地址="1号")), on=MARCH)
    before = snapshot()
    rows = [changed_person(0), person(1, 活动类别="B"), person(2), *people(9)[6:]]
    batch = written(roster_of(*rows), on=on)
    assert (batch.created, batch.updated, batch.unchanged) == (3, 2, 1)
    assert snapshot() != before
    undo(batch=batch, by=make_user())
    assert snapshot() == before


def test_undo_puts_back_people_who_were_entered_by_hand():
    retiree = make_retiree(name="张一", id_number=id_number(0), phone="13700000000", remark="x")
    make_class_change(retiree, "B", "2025-01-01")
    make_residence(retiree, some_township("白帝镇"), address="3号")
    make_membership(retiree, some_branch("白帝镇离退休干部党支部"))
    make_retiree(name="张二", birth_date="1950-01-01", id_number=None)
    before = snapshot()
    batch = written(roster_of(changed_person(0), person(1, 姓名="张二", 出生年月="1950.01.01")))
    undo(batch=batch, by=None)
    assert snapshot() == before


def test_undo_reopens_only_what_the_batch_itself_closed():
    """A residence that staff had ended on the very day of the file stays ended."""
    retiree = make_retiree(id_number=id_number(0))
    make_residence(retiree, some_township("白帝镇"), until=MARCH)
    make_membership(retiree, some_branch(), until=MARCH)
    before = snapshot()
    batch = written(roster_of(person(0, 详细地址="5号")), on=MARCH)
    assert Residence.objects.count() == 2
    undo(batch=batch, by=None)
    assert snapshot() == before


def test_undo_of_an_undone_batch_does_nothing():
    batch = written(roster_of(person(0)))
    undo(batch=batch, by=None)
    before = snapshot()
    assert undo(batch=batch, by=None).state == ImportState.UNDONE
    assert snapshot() == before


def test_undone_file_may_be_imported_again():
    content = roster_of(*people(3))
    undo(batch=written(content), by=None)
    assert written(content).created == 3


def test_undo_keeps_the_history_of_both():
    batch = written(roster_of(person(0)))
    undo(batch=batch, by=None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pgh_label FROM cadres_retireeevent ORDER BY pgh_id")
        assert [label for (label,) in cursor.fetchall()] == ["insert", "delete"]


def _reclassified(retiree):
    make_class_change(retiree, "C", "2026-06-01")


def _renamed(retiree):
    retiree.remark = "改过"
    retiree.save()


def _moved(retiree):
    Residence.objects.filter(retiree=retiree).update(until="2026-06-01")


def _joined(retiree):
    make_membership(retiree, some_branch("白帝镇离退休干部党支部"), "participating")


def _imported_again(retiree):
    written(roster_of(person(0, 联系电话="13999999999")), on=MAY)


def _phone_changed(retiree):
    """The history keeps only a digest of it."""
    retiree.phone = "13999999999"
    retiree.save()


@pytest.mark.parametrize(
    "change", [_reclassified, _renamed, _moved, _joined, _imported_again, _phone_changed]
)
@pytest.mark.parametrize("known_before", [False, True])
def test_undo_is_refused_when_a_person_was_changed_since(change, known_before):
    if known_before:
        written(roster_of(person(0, 联系电话="13700000000")))
    batch = written(roster_of(person(0), person(1)))
    change(Retiree.objects.get(id_number=id_number(0)))
    before = snapshot()
    with pytest.raises(UndoRefusedError, match="张一") as refusal:
        undo(batch=batch, by=None)
    assert refusal.value.people == ["张一"]
    assert snapshot() == before
    batch.refresh_from_db()
    assert batch.state == ImportState.WRITTEN


def test_undo_is_possible_when_somebody_else_was_changed_since():
    """Negative control of the refusals above."""
    written(roster_of(person(0)))
    batch = written(roster_of(person(0), person(1)))
    _renamed(Retiree.objects.get(id_number=id_number(0)))  # unchanged in the batch
    undo(batch=batch, by=None)
    assert Retiree.objects.count() == 1


@pytest.mark.parametrize("relation", ["log-in", "seat"])
def test_undo_is_refused_when_something_points_to_a_new_person(relation):
    batch = written(roster_of(person(0)))
    retiree = Retiree.objects.get()
    if relation == "log-in":
        make_user(retiree=retiree)
    else:
        make_seat(some_branch(), retiree)
    with pytest.raises(UndoRefusedError, match="张一"):
        undo(batch=batch, by=None)
    assert Retiree.objects.exists()


def test_undo_names_ten_people_and_counts_the_rest():
    batch = written(roster_of(*people(12)))
    Retiree.objects.update(remark="x")
    with pytest.raises(UndoRefusedError, match="等 12 人") as refusal:
        undo(batch=batch, by=None)
    assert len(refusal.value.people) == 12


@pytest.mark.parametrize("state", ["uploaded", "staged", "discarded", "refused"])
def test_undo_of_what_is_not_written_is_refused(state):
    batch = uploaded(roster_of(person(0)))
    ImportBatch.objects.filter(pk=batch.pk).update(state=state)
    with pytest.raises(UndoRefusedError):
        undo(batch=batch, by=None)


# ---- emptying ----------------------------------------------------------------------------------


def age(batch, days: int) -> None:
    long_ago = timezone.now() - datetime.timedelta(days=days)
    ImportBatch.objects.filter(pk=batch.pk).update(closed_at=long_ago, uploaded_at=long_ago)


@pytest.mark.parametrize(("days", "is_emptied"), [(29, False), (31, True)])
def test_upload_and_staged_rows_are_emptied_after_thirty_days(days, is_emptied):
    batch = written(roster_of(person(0)))
    path = Path(batch.upload.path)
    age(batch, days)
    roster.empty_old_imports()
    assert StagedRow.objects.exists() is not is_emptied
    assert path.exists() is not is_emptied
    batch.refresh_from_db()
    assert (batch.notes == {}) is is_emptied
    assert Retiree.objects.count() == ClassChange.objects.count() == Membership.objects.count() == 1


def test_emptied_batch_cannot_be_undone():
    batch = written(roster_of(person(0)))
    age(batch, 31)
    roster.empty_old_imports()
    with pytest.raises(UndoRefusedError, match="30 天"):
        undo(batch=batch, by=None)


def test_refused_upload_is_emptied_too():
    batch = uploaded(b"%PDF-1.4")
    with pytest.raises(WorkbookRefusedError):
        roster.stage(batch=batch)
    age(batch, 31)
    path = Path(batch.upload.path)
    assert roster.empty_old_imports() == 1
    assert not path.exists()
    assert json.dumps(ImportBatch.objects.values("notes").get()["notes"]) == "{}"
