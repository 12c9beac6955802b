"""Layouts of real offices, from the file to the people."""

import openpyxl
import pytest

from branches.models import StagedRow
from branches.tests.make import staged, written
from cadres.models import Retiree
from cadres.spreadsheets import WorkbookRefusedError
from cadres.tests.workbooks import (
    HEADER,
    id_number,
    old_workbook,
    people,
    person,
    raw_row,
    raw_sheet,
    raw_workbook,
    roster_of,
    saved,
    text_file,
    workbook,
)

pytestmark = pytest.mark.django_db


def codes(batch) -> list[tuple]:
    rows = StagedRow.objects.filter(batch=batch)
    return [(row.row, p["column"], p["code"]) for row in rows for p in row.all_problems]


def test_one_sheet_per_township_with_a_cover_an_empty_and_a_hidden_one():
    book = openpyxl.Workbook()
    book.active.title = "封面"
    book.active["C5"] = "奉节县离退休干部花名册"
    book.create_sheet("空表")
    for number, name in enumerate(["朱衣镇", "草堂镇", "白帝镇"]):
        sheet = book.create_sheet(name)
        sheet.append([f"{name}花名册"])
        sheet.append(HEADER)
        for row in people(4 * number + 4, **{"居住乡镇(街道)": name})[4 * number :]:
            sheet.append(row)
        sheet.append(["合计", 4])
    hidden = book.create_sheet("旧名册")
    hidden.append(HEADER)
    hidden.append(person(99))
    hidden.sheet_state = "hidden"
    batch = written(saved(book))
    assert (batch.rows, batch.created) == (12, 12)
    assert Retiree.objects.filter(township__name="草堂镇").count() == 4
    assert {(note["sheet"], note["text"]) for note in batch.notes["passed_over"]} == {
        ("封面", "没有表头的工作表"), ("旧名册", "隐藏的工作表"),
        ("朱衣镇", "合计"), ("草堂镇", "合计"), ("白帝镇", "合计"),
    }  # fmt: skip


def test_two_row_header_with_merged_groups():
    rows = [
        ["花名册"],
        ["姓名", "性别", "身份证号", "离退休情况", None, "居住地", None, "单位"],
        [None, None, None, "时间", "类别", "乡镇(街道)", "村(社区)", None],
        ["张三", "男", id_number(0), "2010.07", "离休", "朱衣镇", None, "县教委"],
    ]
    merged = ["A1:H1", "D2:E2", "F2:G2", "A2:A3", "B2:B3", "C2:C3", "H2:H3"]
    written(workbook(rows, merged=merged))
    known = Retiree.objects.get()
    assert (known.retired_on, known.retirement_kind, known.activity_class) == (
        "2010-07", "honoured", "",
    )  # fmt: skip
    assert known.township.name == "朱衣镇"


def test_merged_unit_counts_for_all_its_people():
    rows = [HEADER, *people(4)]
    for row in rows[2:]:
        row[HEADER.index("原工作单位")] = None
    rows[4][HEADER.index("原工作单位")] = "县财政局"
    written(workbook(rows, merged=["E2:E4"]))
    assert list(Retiree.objects.order_by("id_number").values_list("unit__name", flat=True)) == [
        *["奉节县教育委员会"] * 3,
        "奉节县财政局",
    ]


def test_unit_and_post_in_one_column():
    rows = [["姓名", "身份证号", "原工作单位及职务"], ["张三", id_number(0), "县教委副主任"]]
    written(workbook(rows))
    assert (Retiree.objects.get().unit.name, Retiree.objects.get().former_post) == (
        "奉节县教育委员会",
        "副主任",
    )


def test_post_that_is_too_long_is_refused_by_row():
    rows = [["姓名", "身份证号", "原工作单位及职务"], ["张三", id_number(0), "县教委" + "长" * 90]]
    assert codes(staged(workbook(rows))) == [(2, "former_post", "text_too_long")]


@pytest.mark.parametrize(
    ("heading", "longest"), [("详细地址", 200), ("备注", 2000), ("原职务", 80), ("职级", 40)]
)
def test_text_that_is_too_long_is_refused_by_row(heading, longest):
    header = ["姓名", "身份证号", "单位", heading]
    rows = [["张" + "一二"[i], id_number(i), "县教委", "字" * (longest + i)] for i in range(2)]
    batch = written(workbook([header, *rows]))
    assert [code for _, _, code in codes(batch)] == ["text_too_long"]
    assert (batch.created, batch.rejected) == (1, 1)


def test_long_ethnic_group_does_not_break_the_batch():
    rows = [["姓名", "身份证号", "民族"], ["张三", id_number(0), "汉" * 50]]
    assert written(workbook(rows)).created == 1


@pytest.mark.parametrize(
    ("joined", "status"),
    [(None, "unknown"), ("1976.08", "member"), ("群众", "masses"), ("无", "unknown"),
     ("非党员", "masses"), (1976.1, "member")],
)  # fmt: skip
def test_political_status_without_a_column_of_its_own(joined, status):
    rows = [["姓名", "身份证号", "入党时间"], ["张三", id_number(0), joined]]
    batch = written(workbook(rows))
    assert (batch.created, Retiree.objects.get().political_status) == (1, status)


def test_political_status_that_is_empty_never_wipes_one():
    header = ["姓名", "身份证号", "入党时间"]
    written(workbook([header, ["张三", id_number(0), "1976.08"]]))
    for empty in (None, "无", ""):
        assert written(workbook([header, ["张三", id_number(0), empty]])).unchanged == 1
    assert Retiree.objects.get().political_status == "member"


def test_political_status_of_its_own_column_counts():
    rows = [["姓名", "身份证号", "政治面貌", "入党时间"], ["张三", id_number(0), "民盟", "1976.08"]]
    written(workbook(rows))
    assert Retiree.objects.get().political_status == "democratic"


def test_every_problem_of_a_row_is_told_at_once():
    row = person(
        0, 身份证号="1", 活动类别="丁", 原工作单位="县火星局", **{"居住乡镇(街道)": "永安镇"}
    )
    found = codes(staged(roster_of(row)))
    assert {code for _, _, code in found} == {
        "id_number_length", "class_unknown", "unit_unknown", "township_unknown",
    }  # fmt: skip


def test_unknown_community_is_told_though_something_else_is_wrong_too():
    row = person(0, 身份证号="1", **{"村(社区)": "火星社区"})
    found = [(column, code) for _, column, code in codes(staged(roster_of(row)))]
    assert ("community", "township_unknown") in found


def test_old_township_name_is_asked_about_with_the_four_streets():
    batch = staged(roster_of(person(0, **{"居住乡镇(街道)": "永安镇"})))
    (problem,) = StagedRow.objects.get(batch=batch).all_problems
    assert problem["code"] == "township_unknown"
    for street in ("永安街道", "鱼复街道", "夔门街道", "夔州街道"):
        assert street in problem["message"]


def test_close_spelling_is_a_warning_that_says_what_was_taken():
    batch = staged(roster_of(person(0, 原工作单位="奉节县教育委员委")))
    (problem,) = StagedRow.objects.get(batch=batch).all_problems
    assert (problem["code"], problem["level"]) == ("name_matched_closely", "warning")
    assert "奉节县教育委员会" in problem["message"]
    assert batch.created == 1


@pytest.mark.parametrize("kind", ["xls", "utf-8", "utf-8-sig", "gb18030"])
def test_old_workbooks_and_text_files_come_to_the_same_people(kind):
    rows = [HEADER, *people(30)]
    content = old_workbook(rows) if kind == "xls" else text_file(rows, kind)
    assert written(content, name=f"名册.{kind[:3]}").created == 30
    assert written(workbook(rows)).unchanged == 30


@pytest.mark.parametrize("number", [float(id_number(0)[:17] + "0"), int(id_number(0)[:17] + "0")])
def test_identity_number_in_a_numeric_cell_is_refused(number):
    assert codes(staged(roster_of(person(0, 身份证号=number)))) == [
        (2, "id_number", "id_number_precision_lost")
    ]


NASTY = [
    "=cmd|' /C calc'!A0", "=HYPERLINK(1)", "+1+1", "-1", "@SUM(1)", "\\N", "\\.", "a\\tb",
    "\\u0000", "x\\", '"', "'; DROP TABLE cadres_retiree;--", "%s %(batch)s {0}",
    "<script>alert(1)</script>", "\u202e反", "😀", "$$", "a\tb\nc\rd", "\\x00", "NULL", "{}", "[]",
]  # fmt: skip


@pytest.mark.parametrize("text", NASTY)
def test_nasty_text_is_kept_as_a_text(text):
    header = ["姓名", "身份证号", "备注", "列\\u0000"]
    batch = written(workbook([header, ["张三", id_number(0), "x" + text, text]]))
    assert batch.created == 1
    assert Retiree.objects.get().remark.startswith("x")


@pytest.mark.parametrize("reference", ["&#1;", "&#31;", "&#xFFFE;", "&#x7F;", "_x0000_", "&#8238;"])
def test_control_characters_do_not_break_a_batch(reference):
    rows = raw_row(1, ["姓名", "身份证号", "备注", f"列{reference}"])
    rows += raw_row(2, [f"张{reference}三", id_number(0), f"a{reference}b", reference])
    content = raw_workbook(raw_sheet(rows))
    batch = written(content)
    assert batch.created + batch.rejected == 1


@pytest.mark.parametrize("value", ["NaN", "1e999", "-1e999", "1e300", "-0"])
def test_odd_numbers_do_not_break_a_batch(value):
    cells = f'<c r="D2"><v>{value}</v></c>'
    rows = raw_row(1, ["姓名", "身份证号", "备注", "列"])
    rows += raw_row(2, ["张三", id_number(0), "x"]).replace("</row>", cells + "</row>")
    assert written(raw_workbook(raw_sheet(rows))).created == 1


@pytest.mark.parametrize(
    "name", ["a" * 300 + ".xlsx", "名\ud800册.xlsx", "../../x.xlsx", "x", ".xlsx"]
)
def test_name_of_the_file_does_not_matter(name):
    assert staged(roster_of(person(0)), name=name).created == 1


def test_refused_file_writes_neither_person_nor_row():
    with pytest.raises(WorkbookRefusedError):
        staged(workbook([["甲", "乙"]]))
    assert not StagedRow.objects.exists()
    assert not Retiree.objects.exists()
