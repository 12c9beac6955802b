"""Rejected rows come back as a workbook of the same layout, to be mended and sent again."""

import io
from pathlib import Path

import openpyxl
import pytest

from branches.models import StagedRow
from branches.roster.report import report, write_rejected
from branches.tests.make import staged, written
from cadres.models import Retiree
from cadres.tests.workbooks import (
    HEADER,
    id_number,
    people,
    person,
    roster_of,
    saved,
    text_file,
    workbook,
)

pytestmark = pytest.mark.django_db
MESSY = Path(__file__).with_name("data") / "roster_messy.xlsx"


def rejected_of(batch) -> openpyxl.Workbook:
    out = io.BytesIO()
    write_rejected(batch, out)
    return openpyxl.load_workbook(io.BytesIO(out.getvalue()))


def rejected_bytes(batch) -> bytes:
    return saved(rejected_of(batch))


def cells(sheet) -> list[list]:
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def problems_of(batch) -> list[tuple]:
    return [(p["column"], p["code"]) for p in report(batch)["problems"] if p["level"] == "error"]


def test_rejected_rows_come_in_their_own_layout_with_the_problem_behind():
    rows = [person(0, 活动类别="丁"), person(1), person(2, 身份证号=id_number(2)[:-1] + "?")]
    book = rejected_of(staged(workbook([["花名册"], HEADER, *rows], names=["朱衣"])))
    assert book.sheetnames == ["朱衣"]
    header, *found = cells(book["朱衣"])
    assert header == [*HEADER, "问题"]
    assert [row[0] for row in found] == [rows[0][0], rows[2][0]]
    assert found[0][:-1] == rows[0]
    assert "活动类别" in found[0][-1]


def test_identity_numbers_are_written_as_text():
    sheet = rejected_of(staged(roster_of(person(0, 活动类别="丁")))).active
    cell = sheet.cell(2, HEADER.index("身份证号") + 1)
    assert (cell.value, cell.data_type, cell.number_format) == (id_number(0), "s", "@")


def test_formula_like_texts_are_written_as_text():
    texts = ["=1+1", "=cmd|' /C calc'!A0", "+1", "-1", "@x", "http://127.0.0.1/x"]
    rows = [person(i, 姓名=text, 详细地址=text) for i, text in enumerate(texts)]
    sheet = rejected_of(staged(text_file_of(rows))).active
    for row in sheet.iter_rows(min_row=2):
        for cell in row:
            assert cell.data_type != "f"
            assert cell.hyperlink is None


def text_file_of(rows: list[list]) -> bytes:
    return text_file([HEADER, *rows])


def test_rejected_rows_of_the_messy_sample_are_the_same_problems_again():
    batch = written(MESSY.read_bytes())
    again = staged(rejected_bytes(batch))
    assert again.rows == 12
    duplicate = ("id_number", "duplicate_in_file")  # its first row is written by now
    assert problems_of(again) == [p for p in problems_of(batch) if p != duplicate]


def test_mended_rows_are_taken():
    batch = written(MESSY.read_bytes())
    book = rejected_of(batch)
    sheet = book.active
    names = [cell.value for cell in sheet[1]]
    for row in sheet.iter_rows(min_row=2):
        for cell in row:
            if cell.value == "县火星探测局":
                cell.value = "县教委"
            if cell.value == "丁类":
                cell.value = "A类"
    assert names[-1] == "问题"
    again = written(saved(book))
    assert (again.created, again.updated) == (2, 1)  # and the person whom another row had created


def test_rejected_rows_of_several_sheets_stay_in_theirs():
    bad = [person(i, 活动类别="丁") for i in range(3)]
    batch = staged(
        workbook(
            [HEADER, bad[0]],
            [HEADER, person(9)],
            [HEADER, bad[1], bad[2]],
            names=["甲", "乙", "丙"],
        )
    )
    assert rejected_of(batch).sheetnames == ["甲", "丙"]
    assert staged(rejected_bytes(batch)).rejected == 3


def test_rejected_rows_below_a_two_row_header_can_be_read_again():
    rows = [
        ["姓名", "性别", "身份证号", "离退休情况", None, "活动类别"],
        [None, None, None, "时间", "类别", None],
        ["张三", "男", id_number(0), "2010.07", "退休", "丁"],
    ]
    batch = staged(workbook(rows, merged=["D1:E1", "A1:A2", "B1:B2", "C1:C2", "F1:F2"]))
    again = staged(rejected_bytes(batch))
    assert problems_of(again) == problems_of(batch) == [("activity_class", "class_unknown")]
    assert StagedRow.objects.get(batch=again).retired_on == "2010-07"


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_date_that_may_have_lost_its_zero_is_asked_about_again(kind):
    rows = [["姓名", "身份证号", "退休时间", "类别"], ["张三", id_number(0), 2003.1, "丁"]]
    batch = staged(workbook(rows) if kind == "xlsx" else text_file(rows))
    again = staged(rejected_bytes(batch))
    for found in (batch, again):
        codes = [p["code"] for p in report(found)["problems"]]
        assert sorted(codes) == ["class_unknown", "date_ambiguous"]


def test_name_that_was_a_formula_is_still_none_when_it_comes_again():
    book = openpyxl.Workbook()
    book.active.append(HEADER)
    book.active.append(person(0, 姓名='="张"&"三"'))
    batch = staged(saved(book))
    assert problems_of(batch) == [("name", "name_invalid")]
    assert problems_of(staged(rejected_bytes(batch))) == [("name", "name_invalid")]


@pytest.mark.parametrize("name", ["a" * 31, "History", "一/二", "[x]", "'x'", "x:y"])
def test_any_name_of_a_sheet_will_do(name):
    content = roster_of(person(0, 活动类别="丁"))
    batch = staged(content)
    batch.notes["layout"] = {name: batch.notes["layout"]["Sheet1"]}
    StagedRow.objects.filter(batch=batch).update(sheet=name)
    assert len(rejected_of(batch).sheetnames) == 1


def test_file_without_rejected_rows_says_so():
    assert "没有被拒绝的行" in cells(rejected_of(staged(roster_of(person(0)))).active)[0][0]


def test_long_cells_are_written_as_far_as_excel_takes_them():
    batch = staged(text_file_of([person(0, 详细地址="字" * 30_000)]))
    assert len(cells(rejected_of(batch).active)[1][HEADER.index("详细地址")]) == 30_000


def test_people_of_rejected_rows_are_not_written():
    written(roster_of(*people(3), person(7, 活动类别="丁")))
    assert Retiree.objects.count() == 3


def test_report_masks_identity_numbers_and_phones():
    rows = [
        person(0, 身份证号=id_number(0)[:-1] + "0", 联系电话="138000003001"),
        person(1, 出生年月=id_number(1)),
        person(2, 姓名="13812345678"),
        person(3, 原工作单位=id_number(3)),
    ]
    text = str(report(staged(roster_of(*rows))))
    for token in (id_number(0)[4:16], "0000030", id_number(1)[4:], "2345678", id_number(3)[4:]):
        assert token not in text
