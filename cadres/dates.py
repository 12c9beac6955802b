"""Dates known to the day, or only to the month, as Chinese personnel files have them.

Such a date is kept as ISO text, `1953-07` or `1953-07-15`: both sort and compare as text,
and a month is never mistaken for its first day.
"""

import calendar
import datetime
import re

from django.core.exceptions import ValidationError
from django.db import models

PARTIAL_DATE = r"^(19|20)\d\d-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?$"


def partial_date(year: int, month: int, day: int | None = None) -> str:
    """`1953-07` or `1953-07-15`; ValueError when there is no such month or day."""
    datetime.date(year, month, day or 1)
    return f"{year:04d}-{month:02d}" + (f"-{day:02d}" if day else "")


def in_words(value: str) -> str:
    """`1953年7月` or `1953年7月15日`; nothing for nothing."""
    if not value:
        return ""
    year, month, *day = value.split("-")
    return f"{year}年{int(month)}月" + (f"{int(day[0])}日" if day else "")


def age_on(birth: str, on: datetime.date) -> int | None:
    """Full years of life on a day; with only a month known, from the first of the next one on."""
    if not birth:
        return None
    had_birthday = on.isoformat()[5:] >= (birth[5:] if len(birth) > 7 else birth[5:] + "-32")
    return on.year - int(birth[:4]) - (not had_birthday)


def latest_birth_for_age(age: int, on: datetime.date) -> str:
    """The text that a birth date must not exceed for a person to be `age` or older on that day."""
    return f"{on.year - age:04d}-{on:%m-%d}"


def add_months(day: datetime.date, months: int) -> datetime.date:
    """The same day some months later, or before; the month's last day where there is none."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return datetime.date(year, month + 1, min(day.day, last))


def validate_partial_date(value: str) -> None:
    """ValidationError unless the value is a month or a day that exists."""
    try:
        if not re.match(PARTIAL_DATE, value):
            raise ValueError(value)
        partial_date(*(int(part) for part in value.split("-")))
    except ValueError:
        raise ValidationError("请写成 1953-07 或 1953-07-15 的样子。") from None


class PartialDateField(models.CharField):
    """A date known to the day or to the month, as ISO text; empty when not known."""

    default_validators = [validate_partial_date]

    def __init__(self, *args, **kwargs):
        kwargs |= {"max_length": 10, "blank": True, "default": ""}
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        for key in ("max_length", "blank", "default"):
            kwargs.pop(key, None)
        return name, path, args, kwargs
