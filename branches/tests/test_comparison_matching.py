"""Who is meant by a row of a list: by number, else when it is clear, else nobody."""

import pytest

from branches.models import StagedRow
from branches.tests.make import compared
from cadres.tests.make import make_id_number, make_retiree, make_unit, some_unit
from cadres.tests.workbooks import workbook

pytestmark = pytest.mark.django_db
NUMBER = make_id_number("1953-07-15", serial=7)
OTHER = make_id_number("1953-07-20", serial=8)
WRONG = NUMBER[:-1] + ("1" if NUMBER[-1] != "1" else "2")
UNIT = "奉节县教育委员会"


def rows_of(header: list, *rows: list, **fields) -> list[StagedRow]:
    batch = compared(workbook([header, *rows]), **fields)
    return list(StagedRow.objects.filter(batch=batch).order_by("position"))


def row_of(header: list, row: list) -> StagedRow:
    (found,) = rows_of(header, row)
    return found


def said(row: StagedRow) -> str:
    return "".join(problem["message"] for problem in row.all_problems)


def test_by_identity_number_alone():
    person = make_retiree(name="张三", id_number=NUMBER)
    row = row_of(["姓名", "身份证号"], ["张三", NUMBER])
    assert (row.verdict, row.retiree_id, row.all_problems) == ("unchanged", person.pk, [])


def test_by_identity_number_whatever_the_name():
    person = make_retiree(name="张三", id_number=NUMBER)
    row = row_of(["姓名", "身份证号"], ["张叁", NUMBER])
    assert (row.verdict, row.retiree_id) == ("updated", person.pk)
    assert row.changes == {"name": ["张三", "张叁"]}


def test_by_name_birth_month_and_unit():
    person = make_retiree(name="张三", birth_date="1953-07-15")
    make_retiree(name="张三", birth_date="1960-01")
    row = row_of(["姓名", "出生年月", "单位"], ["张三", "1953.07", "县教委"])
    assert (row.verdict, row.retiree_id) == ("unchanged", person.pk)
    assert "按姓名、出生年月、单位认的" in said(row)


def test_a_wrong_number_is_noted_and_the_rest_of_the_row_decides():
    person = make_retiree(name="张三", id_number=NUMBER)
    header = ["姓名", "身份证号", "出生年月", "单位"]
    row = row_of(header, ["张三", WRONG, "1953.07", "县教委"])
    assert (row.verdict, row.retiree_id) == ("unchanged", person.pk)
    assert "校验不通过" in said(row)
    assert WRONG not in said(row)


def test_a_unit_that_nobody_knows_does_not_hide_the_person():
    person = make_retiree(name="张三", birth_date="1953-07-15")
    row = row_of(["姓名", "出生年月", "单位"], ["张三", "1953.07", "县火星探测局"])
    assert (row.verdict, row.retiree_id) == ("unchanged", person.pk)
    assert "没有找到单位" in said(row)
    assert "按姓名、出生年月认的，请核对" in said(row)


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (["姓名", "出生年月"], ["张三", "1953.07"]),
        (["姓名", "单位"], ["张三", "县教委"]),
        (["姓名", "电话"], ["张三", "13812345678"]),
    ],
)
def test_the_only_one_of_that_name_is_meant_when_one_thing_agrees(header, row):
    person = make_retiree(name="张三", birth_date="1953-07-15", second_phone="13812345678")
    assert row_of(header, row).retiree_id == person.pk


def test_a_name_alone_is_never_enough():
    make_retiree(name="张三")
    row = row_of(["姓名", "职级"], ["张三", "科员"])
    assert (row.verdict, row.retiree_id) == ("rejected", None)
    assert "分不清是不是同一位" in said(row)


def test_a_wrong_number_and_nothing_else_leaves_the_person_unclear():
    make_retiree(name="张三", id_number=NUMBER)
    assert row_of(["姓名", "身份证号"], ["张三", WRONG]).verdict == "rejected"


def test_two_people_whom_a_row_fits_are_unclear_and_the_phone_may_tell():
    one = make_retiree(name="张三", birth_date="1953-07", phone="13812345678")
    make_retiree(name="张三", birth_date="1953-07")
    header = ["姓名", "出生年月", "单位", "电话"]
    assert row_of(header, ["张三", "1953.07", "县教委", None]).verdict == "rejected"
    found = row_of(header, ["张三", "1953.07", "县教委", "13812345678"])
    assert found.retiree_id == one.pk


@pytest.mark.parametrize("row", [["张三", "1960.01", None], ["张三", None, "县卫生健康委员会"]])
def test_what_contradicts_a_person_is_somebody_else(row):
    make_unit("县卫生健康委员会")
    make_retiree(name="张三", birth_date="1953-07")
    assert row_of(["姓名", "出生年月", "单位"], row).verdict == "created"


def test_another_number_is_the_same_person_when_month_and_unit_agree():
    person = make_retiree(name="张三", id_number=NUMBER)
    row = row_of(["姓名", "身份证号", "单位"], ["张三", OTHER, "县教委"])
    assert (row.verdict, row.retiree_id) == ("updated", person.pk)
    assert row.changes["id_number"] == [NUMBER, OTHER]
    assert "按姓名、出生年月、单位认的" in said(row)


def test_another_number_and_no_unit_is_somebody_else():
    make_retiree(name="张三", id_number=NUMBER)
    row = row_of(["姓名", "身份证号"], ["张三", OTHER])
    assert (row.verdict, row.retiree_id) == ("created", None)


def test_the_same_person_twice_is_unclear_the_second_time():
    make_retiree(name="张三", id_number=NUMBER)
    rows = rows_of(["姓名", "身份证号"], ["张三", NUMBER], ["张三", NUMBER])
    assert [row.verdict for row in rows] == ["unchanged", "rejected"]
    assert "与第 2 行是同一个人" in said(rows[1])


def test_who_has_the_number_is_surer_than_who_has_the_name():
    make_retiree(name="张三", id_number=NUMBER)
    header = ["姓名", "身份证号", "出生年月", "单位"]
    rows = rows_of(header, ["张三", None, "1953.07", "县教委"], ["张叁", NUMBER, None, None])
    assert [row.verdict for row in rows] == ["rejected", "updated"]
    assert "与第 3 行是同一个人" in said(rows[0])


def test_people_who_died_or_moved_away_are_found_too():
    person = make_retiree(name="张三", id_number=NUMBER, status="deceased", died_on="2026-01-05")
    assert row_of(["姓名", "身份证号"], ["张三", NUMBER]).retiree_id == person.pk


@pytest.mark.parametrize("unit", ["县教委", None])
def test_a_row_without_a_name_is_unclear_but_its_number_says_who_it_is(unit):
    person = make_retiree(name="张三", id_number=NUMBER)
    content = workbook([["姓名", "身份证号", "单位"], [None, NUMBER, unit]])
    batch = compared(content, scope="county")
    row = StagedRow.objects.get(batch=batch)
    assert (row.verdict, row.retiree_id, batch.missing) == ("rejected", person.pk, 0)


def test_whom_nobody_knows_is_only_in_the_list():
    make_retiree(name="张三")
    row = row_of(["姓名", "身份证号"], ["李四", NUMBER])
    assert (row.verdict, row.retiree_id, row.changes) == ("created", None, {})


# ---- whom the list lacks -----------------------------------------------------------------------


@pytest.fixture
def county():
    """One who is in the list, one of the unit, one of another unit, and one who has died."""
    make_retiree(name="张三", id_number=NUMBER)
    make_retiree(name="李四")
    make_retiree(name="王五", unit=make_unit(), lives_in_county=False)
    make_retiree(name="赵六", status="deceased", died_on="2026-01-05")


@pytest.mark.parametrize(
    ("scope", "names"), [("none", set()), ("units", {"李四"}), ("county", {"李四", "王五"})]
)
def test_who_is_only_here_depends_on_whom_the_list_is_compared_with(county, scope, names):
    batch = compared(workbook([["姓名", "身份证号"], ["张三", NUMBER]]), scope=scope)
    ours = StagedRow.objects.filter(batch=batch, verdict="")
    assert set(ours.values_list("name", flat=True)) == names
    assert (batch.rows, batch.unchanged, batch.missing) == (1, 1, len(names))


def test_units_that_the_list_names_count_though_nobody_of_them_was_found(county):
    batch = compared(workbook([["姓名", "单位"], ["孙七", UNIT]]), scope="units")
    ours = StagedRow.objects.filter(batch=batch, verdict="")
    assert set(ours.values_list("name", flat=True)) == {"张三", "李四"}


def test_somebody_whom_an_unclear_row_may_mean_says_so():
    make_retiree(name="张三", unit=some_unit())
    batch = compared(workbook([["姓名", "职级"], ["张三", "科员"]]), scope="county")
    ours = StagedRow.objects.get(batch=batch, verdict="")
    assert "表中第 2 行是同名的人" in said(ours)
