"""Set-based writes stand in the history like any others: who, when, and no personal numbers."""

import json

import pytest
from django.db import connection

from branches.roster import stage_job, undo, write_job
from branches.tests.make import DAY, staged, uploaded, written
from branches.tests.test_guards import EVENTS
from cadres import jobs
from cadres.models import Job, Retiree
from cadres.tests.make import make_user
from cadres.tests.workbooks import id_number, person, roster_of

pytestmark = pytest.mark.django_db

#: Planted where an identity number, a phone and an address stand.
NUMBER, PHONE, SECOND, ADDRESS = id_number(8), "13612345678", "023-56551239", "暗号街九号"


def planted(**more) -> list:
    return person(
        **{"联系电话": f"{PHONE}/{SECOND}", "详细地址": ADDRESS, "身份证号": NUMBER, **more}
    )


def all_history() -> dict[str, str]:
    """Every history table as one text, all columns."""
    found = {}
    with connection.cursor() as cursor:
        for table in EVENTS:
            cursor.execute(
                f"SELECT COALESCE(string_agg(to_jsonb(t)::text, ' '), '') FROM {table} t"
            )
            found[table] = cursor.fetchone()[0]
    return found


def events(table: str, columns: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {table} ORDER BY pgh_id")
        return cursor.fetchall()


def test_history_holds_no_identity_number_phone_or_address():
    batch = written(roster_of(planted()))
    assert Retiree.objects.get().id_number == NUMBER
    written(roster_of(planted(活动类别="C", 联系电话="13612340000", 详细地址="暗号街十号")))
    refused = staged(roster_of(planted(活动类别="丁"), [NUMBER], [f"联系人：{PHONE}", ADDRESS]))
    assert refused.rejected == 1
    batch = written(roster_of(planted(姓名="李四")))
    undo(batch=batch, by=None)
    text = all_history()
    assert "李四" in text["cadres_retireeevent"]
    for table, told in text.items():
        for token in (
            NUMBER,
            NUMBER[6:],
            PHONE,
            PHONE[3:],
            "13612340000",
            SECOND,
            "56551239",
            "暗号街",
        ):
            assert token not in told, (table, token)


def test_history_tells_that_a_phone_changed_without_the_phone():
    written(roster_of(planted()))
    written(roster_of(planted(联系电话="13612340000")))
    first, second = events("cadres_retireeevent", "phone_digest")
    assert first != second
    assert len(first[0]) == 32


def test_history_names_who_imported_and_when():
    user = make_user()
    batch = uploaded(roster_of(*[person(i) for i in range(30)]), by=user)
    for kind, work in (("roster-stage", stage_job), ("roster-write", write_job)):
        job = Job.objects.create(kind=kind, title="x", params={"batch": batch.pk}, asked_by=user)
        jobs.run(job.pk, work)
    for table in ("cadres_retireeevent", "cadres_classchangeevent", "branches_membershipevent"):
        found = events(table, "pgh_label, pgh_context, pgh_created_at IS NOT NULL")
        assert len(found) == 30, table
        for label, context, has_instant in found:
            context = json.loads(context)
            assert (label, context["user"], has_instant) == ("insert", user.pk, True)
            assert context["job"] == job.pk


def test_history_has_one_entry_for_each_change_and_none_for_no_change():
    rows = [person(i) for i in range(10)]
    written(roster_of(*rows))
    rows[0] = person(0, 活动类别="C")
    written(roster_of(*rows), on=DAY)
    assert [label for (label,) in events("cadres_retireeevent", "pgh_label")] == [
        *["insert"] * 10, "update",
    ]  # fmt: skip
    assert len(events("cadres_classchangeevent", "1")) == 11


def test_staged_rows_are_kept_out_of_the_history():
    assert not any("staged" in table for table in EVENTS)
