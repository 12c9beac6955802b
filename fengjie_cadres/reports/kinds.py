"""What a kind of export is: who may have it, what it counts, how its filter reads."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass

from branches.access import sees_all, visible_branches
from cadres.desk import FilterForm
from cadres.forms import filter_in_words, people_of
from cadres.models import Export, User
from fengjie_cadres.reports.workbook import Sheet


def sees_people(user) -> bool:
    """Whoever sees more than one person."""
    return sees_all(user) or visible_branches(user).exists()


def _people(filled: dict, user) -> int:
    return people_of(filled, user).count()


@dataclass(frozen=True)
class Table:
    """A kind of export: title, sheets, how many people are in it, its filter in words.

    `fill(export, today)` gives the sheets; `is_for(user)` says who may have it; full numbers
    can be asked for where `may_be_full`; `full_words` says which they are.
    """

    title: str
    fill: Callable[[Export, datetime.date], list[Sheet]]
    count: Callable[[dict, User], int] = _people
    words: Callable[[dict, User], str] = filter_in_words
    is_for: Callable[[User], bool] = sees_people
    may_be_full: bool = False
    full_words: str = "完整的身份证号和电话"


def for_anybody(words: Callable[[dict], str]) -> Callable[[dict, User], str]:
    """For `Table.words`: words that do not depend on who asks."""
    return lambda filled, user: words(filled)


def words_of(form_class: type[FilterForm]) -> Callable[[dict, User], str]:
    """For `Table.words`: a filled filter form as people read it."""
    return lambda filled, user: form_class(filled).in_words()
