"""The workbook of the review list."""

import datetime
from collections.abc import Iterator

from cadres.classification import due, suggest
from cadres.forms.review import due_of, review_filter_in_words
from cadres.models import ActivityClass, Export, Retiree, Sex
from cadres.review_list import facts_of
from cadres.roles import is_office
from fengjie_cadres.reports.kinds import Table
from fengjie_cadres.reports.workbook import Column, Sheet

_CLASSES = dict(ActivityClass.choices)
_SEXES = dict(Sex.choices)
#: So many people's facts are asked for at once.
CHUNK = 1000

COLUMNS = [
    Column("姓名", 9),
    Column("性别", 5),
    Column("年龄", 5, is_number=True),
    Column("原工作单位", 26),
    Column("居住乡镇(街道)", 13),
    Column("现在的类别", 13),
    Column("自", 11),
    Column("到期", 11),
    Column("为什么要复核", 24),
    Column("上次看过", 11),
    Column("系统建议", 13),
    Column("建议的理由", 30),
]


def review_list(export: Export, today: datetime.date) -> list[Sheet]:
    """复核名单 of a filter: who is due, why, and what is suggested."""
    found = due_of(export.params, export.asked_by).select_related("unit", "township")
    return [Sheet("活动类别复核名单", COLUMNS, _lines(list(found), today))]


def _lines(people: list[Retiree], today: datetime.date) -> Iterator[tuple]:
    for start in range(0, len(people), CHUNK):
        chunk = people[start : start + CHUNK]
        facts = facts_of(chunk, today)
        yield from (_line(person, facts[person.pk]) for person in chunk)


def _line(person: Retiree, facts) -> tuple:
    suggestion = suggest(facts)
    return (
        person.name, _SEXES.get(person.sex), facts.age, str(person.unit or ""),
        str(person.township or ""), _CLASSES.get(facts.activity_class, "未分类"),
        _day(facts.class_since), _day(facts.class_until),
        "；".join(reason.label for reason in due(facts)), _day(facts.looked_on),
        _CLASSES[suggestion.activity_class] if suggestion else "",
        suggestion.why if suggestion else "",
    )  # fmt: skip


def _day(day: datetime.date | None) -> str:
    return day.isoformat() if day else ""


REVIEW = Table(
    "活动类别复核名单",
    review_list,
    count=lambda filled, user: due_of(filled, user).count(),
    words=review_filter_in_words,
    is_for=is_office,
)
