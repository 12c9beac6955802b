"""Where the people of a sheet begin, what its columns mean, and which rows are people."""

import pytest

from cadres.headings import FILLED_DOWN, SYNONYMS, find_table, heading_text, meaning
from cadres.spreadsheets import Sheet

HEADER = ["序号", "姓名", "性别", "原单位", "联系电话"]


def table_of(*rows: list, merged=()):
    return find_table(Sheet("S", list(rows), list(merged)))


def names_in(table) -> list:
    return [cells[table.columns["name"]] for _, cells in table.people]


def person(number: int, name: str) -> list:
    return [number, name, "男", "县教委", "13800000300"]


@pytest.mark.parametrize("field", SYNONYMS)
def test_heading_of_the_design_is_known(field):
    for heading in SYNONYMS[field]:
        for shown in (
            heading,
            f" {heading[:1]}　{heading[1:]}\n",
            f"{heading}（必填）",
            f"*{heading}：",
        ):
            assert meaning(heading_text(shown)) == field, shown


@pytest.mark.parametrize("heading", ["姓 名", "姓\n名", "姓　　名", "姓 名：", "姓名（全称）"])
def test_heading_with_blanks_and_line_breaks_is_known(heading):
    assert meaning(heading_text(heading)) == "name"


@pytest.mark.parametrize(
    "heading", ["配偶姓名", "紧急联系人电话", "村干部", "姓", None, 12, "备注二"]
)
def test_heading_of_something_else_is_unknown(heading):
    assert meaning(heading_text(heading)) is None


def test_titles_above_are_passed_over():
    table = table_of(
        ["花名册"],
        ["单位(盖章)：", None, "2026年3月"],
        [],
        HEADER,
        person(1, "张三"),
        person(2, "李四"),
    )
    assert table.header_rows == [3]
    assert [number for number, _ in table.people] == [5, 6]


def test_columns_in_any_order_and_unknown_ones_are_named():
    table = table_of(
        ["电话", "籍贯", "备注", "名字", "单位", "工资"], ["1", "x", "", "张三", "y", 1]
    )
    assert table.columns == {"phone": 0, "remark": 2, "name": 3, "unit": 4}
    assert table.unknown == ["籍贯", "工资"]


def test_second_phone_column_is_the_second_phone():
    table = table_of([*HEADER, "手机"], person(1, "张三"))
    assert table.columns["second_phone"] == 5


@pytest.mark.parametrize("row", [["姓名"], ["姓名", "年龄"], [], ["甲", "乙", "丙"]])
def test_sheet_without_a_heading_row_has_no_table(row):
    assert table_of(row, ["张三"]) is None


def test_heading_row_below_the_first_thirty_is_not_looked_for():
    assert table_of(*([["x"]] * 30), HEADER, person(1, "张三")) is None
    assert table_of(*([["x"]] * 29), HEADER, person(1, "张三")) is not None


GROUPED = [
    ["序号", "姓名", "离退休情况", None, "居住地", None, "性别"],
    [None, None, "时间", "类别", "乡镇", "村（社区）", None],
]
MERGES = [((0, 2), (0, 3)), ((0, 4), (0, 5)), ((0, 0), (1, 0)), ((0, 1), (1, 1)), ((0, 6), (1, 6))]
MEANT = {
    "name": 1, "retired_on": 2, "retirement_kind": 3, "township": 4, "community": 5, "sex": 6,
}  # fmt: skip
SOMEONE = [1, "张三", "2013.07", "退休", "朱衣镇", None, "男"]


def test_two_row_header_with_groups_over_the_second_row():
    table = table_of(*GROUPED, SOMEONE, merged=MERGES)
    assert table.columns == MEANT
    assert table.header_rows == [0, 1]
    assert names_in(table) == ["张三"]


def test_two_row_header_with_blank_cells_below_the_names():
    below = ["", " ", "时间", "类别", "乡镇", "村（社区）", "　"]
    assert table_of(GROUPED[0], below, SOMEONE, merged=MERGES[:2]).columns == MEANT


def test_two_row_header_with_the_names_in_the_second_row():
    """类别 below 离退休情况 is not the activity class."""
    rows = [
        ["基本情况", None, "离退休情况", None, "居住地", None, None],
        ["序号", "姓名", "时间", "类别", "乡镇", "村（社区）", "性别"],
    ]
    merges = [((0, 0), (0, 1)), *MERGES[:2]]
    table = table_of(["名册"], *rows, SOMEONE, merged=[
        ((top + 1, left), (bottom + 1, right)) for (top, left), (bottom, right) in merges
    ])  # fmt: skip
    assert table.columns == MEANT
    assert table.header_rows == [1, 2]


@pytest.mark.parametrize("line", ["单位：", "单位(盖章)：县教委", "2026年3月", "电话："])
def test_line_of_notes_above_the_header_is_no_group(line):
    rows = [[line, None, None, "填报日期", None], HEADER, person(1, "张三")]
    table = table_of(*rows, merged=[((0, 0), (0, 1)), ((0, 3), (0, 4))])
    assert table.columns == {"name": 1, "sex": 2, "unit": 3, "phone": 4}
    assert table.header_rows == [1]


@pytest.mark.parametrize("group", ["配偶", "紧急联系人", "家属情况", "子女"])
def test_name_and_phone_of_somebody_else_are_not_the_persons(group):
    rows = [
        ["姓名", "性别", group, None, "单位", "电话"],
        [None, None, "姓名", "电话", None, None],
        ["张三", "男", "李四", "13900000000", "县教委", "13800000300"],
    ]
    table = table_of(*rows, merged=[((0, 2), (0, 3))])
    assert table.columns == {"name": 0, "sex": 1, "unit": 4, "phone": 5}
    assert table.unknown == [group + "姓名", group + "电话"]


def test_merged_unit_fills_down_over_its_people():
    rows = [HEADER, person(1, "张三"), person(2, "李四")[:3], person(3, "王五")]
    table = table_of(*rows, merged=[((1, 3), (2, 3))])
    assert [cells[3] for _, cells in table.people] == ["县教委", "县教委", "县教委"]
    assert rows[2] == [2, "李四", "男"]  # the sheet itself stays as it was


def test_merged_cells_of_other_columns_do_not_fill_down():
    assert "phone" not in FILLED_DOWN
    rows = [HEADER, person(1, "张三"), [2, "李四", "男", "县教委", None]]
    table = table_of(*rows, merged=[((1, 4), (2, 4))])
    assert table.people[1][1][4] is None


@pytest.mark.parametrize(
    "row",
    [
        [],
        [None, " ", "　", None],
        ["合计", 60],
        ["小 计", None, 12, 13],
        [None, "合计", 3, 4, 5],
        ["总人数：60", None, "男", "女"],
        ["注：以上人员", None, "均已核对", "无误"],
        ["备注：", "a", "b", "c"],
        ["填表人：张某", None, "审核人：", "王某", "2026.3"],
        ["单位负责人（签字）：", None, None, "经办人：李某"],
        ["日期：2026年", "x", "y"],
        ["分管领导：", "x", "y", "z"],
        ["张某"],
        [None, None, None, "县教委", "13800000300"],
        HEADER,
        ["序 号", "姓　名", "性别", "单位", "电话"],
    ],
)
def test_row_that_is_no_person_is_passed_over(row):
    table = table_of(HEADER, person(1, "张三"), row, person(2, "李四"))
    assert names_in(table) == ["张三", "李四"]


@pytest.mark.parametrize(
    "row",
    [
        [1, None, "男", "县教委", "13800000300"],
        [None, "张三", None, None, "1"],
        [None, 12, None, None, "1"],
        [1, ["f", None], "男", "县教委"],
        ["备注", "张三", "男"],
        [1, "张三", "男", "说明书厂", "1"],
    ],
)
def test_row_of_a_person_with_a_problem_is_kept(row):
    assert len(table_of(HEADER, row).people) == 1


def test_row_that_is_passed_over_is_named_without_personal_numbers():
    table = table_of(HEADER, person(1, "张三"), ["512226195502219993"], ["某人：13800000300"])
    assert [row for row, _ in table.passed_over] == [3, 4]
    assert not any("5022199" in text or "1380000" in text for _, text in table.passed_over)


def test_many_merged_ranges_are_soon_done_with():
    rows = [HEADER, *(person(i, "张三") for i in range(2000))]
    table = table_of(*rows, merged=[((i, 3), (i + 1, 3)) for i in range(1, 1999, 2)])
    assert len(table.people) == 2000
