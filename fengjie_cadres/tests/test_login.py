"""Logging in by user name or phone."""

import datetime

import pytest
from axes.models import AccessAttempt
from django.utils import timezone

from cadres.roles import Role
from cadres.tests.make import make_user

PASSWORD = "sheng-huo-2025"
WRONG = "用户名（或手机号）或密码不对"


@pytest.fixture
def staff(db):
    return make_user(
        role=Role.OFFICE_STAFF, username="wang", phone="13800001111", password=PASSWORD
    )


def log_in(client, username, password=PASSWORD):
    return client.post("/login/", {"username": username, "password": password})


@pytest.mark.parametrize("username", ["wang", "13800001111"])
def test_login_by_name_or_phone_goes_home(client, staff, username):
    assert log_in(client, username).headers["Location"] == "/"
    assert client.get("/").status_code == 200


def test_login_answers_the_same_for_every_failure(client, staff):
    staff_page = log_in(client, "wang", "wrong").content
    unknown_page = log_in(client, "nobody", "wrong").content
    staff.is_active = False
    staff.save()
    disabled_page = log_in(client, "wang").content
    assert WRONG in staff_page.decode()
    assert _without_name(staff_page) == _without_name(disabled_page) == _without_name(unknown_page)


def _without_name(page: bytes) -> str:
    lines = page.decode().replace("nobody", "wang").splitlines()
    return "\n".join(line for line in lines if "csrfmiddlewaretoken" not in line)


def test_a_signed_in_page_is_not_stored_by_the_browser(client, staff):
    log_in(client, "wang")
    response = client.get("/")
    assert "no-store" in response.headers["Cache-Control"]
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert response.headers["X-Frame-Options"] == "DENY"


def fail(client, times, username="wang"):
    return [log_in(client, username, "wrong").status_code for _ in range(times)][-1]


def test_five_wrong_passwords_close_the_user_name_for_a_while(client, staff):
    assert fail(client, 4) == 200
    assert fail(client, 1) == 429
    response = log_in(client, "wang")
    assert response.status_code == 429
    assert "请过十五分钟再试" in response.content.decode()
    AccessAttempt.objects.update(attempt_time=timezone.now() - datetime.timedelta(minutes=16))
    assert log_in(client, "wang").status_code == 302


def test_a_right_password_in_between_begins_the_count_anew(client, staff):
    fail(client, 4)
    assert log_in(client, "wang").status_code == 302
    client.logout()
    assert fail(client, 4) == 200


def test_an_unknown_user_name_is_closed_the_same_way(client, db):
    assert fail(client, 5, "nobody") == 429


def test_one_closed_name_closes_no_other(client, staff):
    make_user(username="li", password=PASSWORD)
    fail(client, 6)
    assert log_in(client, "li").status_code == 302


@pytest.mark.parametrize("role", [Role.LEADER, Role.CONTACT, Role.RETIREE, Role.AUDITOR])
def test_pages_of_the_office_are_closed_to_other_roles(client, db, role):
    client.force_login(make_user(role=role))
    assert client.get("/").status_code == 200
    for address in ("/imports/", "/imports/new/", "/imports/1/"):
        assert client.get(address).status_code == 403
    for verb in ("confirm/", "undo/", "discard/", "rejected.xlsx"):
        address = f"/imports/1/{verb}"
        assert client.post(address).status_code == 403
    assert client.get("/admin/").status_code == 302


def test_text_size_is_kept_and_leads_back_only_to_our_own_pages(client):
    response = client.post("/text-size/", {"size": "size-30", "next": "https://evil.example/"})
    assert response.headers["Location"] == "/"
    assert client.cookies["text_size"].value == "size-30"
    assert client.post("/text-size/", {"size": "x", "next": "/privacy/"}).url == "/privacy/"
    assert client.cookies["text_size"].value == "size-30"
