"""Every kind of file comes out as the same cells: xlsx, xls, csv; dates, numbers, formulas."""

import datetime
from pathlib import Path

import openpyxl
import pytest

from cadres.headings import find_table
from cadres.spreadsheets import Workbook, read_workbook
from cadres.tests.workbooks import (
    HEADER,
    XML,
    in_sheets,
    old_workbook,
    people,
    person,
    raw_parts,
    raw_row,
    raw_sheet,
    raw_workbook,
    saved,
    text_file,
    workbook,
)
from fengjie_cadres import demo


@pytest.fixture
def read(tmp_path):
    def found(content: bytes) -> Workbook:
        path = tmp_path / "no-suffix"
        path.write_bytes(content)
        return read_workbook(path)

    return found


def rows_of(book: Workbook) -> list[list]:
    return [[cell or None for cell in row] for row in book.sheets[0].rows]


PEOPLE = people(3)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("xlsx", workbook([HEADER, *PEOPLE])),
        ("xls", old_workbook([HEADER, *PEOPLE])),
        ("csv", text_file([HEADER, *PEOPLE])),
        ("csv", text_file([HEADER, *PEOPLE], "utf-8-sig")),
        ("csv", text_file([HEADER, *PEOPLE], "gb18030")),
        ("csv", text_file([HEADER, *PEOPLE], "gb18030", "\t")),
        ("csv", text_file([HEADER, *PEOPLE], delimiter=";")),
        ("csv", text_file([HEADER, *PEOPLE]).replace(b"\r\n", b"\n")),
        ("csv", text_file([HEADER, *PEOPLE]).replace(b"\r\n", b"\r")),
        ("csv", text_file([HEADER, *PEOPLE]) + b"\r\n\r\n,,,,\r\n"),
        ("csv", text_file([[*row, *[None] * 200] for row in [HEADER, *PEOPLE]])),
    ],
)
def test_file_of_any_kind_holds_the_same_rows(read, kind, content):
    book = read(content)
    assert book.kind == kind
    wanted = [[*row, *[None] * 12][:12] for row in [HEADER, *PEOPLE]]
    assert [[*row, *[None] * 12][:12] for row in rows_of(book)] == wanted


def test_dates_to_the_day_and_to_the_month(read):
    day = datetime.date(1953, 7, 15)
    formats = {
        "A1": "yyyy-mm-dd", "B1": "yyyy.mm", "C1": 'yyyy"年"m"月"', "D1": "mmm-yy",
        "E1": '[$-804]yyyy"年"m"月"d"日"', "F1": "yyyy/m",
    }  # fmt: skip
    (row,) = read(workbook([[day] * 6], formats=formats)).sheets[0].rows
    full, month = ["d", "1953-07-15"], ["m", "1953-07"]
    assert row == [full, month, month, month, full, month]


@pytest.mark.parametrize("number", [17, 27, 36, 50, 57])
def test_builtin_month_formats_of_a_chinese_excel(read, number):
    content = raw_workbook(
        raw_sheet('<row r="1"><c r="A1" s="1"><v>19555</v></c></row>'),
        parts={
            "xl/styles.xml": f'{XML}<styleSheet xmlns="http://schemas.openxmlformats.org/'
            f'spreadsheetml/2006/main"><cellXfs><xf numFmtId="0"/><xf numFmtId="{number}"/>'
            "</cellXfs></styleSheet>",
            "xl/_rels/workbook.xml.rels": raw_parts("")["xl/_rels/workbook.xml.rels"].replace(
                "</Relationships>",
                '<Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument'
                '/2006/relationships/styles" Target="styles.xml"/></Relationships>',
            ),
        },
    )
    assert read(content).sheets[0].rows == [[["m", "1953-07"]]]


def test_old_workbook_whose_dates_are_all_firsts_of_a_month_holds_months(read):
    first, day = datetime.date(1953, 7, 1), datetime.date(1954, 3, 9)
    rows = read(old_workbook([["a", "b"], [first, first], [first, day]])).sheets[0].rows
    assert rows[1:] == [
        [["m", "1953-07"], ["d", "1953-07-01"]],
        [["m", "1953-07"], ["d", "1954-03-09"]],
    ]


def test_formulas_are_marked_wherever_they_stand(read):
    book = openpyxl.Workbook()
    for row in (["=1+1", "张三", None], [None, "=A1", 3]):
        book.active.append(row)
    assert rows_of(read(saved(book))) == [[["f", None], "张三", None], [None, ["f", None], 3.0]]


def test_formula_whose_value_is_a_month_keeps_both(read):
    book = openpyxl.Workbook()
    book.active["A1"] = "=DATE(1953,7,1)"
    book.active["A1"].number_format = "yyyy.mm"
    content = saved(book)
    rows = read(_with_value(content, b"19541")).sheets[0].rows
    assert rows == [[["f", ["m", "1953-07"]]]]


def _with_value(content: bytes, value: bytes) -> bytes:
    """openpyxl writes no cached values."""
    return in_sheets(content, rb"<v\s*/>|<v></v>", b"<v>" + value + b"</v>")


@pytest.mark.parametrize("value", ["NaN", "1e999", "-inf"])
def test_number_that_is_none_comes_as_text(read, value):
    rows = read(raw_workbook(raw_sheet(f'<row r="1"><c r="A1"><v>{value}</v></c></row>')))
    assert isinstance(rows.sheets[0].rows[0][0], str)


def test_numbers_lose_nothing_on_the_way(read):
    row = [1953.07, 1953.1, 195307, 13800000300, 5.12226195612239e17, 0.1]
    assert read(workbook([row])).sheets[0].rows[0] == [float(cell) for cell in row]


@pytest.mark.parametrize("claimed", ["A1", "A1:C2", "A1:L2", "B2:C3"])
def test_dimension_that_is_too_small_loses_no_rows(read, claimed):
    rows = "".join(raw_row(i, row) for i, row in enumerate([HEADER, *people(300)], 1))
    book = read(raw_workbook(raw_sheet(rows, before=f'<dimension ref="{claimed}"/>')))
    assert len(find_table(book.sheets[0]).people) == 300


def test_dimension_that_is_too_small_costs_the_county_sample_nobody(read):
    content = Path(demo.ROSTER).read_bytes()
    shrunk = in_sheets(content, rb'<dimension ref="[^"]*"', b'<dimension ref="A1:W100"')
    assert len(find_table(read(shrunk).sheets[0]).people) == 1878


def test_cells_without_references_are_in_their_place(read):
    rows = "".join(
        raw_row(i, row, references=False) for i, row in enumerate([HEADER, *people(5)], 1)
    )
    assert rows_of(read(raw_workbook(raw_sheet(rows))))[5][0] == people(5)[4][0]


def test_formats_far_to_the_right_without_content_are_no_columns(read):
    far = '<row r="1"><c r="A1" t="str"><v>姓名</v></c><c r="ZZ1" s="0"/><c r="AZZ1"></c></row>'
    assert rows_of(read(raw_workbook(raw_sheet(far)))) == [["姓名"]]


def test_part_names_of_other_programs_are_understood(read):
    parts = raw_parts(raw_sheet(raw_row(1, HEADER) + raw_row(2, person(0))))
    shouted = {name.replace("worksheets", "WorkSheets"): text for name, text in parts.items()}
    book = read(raw_workbook("", parts=shouted, without=("xl/worksheets/sheet1.xml",)))
    assert rows_of(book)[0][0] == "姓名"


def test_strict_workbook_is_looked_at_as_closely(read):
    strict = {
        name: str(text)
        .replace("http://schemas.openxmlformats.org/spreadsheetml/2006/main",
                 "http://purl.oclc.org/ooxml/spreadsheetml/main")
        .replace("http://schemas.openxmlformats.org/officeDocument/2006/relationships",
                 "http://purl.oclc.org/ooxml/officeDocument/relationships")
        for name, text in raw_parts(
            raw_sheet('<row r="1"><c r="A1" t="str"><f>B1</f><v>张三</v></c></row>')
        ).items()
    }  # fmt: skip
    assert read(raw_workbook("", parts=strict)).sheets[0].rows == [[["f", "张三"]]]


def test_macro_workbook_is_read_without_its_macros(read):
    content = raw_workbook(
        raw_sheet(raw_row(1, HEADER) + raw_row(2, person(0))),
        parts={"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0" + b"x" * 100},
    )
    assert len(rows_of(read(content))) == 2


def test_hidden_sheet_comes_without_its_rows(read):
    book = openpyxl.Workbook()
    book.active.append(HEADER)
    hidden = book.create_sheet("旧")
    hidden.append(HEADER)
    hidden.sheet_state = "hidden"
    shown = read(saved(book)).sheets
    assert [(sheet.name, sheet.hidden, bool(sheet.rows)) for sheet in shown] == [
        ("Sheet", False, True),
        ("旧", True, False),
    ]


def test_merged_ranges_come_cut_to_the_sheet(read):
    book = read(workbook([["单位", "姓名"], ["x", "张三"]], merged=["A1:A900"]))
    assert book.sheets[0].merged == [[[0, 0], [1, 0]]]
    old = openpyxl.Workbook()
    old.active.append(["a"])
    assert read(saved(old)).sheets[0].merged == []
