"""A number in full, through the page: with a reason, once, and not more often than is allowed."""

import pytest

from branches.tests.make import make_branch, make_membership, make_secretary
from cadres import disclosure
from cadres.models import AccessEntry
from cadres.roles import Role
from cadres.tests.make import make_id_number, make_retiree, make_user

pytestmark = pytest.mark.django_db
PHONE, NUMBER = "13812345678", make_id_number("1953-07-15", serial=7)
ASKED = {"secret": "phone", "reason": "通知开会"}


@pytest.fixture
def branch():
    return make_branch("甲支部")


@pytest.fixture
def person(branch):
    found = make_retiree(phone=PHONE, id_number=NUMBER)
    make_membership(found, branch)
    return found


def asked(client, person, **more) -> str:
    return client.post(f"/people/{person.pk}/reveal/", ASKED | more).content.decode()


def test_the_number_is_shown_once_and_logged(client, person, branch):
    client.force_login(make_secretary(branch))
    assert PHONE in asked(client, person)
    assert PHONE not in client.get(person.get_absolute_url()).content.decode()
    assert AccessEntry.objects.get().reason == "通知开会"


def test_without_a_reason_nothing_is_shown(client, person, branch):
    client.force_login(make_secretary(branch))
    page = asked(client, person, reason="  ")
    assert "请写明为什么要看" in page
    assert PHONE not in page
    assert not AccessEntry.objects.exists()


def test_an_identity_number_is_not_a_secretarys(client, person, branch):
    client.force_login(make_secretary(branch))
    page = asked(client, person, secret="id_number")
    assert "身份证号只有工作人员能看" in page
    assert NUMBER not in page
    assert not AccessEntry.objects.exists()


@pytest.fixture
def fifty(client, person):
    """Somebody of the office who has looked fifty times today."""
    client.force_login(make_user(role=Role.OFFICE_STAFF))
    for _ in range(50):
        shown = asked(client, person)
    assert PHONE in shown
    assert AccessEntry.objects.count() == 50


def test_the_fifty_first_look_of_a_day_is_refused(client, person, fifty):
    page = asked(client, person)
    assert "今天已经看了 50 次，请明天再看。" in page
    assert PHONE not in page
    assert AccessEntry.objects.count() == 50


def test_without_the_quota_it_would_be_shown(client, person, fifty, monkeypatch):
    monkeypatch.setattr(disclosure, "REVEALS_A_DAY", 51)
    assert PHONE in asked(client, person)
    assert AccessEntry.objects.count() == 51


def test_who_looked_is_for_the_person_and_not_for_a_leader(client, person):
    client.force_login(make_user(role=Role.OFFICE_STAFF, name="王科长"))
    asked(client, person)
    client.force_login(make_user(retiree=person))
    page = client.get(person.get_absolute_url()).content.decode()
    assert "王科长" in page
    assert "通知开会" in page
    assert "整份导出完整号码的，不在这里" in page
    client.force_login(make_user(role=Role.LEADER))
    page = client.get(person.get_absolute_url()).content.decode()
    assert "王科长" not in page
    assert "谁看过" not in page
