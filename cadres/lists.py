"""Any office's list of people, read to be compared: what cannot be used is left out and noted,
but nobody is left out because of it."""

import dataclasses
import re

from cadres.cleaning import ERROR, WARNING, AmbiguousDateError, Clean, date_of, read_date, text_of
from cadres.dates import in_words
from cadres.masking import mask_numbers
from cadres.rosters import RowReader

#: Without a usable name there is nobody to look for.
NOBODY = {"name_missing", "name_invalid"}
#: The identity number settles the birth date: what was typed beside it is left out by itself.
SETTLED = {"birth_mismatch"}
#: The code of the note that carries a date of death, as ISO text in its value.
DIED = "died_in_file"
#: Columns of a row that hold the key of what the cell named.
_KEYS = {"unit": "unit_id", "township": "township_id", "community": "community_id",
         "branch": "branch_id"}  # fmt: skip
_LEFT_OUT = "这一格没有采用。"

_NUMBER = re.compile(
    r"(?P<date>(?:19|20)\d\d[-./年]\d{1,2}(?:[-./月]\d{1,2})?(?!\d))"
    r"|\d(?:[ \-–—－]?\d){6,}[XxＸｘ]?"
)


class ListReader(RowReader):
    """Cleans the rows of a list that is only looked at."""

    any_list = True

    def _clean(self, cells: list) -> Clean:
        return without_errors(super()._clean(cells))

    def _death(self, cell, row: Clean) -> None:
        text = text_of(cell)
        if text in ("", "无"):
            return
        day = self._day(cell)
        if day:
            row.add("died_on", DIED, f"表中的去世时间：{in_words(day)}。", day, WARNING)
        else:
            words = "去世时间看不懂，或者晚于今天，请核对。"
            row.add("died_on", "date_invalid", words, text[:30])

    def _day(self, cell) -> str:
        """The day or month of a cell; empty when it is none, or in the future."""
        try:
            found = date_of(cell, self.in_csv)
        except (AmbiguousDateError, ValueError):
            return ""
        return found if found <= self.today.isoformat()[: len(found)] else ""


def without_errors(row: Clean) -> Clean:
    """The row with its faulty cells left out instead of being refused as a whole."""
    kept = []
    for problem in row.problems:
        if problem.code == "id_number_missing":
            continue  # many lists have none: how somebody was recognised is said later
        if problem.level == ERROR and problem.code not in NOBODY:
            if problem.code not in SETTLED:
                row.values[_KEYS.get(problem.column, problem.column)] = None
            words = problem.message + _LEFT_OUT
            problem = dataclasses.replace(problem, level=WARNING, message=words)
        kept.append(problem)
    row.problems = kept
    return row


def shown_cell(cell) -> str:
    """A cell of unknown meaning as it may be shown: dates stay, every other number of seven
    digits or more is masked, also one with blanks or dashes in it."""
    return mask_numbers(_NUMBER.sub(_masked, text_of(cell)))


def _masked(found: re.Match) -> str:
    if found["date"] or _is_date(found[0]):
        return found[0]
    return f"{found[0][:3]}****"


def _is_date(text: str) -> bool:
    try:
        read_date(text, may_lack_zero=False)
    except ValueError:
        return False
    return True
