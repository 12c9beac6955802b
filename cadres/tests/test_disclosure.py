"""Personal numbers are shown only as a logged act, with limits that hold under a race."""

import datetime
import threading

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from cadres import disclosure
from cadres.disclosure import DisclosureRefusedError, reveal
from cadres.models import AccessEntry, Export, Secret
from cadres.roles import Role
from cadres.tests.make import make_retiree, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff():
    return make_user(role=Role.OFFICE_STAFF)


def test_reveal_writes_who_whom_what_and_why(staff):
    person = make_retiree(phone="13800001234")
    assert reveal(retiree=person, secret="phone", reason="通知开会", by=staff) == "13800001234"
    entry = AccessEntry.objects.get()
    assert (entry.user, entry.retiree, entry.secret, entry.reason) == (
        staff, person, "phone", "通知开会",
    )  # fmt: skip


@pytest.mark.parametrize("reason", ["", "   "])
def test_reveal_without_a_reason_is_refused(staff, reason):
    with pytest.raises(DisclosureRefusedError):
        reveal(retiree=make_retiree(), secret="phone", reason=reason, by=staff)
    assert not AccessEntry.objects.exists()


def test_reveal_past_the_days_quota_is_refused(staff, monkeypatch):
    monkeypatch.setattr(disclosure, "REVEALS_A_DAY", 3)
    person = make_retiree(phone="13800001234")
    for _ in range(3):
        reveal(retiree=person, secret="phone", reason="通知", by=staff)
    with pytest.raises(DisclosureRefusedError, match="今天已经看了 3 次"):
        reveal(retiree=person, secret="phone", reason="通知", by=staff)
    assert AccessEntry.objects.count() == 3


def test_the_quota_is_fifty_a_day():
    assert disclosure.REVEALS_A_DAY == 50


def test_reveal_of_an_identity_number_is_for_the_office():
    with pytest.raises(DisclosureRefusedError):
        reveal(retiree=make_retiree(), secret=Secret.ID_NUMBER, reason="x", by=make_user())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cadres_accessentry SET reason = 'x'",
        "DELETE FROM cadres_accessentry",
        "TRUNCATE cadres_accessentry",
    ],
)
def test_the_access_log_only_grows(staff, statement):
    reveal(retiree=make_retiree(), secret="phone", reason="通知", by=staff)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert AccessEntry.objects.get().reason == "通知"


@pytest.mark.django_db(transaction=True)
def test_the_quota_holds_when_two_windows_ask_at_once(monkeypatch):
    monkeypatch.setattr(disclosure, "REVEALS_A_DAY", 5)
    staff, person = make_user(role=Role.OFFICE_STAFF), make_retiree(phone="13800001234")
    threads = [threading.Thread(target=_try, args=(person, staff)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert AccessEntry.objects.count() == 5


def _try(person, user):
    try:
        reveal(retiree=person, secret="phone", reason="通知", by=user)
    except DisclosureRefusedError:
        pass
    finally:
        connection.close()


def ask(by, people=300, **more):
    more = {"is_full": True, "reason": "上报"} | more
    return disclosure.ask_export(
        kind="roster", title="花名册", params={}, filter_words="", people=people, by=by, **more
    )


def test_a_large_full_export_waits_for_a_second_person(staff):
    export = ask(staff)
    assert (export.state, export.job) == ("waiting", None)
    head = make_user(role=Role.OFFICE_HEAD)
    export = disclosure.decide_export(export=export, agreed=True, by=head)
    assert export.state == "making"
    assert export.job.asked_by == staff


def test_a_head_does_not_approve_the_own_export():
    head = make_user(role=Role.OFFICE_HEAD)
    export = ask(head)
    with pytest.raises(DisclosureRefusedError):
        disclosure.decide_export(export=export, agreed=True, by=head)
    with pytest.raises(IntegrityError), transaction.atomic():  # the database would refuse too
        Export.objects.filter(pk=export.pk).update(decided_by=head)


def test_the_database_refuses_a_large_full_export_that_nobody_approved(staff):
    export = ask(staff)
    with pytest.raises(IntegrityError), transaction.atomic():
        Export.objects.filter(pk=export.pk).update(state="making")


def test_staff_do_not_decide_about_exports(staff):
    with pytest.raises(DisclosureRefusedError):
        disclosure.decide_export(
            export=ask(staff), agreed=True, by=make_user(role=Role.OFFICE_STAFF)
        )


def test_a_declined_export_stays_declined(staff):
    export, head = ask(staff), make_user(role=Role.OFFICE_HEAD)
    disclosure.decide_export(export=export, agreed=False, by=head)
    export = disclosure.decide_export(export=export, agreed=True, by=head)
    assert export.state == "declined"
    assert export.job is None


def test_a_small_full_export_needs_a_purpose_but_nobody_else(staff):
    assert ask(staff, people=199).state == "making"
    with pytest.raises(DisclosureRefusedError):
        ask(staff, people=10, reason=" ")


def test_a_long_list_is_not_taken_in_short_ones_without_a_second_person(staff):
    """An export that a head agreed to, and one of yesterday, do not count."""
    agreed = ask(staff)
    disclosure.decide_export(export=agreed, agreed=True, by=make_user(role=Role.OFFICE_HEAD))
    assert ask(staff, people=120, reason="甲").state == "making"
    assert ask(staff, people=79, reason="乙").state == "making"
    assert ask(staff, people=1, reason="丙").state == "waiting"
    assert ask(make_user(role=Role.OFFICE_STAFF), people=120).state == "making"
    Export.objects.update(asked_at=timezone.now() - datetime.timedelta(hours=25))
    assert ask(staff, people=120, reason="丁").state == "making"


def test_leaders_get_no_full_numbers():
    with pytest.raises(DisclosureRefusedError):
        ask(make_user(role=Role.LEADER), people=1)
