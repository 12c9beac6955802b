"""Logging in by user name or phone."""

import pytest

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


@pytest.mark.parametrize("role", [Role.LEADER, Role.CONTACT, Role.RETIREE, Role.AUDITOR])
def test_pages_of_the_office_are_closed_to_other_roles(client, db, role):
    client.force_login(make_user(role=role))
    assert client.get("/").status_code == 200
    for address in ("/imports/", "/imports/new/", "/imports/1/", "/imports/1/rejected.xlsx"):
        assert client.get(address).status_code == 403
    for address in ("/imports/1/confirm/", "/imports/1/undo/", "/imports/1/discard/"):
        assert client.post(address).status_code == 403
    assert client.get("/admin/").status_code == 302


def test_text_size_is_kept_and_leads_back_only_to_our_own_pages(client):
    response = client.post("/text-size/", {"size": "size-30", "next": "https://evil.example/"})
    assert response.headers["Location"] == "/"
    assert client.cookies["text_size"].value == "size-30"
    assert client.post("/text-size/", {"size": "x", "next": "/privacy/"}).url == "/privacy/"
    assert client.cookies["text_size"].value == "size-30"
