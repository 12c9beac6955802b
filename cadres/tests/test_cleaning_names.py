"""Names of people as they are typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadres.cleaning import Clean, clean_name


def read(cell) -> tuple[str | None, list[str]]:
    row = Clean()
    return clean_name(cell, row), [problem.code for problem in row.problems]


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("张三", "张三"),
        ("张　三", "张三"),
        (" 张 三 ", "张三"),
        ("张\n三", "张三"),
        ("张\xa0三", "张三"),
        ("张\u200b三\ufeff", "张三"),
        ("张\x00三\x07", "张三"),
        ("买买提·阿不都", "买买提·阿不都"),
        ("买买提•阿不都", "买买提·阿不都"),
        ("买买提．阿不都", "买买提·阿不都"),
        ("买买提・阿不都", "买买提·阿不都"),
        ("𠮷野", "𠮷野"),
        ("㛃䶮", "㛃䶮"),
        ("张\U0002b820", "张\U0002b820"),
        ("张\U00030edd", "张\U00030edd"),
        ("张\U000323af", "张\U000323af"),  # newer than Python 3.11's tables
        ("张\U0002ebf0", "张\U0002ebf0"),
        ("葛\U000e0100三", "葛三"),  # a variation selector
        ("⾦三", "金三"),  # a radical that looks like the character
        ("李〇", "李〇"),
        ("John", "John"),
        ("Ｊｏｈｎ", "John"),
        ("赵" * 60, "赵" * 60),
    ],
)
def test_name_is_kept_without_its_layout(cell, name):
    assert read(cell) == (name, [])


@pytest.mark.parametrize("cell", [None, "", " ", "　", "-", "/", "\x00", ["d", ""]])
def test_name_that_is_not_there_is_missing(cell):
    assert read(cell) == (None, ["name_missing"])


@pytest.mark.parametrize(
    "cell",
    ["张三1", "13800000000", 123, 12.5, "张三(女)", "张三、李四", "张三/李四", '=HYPERLINK("x")',
     "=1+1", "@张三", "+张三", ["f", "张三"], ["f", None], "张三？", "赵" * 61, "张_三", "😀",
     "'; DROP TABLE--", "<b>张三</b>", ["d", "1953-07-15"]],
)  # fmt: skip
def test_name_that_is_none_is_an_error(cell):
    assert read(cell) == (None, ["name_invalid"])


@pytest.mark.parametrize("cell", ["512226195502219993", "张三13800000300"])
def test_number_in_the_name_column_is_not_shown_whole(cell):
    row = Clean()
    clean_name(cell, row)
    shown = row.problems[0].value + row.problems[0].message
    assert "195502219993" not in shown
    assert "13800000300" not in shown


@given(st.one_of(st.text(max_size=80), st.floats(), st.integers(), st.none()))
def test_whatever_stands_in_a_name_cell_is_a_name_or_one_problem(cell):
    name, codes = read(cell)
    assert (name is None) == bool(codes)
    assert name is None or (name.strip() == name and 0 < len(name) <= 60)
