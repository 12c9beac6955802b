"""Any office's list: two columns suffice, a faulty cell hides nobody, unknown cells are masked."""

import datetime

import pytest

from cadres.headings import find_table
from cadres.lists import ListReader, shown_cell
from cadres.rosters import Names, read_roster
from cadres.spreadsheets import Sheet, Workbook, WorkbookRefusedError
from cadres.tests.make import make_id_number

pytestmark = pytest.mark.django_db
TODAY = datetime.date(2026, 6, 1)


def read(*rows: list, reader=ListReader, kind="xlsx"):
    book = Workbook(kind, [Sheet("S", [list(row) for row in rows])])
    return read_roster(book, Names.load({}, {}), TODAY, reader)


def only(*rows: list, **fields):
    (row,) = read(*rows, **fields).rows
    return row.clean


def codes(clean) -> list[tuple[str, str]]:
    return [(problem.code, problem.level) for problem in clean.problems]


def test_a_name_and_one_other_column_are_a_list_but_no_roster():
    rows = (["姓名", "身份证号"], ["张三", make_id_number()])
    assert len(read(*rows).rows) == 1
    with pytest.raises(WorkbookRefusedError) as refusal:
        read(*rows, reader=None)
    assert refusal.value.code == "no_header"


def test_a_name_alone_is_no_list_and_the_refusal_says_what_is_missing():
    with pytest.raises(WorkbookRefusedError) as refusal:
        read(["姓名", "随便"], ["张三", "x"])
    assert "至少有一列认得的内容" in str(refusal.value)


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        ("证件号码", "id_number"), ("公民身份证号码", "id_number"), ("社会保障号码", "id_number"),
        ("参保单位", "unit"), ("死亡日期", "died_on"), ("去世时间", "died_on"),
    ],
)  # fmt: skip
def test_headings_of_other_offices_are_known_in_a_list(heading, column):
    table = find_table(Sheet("S", [["姓名", heading], ["张三", "x"]]), any_list=True)
    assert table.columns == {"name": 0, column: 1}


def test_a_heading_of_our_own_is_surer_than_another_offices():
    heading = ["参保单位", "姓名", "原工作单位", "证件号码", "身份证号"]
    table = find_table(Sheet("S", [heading, ["a", "张三", "b", "c", "d"]]), any_list=True)
    assert (table.columns["unit"], table.columns["id_number"]) == (2, 4)
    assert table.others == {0: "参保单位", 3: "证件号码"}


def test_a_roster_is_read_as_if_there_were_no_other_offices():
    heading = ["参保单位", "姓名", "性别", "民族", "证件号码", "死亡日期"]
    table = find_table(Sheet("S", [heading, ["a", "张三", "男", "汉", "c", "d"]]))
    assert table.columns == {"name": 1, "sex": 2, "ethnic_group": 3}
    assert table.unknown == ["参保单位", "证件号码", "死亡日期"]


def test_a_dead_persons_name_is_a_name():
    row = only(
        ["序号", "死者姓名", "死者身份证号", "申报人电话"], [1, "张三", make_id_number(), "x"]
    )
    assert row.values["name"] == "张三"


@pytest.mark.parametrize(
    ("heading", "cell", "column", "code"),
    [
        ("单位", "县火星探测局", "unit_id", "unit_unknown"),
        ("活动类别", "丁类", "activity_class", "class_unknown"),
        ("参加工作时间", "很久以前", "work_started", "date_invalid"),
        ("离退休时间", "2099.01", "retired_on", "date_in_future"),
        ("乡镇", "火星镇", "township_id", "township_unknown"),
        ("党支部", "火星党支部", "branch_id", "branch_unknown"),
        ("身份证号", "512226195307151230", "id_number", "id_number_checksum"),
        ("身份证号", 5.12226195307151e17, "id_number", "id_number_precision_lost"),
        ("性别", "妇", "sex", "sex_mismatch"),
        ("职级", "很" * 50, "rank", "text_too_long"),
    ],
)
def test_a_faulty_cell_is_left_out_and_noted_and_the_person_stays(heading, cell, column, code):
    header, cells = ["姓名", "出生年月", "民族", heading], ["张三", "1953.07", "汉", cell]
    clean = only(header, cells)
    assert not clean.is_rejected
    assert codes(clean) == [(code, "warning")]
    assert clean.values[column] is None
    assert clean.values["birth_date"] == "1953-07"
    assert clean.problems[0].message.endswith("这一格没有采用。")
    assert only(header, cells, reader=None).is_rejected  # as a roster's row it would be refused


def test_dates_in_the_wrong_order_cost_the_later_one_only():
    clean = only(["姓名", "参加工作时间", "离退休时间"], ["张三", "1970.01", "1960.01"])
    assert (clean.values["work_started"], clean.values["retired_on"]) == ("1970-01", None)


def test_the_number_settles_the_birth_and_what_was_typed_is_noted():
    clean = only(
        ["姓名", "身份证号", "出生年月"], ["张三", make_id_number("1953-07-15"), "1954.01"]
    )
    assert clean.values["birth_date"] == "1953-07-15"
    assert codes(clean) == [("birth_mismatch", "warning")]


@pytest.mark.parametrize("name", [None, "12345", ["f", "张三"]])
def test_a_row_without_a_usable_name_is_nobody(name):
    clean = only(["姓名", "单位", "民族", "性别"], [name, "县教委", "汉", "男"])
    assert clean.is_rejected


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2026.03.01", "2026-03-01"), (["d", "2026-03-01"], "2026-03-01"), ("2026年3月", "2026-03"),
    ],
)  # fmt: skip
def test_a_date_of_death_is_kept_beside_the_person(cell, day):
    clean = only(["姓名", "单位", "去世时间"], ["张三", "县教委", cell])
    assert [(p.code, p.value) for p in clean.problems] == [("died_in_file", day)]
    assert not clean.is_rejected


@pytest.mark.parametrize("cell", ["已故", "2027-01-01", "2026.13"])
def test_a_date_of_death_that_is_none_is_noted(cell):
    clean = only(["姓名", "单位", "去世时间"], ["张三", "县教委", cell])
    assert codes(clean) == [("date_invalid", "warning")]


def test_two_names_alone_may_be_two_people_but_the_same_number_is_one():
    found = read(["姓名", "职级"], ["张三", "科员"], ["张三", "科员"]).rows
    assert not any(row.clean.is_rejected for row in found)
    number = make_id_number()
    found = read(["姓名", "身份证号"], ["张三", number], ["张三", number]).rows
    assert [row.clean.is_rejected for row in found] == [False, True]


def test_two_wrong_numbers_are_not_one_person():
    rows = [["张三", "51222619530715123"], ["张三", "51222619530715999"]]
    assert not any(row.clean.is_rejected for row in read(["姓名", "身份证号"], *rows).rows)


def test_a_name_alone_in_its_row_is_a_person_and_the_foot_of_the_table_is_not():
    found = read(["姓名", "身份证号"], ["张三", None], ["合计", None], ["制表人：李四", None])
    assert [row.clean.values["name"] for row in found.rows] == ["张三"]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("2026-03-01", "2026-03-01"), (["d", "2026-03-01"], "2026-03-01"), ("20260301", "20260301"),
        ("2026.03", "2026.03"), ("2026年3月1日", "2026年3月1日"), ("2026-03-01 08:30:00",) * 2,
        ("正常参保", "正常参保"), (123456, "123456"), (None, ""),
        ("13812345678", "138****"), ("138 1234 5678", "138****"), ("138-1234-5678", "138****"),
        ("023-56551234", "023****"), ("56551234", "565****"),
        ("１３８１２３４５６７８", "１３８****"),
        ("512226195307151234", "512****"), ("51222619530715123X", "512****"),
        ("512226 19530715 123x", "512****"), (13812345678, "138****"),
        ("其子 13812345678 代", "其子 138**** 代"),
    ],
)  # fmt: skip
def test_an_unknown_cell_shows_dates_and_hides_numbers(cell, shown):
    assert shown_cell(cell) == shown


def test_a_number_that_lost_its_digits_is_hidden_too():
    assert "222619530" not in shown_cell(5.12226195307151e17)
