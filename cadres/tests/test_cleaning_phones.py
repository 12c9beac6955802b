"""Phones: two in one cell, mobiles first, everything else said and left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadres.cleaning import Clean, clean_phones


def read(*cells) -> tuple[tuple, list[str]]:
    row = Clean()
    phones = clean_phones(list(cells), row)
    assert not row.is_rejected
    return phones, [problem.code for problem in row.problems]


@pytest.mark.parametrize(
    ("cells", "phones"),
    [
        (["13800000300"], ("13800000300", None)),
        ([13800000300], ("13800000300", None)),
        ([13800000300.0], ("13800000300", None)),
        (["138 0000 0300"], ("13800000300", None)),
        (["138-0000-0300"], ("13800000300", None)),
        (["１３８０００００３００"], ("13800000300", None)),
        (["+86 13800000300"], ("13800000300", None)),
        (["0086-13800000300"], ("13800000300", None)),
        (["8613800000300"], ("13800000300", None)),
        (["13800000300(儿子)"], ("13800000300", None)),
        (["023-56551234"], ("023-56551234", None)),
        (["(023)56551234"], ("023-56551234", None)),
        (["02356551234"], ("023-56551234", None)),
        (["56551234"], ("023-56551234", None)),
        (["0757-83123456"], ("0757-83123456", None)),
        (["13800000300/023-56551234"], ("13800000300", "023-56551234")),
        (["023-56551234/13800000300"], ("13800000300", "023-56551234")),
        (["56551234，13800000300"], ("13800000300", "023-56551234")),
        (["13800000300、13900000300"], ("13800000300", "13900000300")),
        (["13800000300 13900000300"], ("13800000300", "13900000300")),
        (["13800000300\n13900000300"], ("13800000300", "13900000300")),
        (["13800000300；13900000300"], ("13800000300", "13900000300")),
        (["13800000300或13900000300"], ("13800000300", "13900000300")),
        (["13800000300/13800000300"], ("13800000300", None)),
        (["13800000300", "13900000300"], ("13800000300", "13900000300")),
        (["023-56551234", "13900000300"], ("13900000300", "023-56551234")),
        ([None, None], (None, None)),
        (["无", "-"], (None, None)),
        (["　"], (None, None)),
    ],
)
def test_phone_is_taken_without_a_warning(cells, phones):
    assert read(*cells) == (phones, [])


@pytest.mark.parametrize(
    "cell",
    ["1380000", "138000003001", "12800000300", "不详", "0000", "99999999999", "013800", "=1+1",
     "٠٢٣٥٦٥٥١٢٣٤"],
)  # fmt: skip
def test_phone_that_is_none_is_left_out_with_a_warning(cell):
    assert read(cell) == ((None, None), ["phone_invalid"])


def test_phone_beside_one_that_is_none_is_kept():
    assert read("13800000300/123") == (("13800000300", None), ["phone_invalid"])


def test_phone_beyond_the_second_is_named():
    phones, codes = read("13800000300/13900000300/13700000300")
    assert phones == ("13800000300", "13900000300")
    assert codes == ["phone_invalid"]


def test_phone_in_a_problem_is_masked():
    row = Clean()
    clean_phones(["138000003001"], row)
    assert "0000030" not in row.problems[0].value


@given(st.one_of(st.text(max_size=60), st.floats(), st.integers(), st.none()))
def test_whatever_stands_in_a_phone_cell_never_breaks_the_reading(cell):
    (first, second), _ = read(cell)
    assert all(phone is None or len(phone) <= 20 for phone in (first, second))
