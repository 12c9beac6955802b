"""An import is written while somebody at the desk changes one of its people."""

import sys
import threading

import pytest
from django.db import connection, transaction

from branches.roster import write
from branches.tests.make import staged, written
from cadres.models import Retiree
from cadres.tests.locks import somebody_waits
from cadres.tests.workbooks import person, roster_of
from cadres.tests.worker import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
NEW_PHONE, REMARK = "13988887777", "刚在办公桌上写的"


def edited_while_written():
    """The desk holds the person, uncommitted, when the import comes to it; then it commits."""
    written(roster_of(person()))
    batch = staged(roster_of(person(联系电话=NEW_PHONE)))
    assert batch.updated == 1
    importing = threading.Thread(target=_write, args=[batch])
    with transaction.atomic():
        Retiree.objects.update(remark=REMARK)
        importing.start()
        assert wait_until(somebody_waits)
    importing.join(30)
    return Retiree.objects.get()


def _write(batch):
    try:
        write(batch=batch, by=None)
    finally:
        connection.close()


def test_both_the_import_and_the_desk_keep_what_they_wrote():
    found = edited_while_written()
    assert (found.phone, found.remark) == (NEW_PHONE, REMARK)


def test_without_holding_the_people_the_desk_loses(monkeypatch):
    """Negative control."""
    monkeypatch.setattr(sys.modules["branches.roster.write"], "hold_people", lambda batch: None)
    assert edited_while_written().remark == ""
