"""Both samples, by the actions that the page calls."""

import json
from pathlib import Path

import pytest
from django.db import connection

from branches.models import Membership, StagedRow
from branches.roster.report import report
from branches.tests.make import staged, written
from cadres.models import ClassChange, Residence, Retiree
from fengjie_cadres import demo

DATA = Path(__file__).with_name("data")
KEYS = ("row", "code", "column", "level")

pytestmark = pytest.mark.django_db


def counts(batch) -> tuple:
    return batch.rows, batch.created, batch.updated, batch.unchanged, batch.rejected, batch.missing


def test_county_sample_is_all_created_and_then_all_unchanged():
    content = Path(demo.ROSTER).read_bytes()
    first = written(content)
    assert counts(first) == (1878, 1878, 0, 0, 0, 0)
    assert first.scope == "county"
    assert report(first)["problems"] == []
    assert Retiree.objects.count() == ClassChange.objects.count() == 1878
    assert Residence.objects.filter(until=None).count() == 1878
    assert Membership.objects.filter(kind="served", until=None).count() == 1878
    assert counts(written(content)) == (1878, 0, 0, 1878, 0, 0)


def test_messy_sample_comes_to_exactly_its_expected_file():
    expected = json.loads((DATA / "roster_messy.expected.json").read_text())
    found = report(staged((DATA / "roster_messy.xlsx").read_bytes()))
    assert [{key: p[key] for key in KEYS} for p in found["problems"]] == [
        {key: p[key] for key in KEYS} for p in expected["problems"]
    ]
    for name in ("rows", "created", "rejected"):
        assert found[name] == expected[name]


@pytest.mark.slow
def test_a_staging_table_that_is_believed_to_be_empty_is_judged_in_seconds():
    """Emptied and then analysed: the database expects no rows and must not loop over 1,878²."""
    content = Path(demo.ROSTER).read_bytes()
    staged(content)
    StagedRow.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")  # only the owner may analyse; the rollback takes it back
        cursor.execute("ANALYZE")
        cursor.execute("SET LOCAL statement_timeout = '20s'")
    assert counts(written(content))[:2] == (1878, 1878)
    assert counts(staged(content))[3] == 1878
