"""Columns with a list behind them: class, political status, kind of retirement, ethnic group."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadres.cleaning import (
    Clean,
    clean_class,
    clean_ethnic_group,
    clean_political_status,
    clean_retirement_kind,
    text_of,
)


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("A", "A"), ("a", "A"), ("Ａ", "A"), ("A类", "A"), ("a类", "A"), ("A类人员", "A"),
        ("A 类", "A"), ("正常活动", "A"), ("正常", "A"), ("正 常", "A"), ("b类", "B"),
        ("适当参加活动", "B"), ("适当", "B"), ("C类", "C"), ("不能参加活动", "C"),
        ("不能参加", "C"), (["f", "A"], "A"), (None, None), ("", None), ("-", None),
    ],
)  # fmt: skip
def test_class_is_recognised(cell, found):
    row = Clean()
    assert (clean_class(cell, row), row.problems) == (found, [])


@pytest.mark.parametrize("cell", ["丁类", "D", "AB", "1", 1, "不参加", "=A1", "正常/适当"])
def test_class_that_is_unknown_is_an_error(cell):
    row = Clean()
    assert clean_class(cell, row) is None
    assert [(p.code, p.level) for p in row.problems] == [("class_unknown", "error")]


@pytest.mark.parametrize(
    ("cell", "found"),
    [("中共党员", "member"), ("党员", "member"), ("预备党员", "probationary"), ("群众", "masses"),
     ("民盟", "democratic"), ("无党派", "masses"), (None, None), ("", None)],
)  # fmt: skip
def test_political_status_is_recognised(cell, found):
    row = Clean()
    assert (clean_political_status(cell, row), row.problems) == (found, [])


@pytest.mark.parametrize("clean", [clean_political_status, clean_retirement_kind])
def test_value_of_no_list_is_left_out_with_a_warning(clean):
    row = Clean()
    assert clean("团员", row) is None
    assert [(p.code, p.level) for p in row.problems] == [("value_unknown", "warning")]


@pytest.mark.parametrize(
    ("cell", "found"), [("汉", "汉族"), ("汉族", "汉族"), ("土家", "土家族"), ("", None)]
)
def test_ethnic_group_is_written_in_full(cell, found):
    assert clean_ethnic_group(cell) == found


@given(st.one_of(st.text(max_size=200), st.floats(), st.integers(), st.booleans(), st.none()))
def test_ethnic_group_always_fits_its_column(cell):
    assert len(clean_ethnic_group(cell) or "") <= 20


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""), (12.0, "12"), (12.5, "12.5"), (" a  b\n c ", "a b c"), ("　", ""), ("——", ""),
        ("N/A", ""), ("a\x00b\x1fc", "a b c"), ("a\ud800b", "a b"), ("a\u2028b", "a b"),
        ("=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"), (["d", "1953-07-15"], "1953-07-15"),
        (["f", None], ""), (["f", 12.0], "12"), (["f", ["d", "1953-07-15"]], "1953-07-15"),
    ],
)  # fmt: skip
def test_text_of_a_cell_is_one_line(cell, text):
    assert text_of(cell) == text
