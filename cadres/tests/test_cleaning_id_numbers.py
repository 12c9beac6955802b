"""Identity numbers: converted, checked, never repaired, never shown."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from cadres.cleaning import Clean, clean_id_number, clean_sex
from cadres.tests.make import make_id_number

TODAY = datetime.date(2026, 3, 1)
GOOD = "512226195502219993"
WITH_X = "51222619650612999X"
OLD = "512226195212139979"  # 512226521213997 as it was issued before 1999


def read(cell) -> tuple[str | None, list[str]]:
    row = Clean()
    return clean_id_number(cell, row, TODAY), [problem.code for problem in row.problems]


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        (GOOD, GOOD),
        (f" {GOOD[:6]} {GOOD[6:14]} {GOOD[14:]} ", GOOD),
        (f"'{GOOD}", GOOD),
        (f"{GOOD[:6]}-{GOOD[6:14]}-{GOOD[14:]}", GOOD),
        ("５１２２２６１９５５０２２１９９９３", GOOD),
        (GOOD[:9] + "\n" + GOOD[9:], GOOD),
        (GOOD[:9] + "\u200b" + GOOD[9:], GOOD),
        (WITH_X, WITH_X),
        (WITH_X.lower(), WITH_X),
        (WITH_X[:-1] + "ｘ", WITH_X),
        (WITH_X[:-1] + "×", WITH_X),
        (["f", GOOD], GOOD),
        ("512226521213997", OLD),
        (512226521213997, OLD),
        (512226521213997.0, OLD),
    ],
)
def test_id_number_is_taken(cell, number):
    assert read(cell) == (number, [])


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (GOOD[:-1] + "4", "checksum"),
        (GOOD[:-1] + "X", "checksum"),
        (GOOD[:-1], "length"),
        (GOOD + "1", "length"),
        ("51222652121399", "length"),
        ("1", "length"),
        (5.12226195612239e17, "precision_lost"),
        (512226195612239000, "precision_lost"),
        (["f", 5.12226195612239e17], "precision_lost"),
        ("5.12226E+17", "precision_lost"),
        ("5.12E17", "precision_lost"),
        ("５.12226e+17", "precision_lost"),
        ("5122261955O2219993", "invalid"),
        ("X12226195502219993", "invalid"),
        ("512226********9993", "invalid"),
        ("护照E12345678", "invalid"),
        ("٥12226195502219993", "invalid"),
        ("012226195502219993", "invalid"),
        (make_id_number("1899-12-31", serial=1), "invalid"),
        (make_id_number("2026-03-02", serial=1), "invalid"),
        ("512226195502309993", "invalid"),
        (["d", "1953-07-15"], "length"),
        (True, "invalid"),
    ],
)
def test_id_number_that_is_wrong_is_refused(cell, code):
    assert read(cell) == (None, [f"id_number_{code}"])


@pytest.mark.parametrize("cell", [None, "", "  ", "-", "　", "'"])
def test_id_number_that_is_missing_is_a_warning(cell):
    row = Clean()
    assert clean_id_number(cell, row, TODAY) is None
    assert [p.code for p in row.problems] == ["id_number_missing"]
    assert not row.is_rejected


def test_id_number_of_a_real_person_is_taken_though_a_validator_refuses_its_place_code():
    number = make_id_number("1950-01-01", place="500236", serial=7)
    with pytest.raises(ValidationError):  # 500236 was made in 1997: the library insists on that
        ric.validate(number)
    assert read(number) == (number, [])


@pytest.mark.parametrize("cell", [GOOD[:-1] + "4", GOOD + "99", "512226521213998X", GOOD + "号"])
def test_id_number_that_is_refused_is_masked(cell):
    row = Clean()
    clean_id_number(cell, row, TODAY)
    (problem,) = row.problems
    assert cell[6:14] not in problem.value + problem.message
    assert problem.value.startswith(cell[:4] + "***")


@given(st.integers(0, 17), st.characters(categories=["Nd"], max_codepoint=127))
def test_id_number_with_any_one_digit_changed_is_never_taken(position, digit):
    changed = GOOD[:position] + digit + GOOD[position + 1 :]
    assert read(changed)[0] == (GOOD if changed == GOOD else None)


@given(st.one_of(st.text(max_size=30), st.floats(), st.integers(), st.none()))
def test_whatever_stands_in_the_cell_is_a_number_or_one_problem(cell):
    number, codes = read(cell)
    assert (number is None) == bool(codes)


@pytest.mark.parametrize(
    ("cell", "number", "sex", "codes"),
    [
        ("男", GOOD, "M", []),
        ("女", GOOD, "M", ["sex_mismatch"]),
        (None, GOOD, "M", []),
        ("男", None, "M", []),
        ("女性", None, "F", []),
        ("", None, None, []),
        ("未知", None, None, ["sex_mismatch"]),
    ],
)
def test_sex_must_agree_with_the_identity_number(cell, number, sex, codes):
    row = Clean()
    assert clean_sex(cell, number, row) == sex
    assert [p.code for p in row.problems] == codes
