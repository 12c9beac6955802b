"""Working days agree with the State Council's calendar of 2025 and 2026."""

import csv
import datetime
from pathlib import Path

import pytest

from cadres.workdays import after, is_workday

CALENDAR = Path(__file__).with_name("data") / "workdays_2025_2026.csv"


def test_every_day_of_two_years_is_as_the_state_council_says():
    with open(CALENDAR, newline="") as file:
        days = {
            datetime.date.fromisoformat(d): told == "1" for d, told in list(csv.reader(file))[1:]
        }
    assert len(days) == 730
    assert {day: is_workday(day) for day in days} == days


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [
        ("2026-01-05", 5, "2026-01-12"),
        ("2025-01-24", 5, "2025-02-07"),  # over the Spring Festival; Sunday 26 is worked
        ("2040-01-06", 1, "2040-01-09"),  # a year nobody knows yet: Friday, then Monday
    ],
)
def test_working_days_are_counted_from_the_day_after(day, count, expected):
    found = after(datetime.date.fromisoformat(day), count)
    assert found == datetime.date.fromisoformat(expected)
