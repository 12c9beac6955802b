"""Rows full of words that occur nowhere else: who meets one of them has seen the row.

Works on any model of ours by looking at its fields; what a model's constraints ask for beyond
that is said in NEEDED.
"""

import datetime
import itertools
import re
from dataclasses import dataclass

from django.db import models

from branches.models import (
    Branch,
    CommitteeSeat,
    ImportBatch,
    Membership,
    MissingPerson,
    StagedRow,
)
from cadres.models import (
    Absence,
    AccessEntry,
    Area,
    Community,
    CommunityAlias,
    Heartbeat,
    Job,
    Retiree,
    Township,
    Unit,
    User,
)
from cadres.tests.make import make_id_number
from fengjie_cadres.personal_data import our_models
from points.models import (
    Account,
    Adjustment,
    AuditRun,
    Commendation,
    CommendationList,
    Cycle,
    DayStock,
    Objection,
    Posting,
    PublicNotice,
    Redemption,
    RedemptionDay,
    RedemptionLine,
    Reward,
    Rollover,
    Rule,
    Settlement,
    Shortfall,
    Threshold,
    Transfer,
)

#: The same for everybody who may log in at all: nothing in them is foreign to anybody.
REFERENCE = {Area, Township, Community, Unit, Branch, Rule, Reward, Heartbeat}
#: Made by the county itself: who somebody is, and what only the ledger's door may write.
BY_HAND = {Retiree, User, CommitteeSeat, StagedRow, MissingPerson}
BY_HAND |= {Account, Adjustment, AuditRun, Cycle, Posting, Settlement, Shortfall, Transfer}
BY_HAND |= {RedemptionDay, DayStock, Redemption, RedemptionLine}
BY_HAND |= {Commendation, CommendationList, Objection, PublicNotice, Rollover, Threshold}
#: Columns that hold a number a page may show only masked; their tokens are numbers.
NUMBERS = {"id_number", "phone", "second_phone", "emergency_phone"}
DAY = datetime.date(2025, 3, 1)

_RARE = "龘靐齉鱻麤爨灪籱驫羴飍鸞厵纞虋讟"
WORD = re.compile(f"[{_RARE}]{{6}}")


def points_to(model, target) -> bool:
    return any(f.related_model is target for f in model._meta.fields if f.is_relation)


#: Models whose rows are about a person: planted for each planted person.
ABOUT_PEOPLE = [m for m in our_models() if points_to(m, Retiree) and m not in BY_HAND]
#: The rest is the office's.
OF_THE_OFFICE = [m for m in our_models() if m not in {*ABOUT_PEOPLE, *BY_HAND, *REFERENCE}]


@dataclass(frozen=True)
class Token:
    """Where a planted word or number stands, and whose row that is."""

    text: str
    model: type[models.Model]
    column: str
    whose: str

    def __str__(self):
        return f"{self.whose}: {self.model.__name__}.{self.column}"


class Garden:
    """Plants rows and knows every word and number in them."""

    def __init__(self):
        self.tokens: dict[str, Token] = {}
        self._count = itertools.count(1)

    def word(self, model, column: str, whose: str) -> str:
        number, letters = next(self._count), ""
        for _ in range(6):
            number, rest = divmod(number, len(_RARE))
            letters = _RARE[rest] + letters
        return self._noted(letters, model, column, whose)

    def number(self, model, column: str, whose: str) -> str:
        number = next(self._count)
        text = f"1391{number:07d}"
        if column == "id_number":
            text = make_id_number("1953-07-15", serial=number)
        return self._noted(text, model, column, whose)

    def _noted(self, text: str, model, column: str, whose: str) -> str:
        self.tokens[text] = Token(text, model, column, whose)
        return text

    def found_in(self, text: str) -> set[Token]:
        """The tokens that stand in a text; a number also between other characters."""
        words = {*WORD.findall(text), *re.findall(r"(?<!\d)\d{11}(?!\d)|\d{17}[\dX]", text)}
        return {self.tokens[word] for word in words if word in self.tokens}

    def plant(self, model, whose: str, links: dict, **given):
        """A saved row with a token in every text column that `given` does not say."""
        given = self._needed(model, whose, links) | given
        row = model(**given)
        for field in model._meta.concrete_fields:
            if field.name not in given:
                self._fill(row, field, whose, links)
        row.save()
        return row

    def _fill(self, row, field, whose: str, links: dict) -> None:
        model = type(row)
        if field.is_relation:
            target = links.get(field.related_model)
            if target is not None and (not field.null or field.related_model is Retiree):
                setattr(row, field.name, target)
        elif is_text(field):
            make = self.number if field.name in NUMBERS else self.word
            setattr(row, field.name, make(model, field.name, whose))
        elif isinstance(field, models.JSONField) and field.editable:
            setattr(row, field.name, {"a": self.word(model, field.name, whose)})
        elif field.choices and not field.has_default() and not field.blank:
            setattr(row, field.name, field.choices[0][0])
        elif isinstance(field, models.DateField) and not (field.null or field.has_default()):
            setattr(row, field.name, DAY)

    def _needed(self, model, whose: str, links: dict) -> dict:
        needed = NEEDED.get(model, {})
        if callable(needed):
            words = {
                "word": lambda column: self.word(model, column, whose),
                "number": lambda column: self.number(model, column, whose),
            }
            return needed(**words)
        return {name: links.get(value, value) for name, value in needed.items()}


def _staged(word, number) -> dict:
    """A row as the reader and the judge leave it."""
    problem = {"level": "error", "code": "unit_unknown", "column": "unit"}
    problem |= {"message": word("problems"), "value": word("problems")}
    changes = {
        "phone": [number("phone"), number("phone")],
        "former_post": [word("changes"), word("changes")],
    }
    dates = ("birth_date", "work_started", "party_joined", "retired_on")
    return {
        "problems": [problem], "findings": [problem], "changes": changes, "proposal": None,
        "cells": [word("cells"), number("id_number")], "sex": "M", "activity_class": "A",
        "political_status": "masses", "retirement_kind": "ordinary",
        **dict.fromkeys(dates, "1953-07"),
    }  # fmt: skip


def _batch(word, number) -> dict:
    passed_over = {"sheet": word("notes"), "row": 3, "text": word("notes")}
    notes = {"unknown_columns": [word("notes")], "passed_over": [passed_over]}
    return {"state": "staged", "rows": 2, "updated": 1, "rejected": 1, "notes": notes}


#: What the constraints and the pages of some models ask for; a model stands for its row.
NEEDED = {
    Absence: {"until": DAY + datetime.timedelta(days=1)},
    AccessEntry: {"kind": "reveal", "secret": "phone"},
    Membership: {"kind": "participating"},
    CommunityAlias: {"community": Community},
    Job: {"state": "failed"},
    ImportBatch: _batch,
    StagedRow: _staged,
}


def is_text(field: models.Field) -> bool:
    """A column into which people write words of their own."""
    return (
        type(field) in (models.CharField, models.TextField, models.SlugField)
        and field.editable
        and not field.choices
        and field.name != "password"
    )
