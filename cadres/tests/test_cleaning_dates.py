"""Dates as offices write them, to the day or to the month."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadres.cleaning import Clean, check_order, clean_birth, clean_date, read_date
from cadres.tests.make import make_id_number

TODAY = datetime.date(2026, 3, 1)


def read(cell, in_csv=False) -> tuple[str | None, list[str]]:
    row = Clean()
    value = clean_date("retired_on", cell, row, TODAY, in_csv)
    return value, [problem.code for problem in row.problems]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1953.07", "1953-07"),
        ("1953.7", "1953-07"),
        (1953.07, "1953-07"),
        (1953.11, "1953-11"),
        ("1953-07", "1953-07"),
        ("1953/7", "1953-07"),
        ("1953-07-15", "1953-07-15"),
        ("1953/7/1", "1953-07-01"),
        ("1953.7.1", "1953-07-01"),
        ("195307", "1953-07"),
        (195307, "1953-07"),
        (195307.0, "1953-07"),
        ("19530715", "1953-07-15"),
        (19530715.0, "1953-07-15"),
        ("1953年7月", "1953-07"),
        ("1953年07月", "1953-07"),
        ("1953年7月15日", "1953-07-15"),
        ("1953年7月15", "1953-07-15"),
        (" 1953 年 7 月 ", "1953-07"),
        ("1953年7月份", "1953-07"),
        ("１９５３．０７", "1953-07"),
        ("１９５３年７月", "1953-07"),
        ("1953。07", "1953-07"),
        ("1953、7", "1953-07"),
        ("1953–07", "1953-07"),
        ("1953-07-15 00:00:00", "1953-07-15"),
        ("1953-07-15T00:00:00", "1953-07-15"),
        ("1953.1", "1953-01"),
        ("1953.10", "1953-10"),
        (["d", "1953-07-15"], "1953-07-15"),
        (["m", "1953-07"], "1953-07"),
        (["f", "1953.07"], "1953-07"),
        (["f", ["d", "1953-07-15"]], "1953-07-15"),
        (["f", ["m", "1953-07"]], "1953-07"),
        ("", None),
        (None, None),
        ("无", None),
        ("-", None),
        ("　", None),
        ("/", None),
    ],
)
def test_date_in_a_form_of_the_design_is_read(cell, value):
    assert read(cell) == (value, [])


@pytest.mark.parametrize(
    "cell",
    ["1986.13", "1953.00", "1953-02-30", "1953年", "1953", 1953, 19541, "53.07", "五三年", "不详",
     "1953.715", "1853.07", "2153.07", "1953-07-15 12:30:00", 0, -1.5, 1e300, "1953.07至1960.08",
     "1953-07-15-1", "1953.07.15.", "١٩٥٣.٠٧", True],
)  # fmt: skip
def test_date_that_is_none_is_an_error(cell):
    assert read(cell)[1] == ["date_invalid"]


@pytest.mark.parametrize(
    ("cell", "in_csv"), [(1953.1, False), (["f", 1953.1], False), ("1953.1", True)]
)
def test_date_that_may_have_lost_its_zero_is_left_out_with_a_warning(cell, in_csv):
    row = Clean()
    assert clean_date("retired_on", cell, row, TODAY, in_csv) is None
    (problem,) = row.problems
    assert (problem.code, problem.level, problem.column) == (
        "date_ambiguous", "warning", "retired_on",
    )  # fmt: skip
    assert not row.is_rejected


@pytest.mark.parametrize("cell", ["1953.10", "1953.01", "1953.11", "1953-1", "1953.1.1"])
def test_date_of_a_csv_is_clear_when_it_has_all_its_digits(cell):
    assert read(cell, in_csv=True)[1] == []


@pytest.mark.parametrize("cell", ["2026.03", "2026-03-01"])
def test_date_of_today_is_no_future(cell):
    assert read(cell)[1] == []


@pytest.mark.parametrize("cell", ["2026.04", "2026-03-02", "2035.06", ["d", "2099-01-01"]])
def test_date_in_the_future_is_an_error(cell):
    assert read(cell) == (None, ["date_in_future"])


NUMBER = make_id_number("1953-10-05", serial=1)


@pytest.mark.parametrize(
    "cell",
    ["1953.10", "1953-10-05", 1953.1, ["f", 1953.1], ["d", "1953-10-05"], ["m", "1953-10"], None,
     "195310", "无"],
)  # fmt: skip
def test_birth_is_settled_by_the_identity_number(cell):
    row = Clean()
    assert clean_birth(cell, NUMBER, row, TODAY, False) == "1953-10-05"
    assert row.problems == []


@pytest.mark.parametrize("cell", ["1953.11", "1952.10", 1952.1, "1953-10-06", ["d", "1953-10-01"]])
def test_birth_that_contradicts_the_identity_number_is_an_error(cell):
    row = Clean()
    clean_birth(cell, NUMBER, row, TODAY, False)
    assert [p.code for p in row.problems] == ["birth_mismatch"]


@pytest.mark.parametrize(("month", "is_wrong"), [("01", False), ("10", False), ("11", True)])
def test_birth_of_a_csv_that_lost_its_zero_is_january_or_october(month, is_wrong):
    row = Clean()
    number = make_id_number(f"1953-{month}-05", serial=1)
    assert clean_birth("1953.1", number, row, TODAY, True) == f"1953-{month}-05"
    assert row.is_rejected == is_wrong


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"birth_date": "1953-07-15", "work_started": "1953-07"}, None),
        ({"birth_date": "1953-07-15", "work_started": "1953-06"}, "work_started"),
        ({"birth_date": "1953-07", "party_joined": "1950-01-01"}, "party_joined"),
        ({"birth_date": "1953-07", "retired_on": "1950-01"}, "retired_on"),
        ({"work_started": "1975-05", "retired_on": "1975-04"}, "retired_on"),
        ({"work_started": "1975-05", "retired_on": "1975-05"}, None),
        ({"work_started": "1975-05", "party_joined": "1970-05"}, None),
    ],
)
def test_dates_out_of_order_are_an_error_at_the_later_one(values, wrong):
    row = Clean(values=dict(values))
    check_order(row)
    assert [(p.column, p.code) for p in row.problems] == (
        [(wrong, "date_invalid")] if wrong else []
    )


@given(st.dates(datetime.date(1900, 1, 1), datetime.date(2100, 12, 31)), st.sampled_from("./-年"))
def test_every_day_in_every_form_comes_back_as_itself(day, mark):
    ends = ("月", "日") if mark == "年" else (mark, "")
    text = f"{day.year}{mark}{day.month}{ends[0]}{day.day}{ends[1]}"
    assert read_date(text, may_lack_zero=False) == day.isoformat()


@given(st.one_of(st.text(max_size=30), st.floats(), st.integers(), st.none()))
def test_whatever_stands_in_a_date_cell_never_breaks_the_reading(cell):
    value, codes = read(cell)
    assert value is None or datetime.date.fromisoformat(value if len(value) > 7 else value + "-01")
    assert set(codes) <= {"date_invalid", "date_in_future", "date_ambiguous"}
