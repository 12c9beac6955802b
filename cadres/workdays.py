"""Working days by the State Council's calendar, with the days worked instead (调休)."""

import datetime

import chinese_calendar


def is_workday(day: datetime.date) -> bool:
    """Of a year whose calendar is not known yet: Monday to Friday."""
    try:
        return chinese_calendar.is_workday(day)
    except NotImplementedError:
        return day.weekday() < 5


def after(day: datetime.date, count: int) -> datetime.date:
    """The `count`-th working day after a day."""
    while count:
        day += datetime.timedelta(1)
        count -= is_workday(day)
    return day
