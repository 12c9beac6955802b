"""A comparison leaves every table but its own as it was, and takes as many statements for many."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from branches import comparison
from branches.comparison.read import ask_workbook
from branches.models import ImportBatch
from branches.tests.make import compared, listed, make_branch, make_membership, written
from cadres.roles import Role
from cadres.tests.make import make_id_number, make_retiree, make_user
from cadres.tests.workbooks import people, person, roster_of, workbook

pytestmark = pytest.mark.django_db
#: What a comparison and the export of its result may write.
ITS_OWN = {
    "branches_importbatch", "branches_importbatchevent", "branches_stagedrow", "cadres_job",
    "cadres_export", "cadres_exportevent", "cadres_accessentry", "pghistory_context",
    "django_session", "cadres_user", "axes_accesslog", "axes_accessattempt",
}  # fmt: skip


def sums(tables=None) -> dict[str, str]:
    """A checksum of every row of every table."""
    with connection.cursor() as cursor:
        tables = tables or sorted({*connection.introspection.table_names(cursor)} - ITS_OWN)
        found = {}
        for table in tables:
            cursor.execute(
                f"SELECT count(*) || ':' || COALESCE(md5(string_agg(md5(t::text), ''"
                f" ORDER BY md5(t::text))), '') FROM {table} t"
            )
            found[table] = cursor.fetchone()[0]
    return found


def a_list_that_differs_in_everything() -> bytes:
    written(roster_of(*people(10)))
    make_membership(make_retiree(name="孙七"), make_branch())
    changed = {
        "联系电话": "13999999999", "活动类别": "C", "所在党支部": "草堂镇离退休干部党支部",
        "居住乡镇(街道)": "草堂镇", "详细地址": "人和街1号", "政治面貌": "中共党员",
    }  # fmt: skip
    return roster_of(*people(10, **changed), person(20), person(0), person(3, 姓名=None))


@pytest.mark.parametrize("scope", ["none", "units", "county"])
def test_no_row_of_any_other_table_changes(scope):
    content = a_list_that_differs_in_everything()
    by = make_user(role=Role.OFFICE_STAFF)
    before = sums()
    batch = compared(content, scope=scope, by=by)
    assert (batch.updated, batch.created, batch.rejected) == (10, 1, 2)
    ask_workbook(batch=batch, by=by)
    assert sums() == before
    assert {"cadres_retiree", "cadres_classchange", "branches_membership"} <= {*before}


def test_the_same_list_imported_does_change_them():
    content = a_list_that_differs_in_everything()
    before = sums()
    written(content)
    after = sums()
    changed = {table for table in before if before[table] != after[table]}
    assert {"cadres_retiree", "cadres_classchange", "cadres_residence"} <= changed


def test_pages_of_a_result_change_nothing_at_all(client):
    client.force_login(make_user(role=Role.OFFICE_STAFF))
    batch = compared(a_list_that_differs_in_everything(), scope="county")
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
    before = sums(tables)
    for show in ("updated", "unchanged", "created", "ours", "rejected"):
        assert client.get(f"/comparisons/{batch.pk}/", {"show": show, "q": "张"}).status_code == 200
    assert client.get("/comparisons/").status_code == 200
    assert client.get("/comparisons/new/").status_code == 200
    assert client.get(f"/comparisons/{batch.pk}/export/").status_code == 405
    assert sums(tables) == before


def statements(content: bytes, **fields) -> int:
    batch = listed(content, **fields)
    with CaptureQueriesContext(connection) as captured:
        comparison.compare(batch=batch)
    return sum("SAVEPOINT" not in query["sql"] for query in captured)


@pytest.mark.parametrize("scope", ["none", "units", "county"])
def test_comparing_takes_as_many_statements_for_30_rows_as_for_3(scope):
    written(roster_of(*people(20)))
    counts = [statements(roster_of(*people(size, 活动类别="C")), scope=scope) for size in (3, 30)]
    assert counts[0] == counts[1]
    assert counts[0] <= 20


@pytest.mark.slow
def test_20000_rows_are_compared(django_assert_max_num_queries):
    """Names that occur a thousand times, half of the rows without a number."""
    known = [make_retiree(name=f"王{i}", id_number=make_id_number(serial=i)) for i in range(40)]
    rows = [
        [f"王{chr(0x4E00 + i % 20)}", None, "1953.07", "参保"]
        if i % 2
        else [known[i % 40].name.replace(str(i % 40), "五"), id_number(i), None, "参保"]
        for i in range(19_990)
    ]
    content = workbook([["姓名", "身份证号", "出生年月", "参保状态"], *rows])
    with django_assert_max_num_queries(30):
        batch = compared(content, scope="county")
    assert batch.rows == 19_990
    assert ImportBatch.objects.get(pk=batch.pk).state == "staged"


def id_number(index: int) -> str:
    day, serial = divmod(index // 2, 450)
    return make_id_number(
        f"19{40 + day // 28:02d}-0{1 + day % 9}-{1 + day % 28:02d}", serial=serial
    )
