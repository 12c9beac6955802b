"""Statements are counted: the number does not grow with the rows."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from branches.roster import stage, undo, write
from branches.tests.make import uploaded
from cadres.tests.workbooks import people, roster_of

pytestmark = pytest.mark.django_db


def _count(captured: CaptureQueriesContext) -> int:
    """Without the savepoints that the test's own transaction makes of ours."""
    return sum("SAVEPOINT" not in query["sql"] for query in captured)


def statements(rows: list[list]) -> tuple[int, int]:
    """Of staging and writing."""
    batch = uploaded(roster_of(*rows))
    with CaptureQueriesContext(connection) as reading:
        batch = stage(batch=batch)
    with CaptureQueriesContext(connection) as writing:
        write(batch=batch, by=None)
    return _count(reading), _count(writing)


CHANGE = {"联系电话": "13999999999", "活动类别": "C", "所在党支部": "草堂镇离退休干部党支部"}


def test_import_takes_as_many_statements_for_400_people_as_for_20():
    new = statements(people(20)), statements(people(420)[20:])
    changed = statements(people(20, **CHANGE)), statements(people(420, **CHANGE)[20:])
    same = statements(people(20, **CHANGE)), statements(people(420, **CHANGE)[20:])
    assert new[0] == new[1]
    assert changed[0] == changed[1]
    assert same[0] == same[1]
    assert sum(new[0]) <= 40
    assert sum(changed[0]) <= 46
    assert sum(same[0]) <= 36


def test_undo_takes_as_many_statements_for_400_people_as_for_20():
    counts = []
    for rows in (people(20), people(420)[20:]):
        batch = write(batch=stage(batch=uploaded(roster_of(*rows))), by=None)
        with CaptureQueriesContext(connection) as undoing:
            undo(batch=batch, by=None)
        counts.append(_count(undoing))
    assert counts[0] == counts[1]
