"""A departure and an award of the same person at the same time: neither is broken off."""

import threading

import pytest
from django.db import OperationalError, connection, transaction

from branches import departures
from branches.departures import depart
from branches.tests.test_import_concurrency import kinds
from cadres.models import Retiree
from cadres.roles import Role
from cadres.tests.locks import somebody_waits
from cadres.tests.make import make_retiree, make_user
from cadres.tests.worker import wait_until
from points.models import Account
from points.tests.make import DAY, awarded, make_cycle, make_rule

pytestmark = pytest.mark.django_db(transaction=True)


def both(monkeypatch) -> list:
    """The award has written when the departure comes to the accounts; then it commits."""
    make_cycle()
    make_rule("test_one", points=1)
    person, office = make_retiree(), make_user(role=Role.OFFICE_STAFF)
    awarded(person, 5)
    is_written, is_held, results = threading.Event(), threading.Event(), []
    freeze = departures.freeze

    def freezes(**fields):
        is_held.set()
        is_written.wait(10)
        return freeze(**fields)

    monkeypatch.setattr(departures, "freeze", freezes)

    def awards():
        with transaction.atomic():
            awarded(person, 3)
            is_written.set()
            is_held.wait(10)
            wait_until(somebody_waits, 5)

    def departs():
        depart(retiree=person, kind="deceased", on=DAY, by=office)

    def run(work):
        try:
            results.append(work())
        except Exception as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[work]) for work in (awards, departs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def test_neither_is_broken_off(monkeypatch):
    assert set(kinds(both(monkeypatch))) == {"NoneType"}
    account = Account.objects.of_members().get()
    assert account.balance == 8
    assert account.frozen_at is not None


def test_a_person_held_against_those_who_only_refer_to_him_breaks_one_off(monkeypatch):
    """Negative control."""
    monkeypatch.setattr(
        departures, "_held", lambda one: Retiree.objects.select_for_update().get(pk=one.pk)
    )
    assert OperationalError.__name__ in kinds(both(monkeypatch))
