"""When a session ends, and that what was typed waits for the one who typed it, and nobody else."""

import datetime

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cadres.models import Export, Unit
from cadres.roles import Role
from cadres.tests.make import PASSWORD, make_retiree, make_unit, make_user
from fengjie_cadres.tests.test_two_step import digits, with_phone

pytestmark = pytest.mark.django_db
MINUTE = datetime.timedelta(minutes=1)
HOUR = 60 * MINUTE
TYPED = "走访时说过的话\r\n第二行 <b>&\"'"


@pytest.fixture
def clock():
    with time_machine.travel("2026-03-02 01:00Z", tick=False) as clock:
        yield clock


@pytest.fixture
def staff():
    return make_user(role=Role.OFFICE_STAFF, username="wang")


def log_in(client, user):
    return client.post("/login/", {"username": user.username, "password": PASSWORD})


@pytest.fixture
def desk(clock, staff):
    """A browser in which the staff has just logged in. Forms without a token are refused."""
    client = Client()
    log_in(client, staff)
    return client


def text(response) -> str:
    return response.content.decode()


def unit_form(**fields) -> dict:
    named = {"name": "新单位", "nature": "机关", "sector": "党群", "unit_level": "县级"}
    inline = {f"aliases-{what}_FORMS": 0 for what in ("TOTAL", "INITIAL")}
    return named | inline | fields


ADD_UNIT = "/admin/cadres/unit/add/"


def come_back_too_late(client, clock, address, filled, **more):
    """Sends a form after a long lunch."""
    clock.shift(40 * MINUTE)
    return client.post(address, filled, **more)


# ---- how long ------------------------------------------------------------------------------------


def test_half_an_hour_without_a_request_ends_a_session(desk, clock):
    clock.shift(29 * MINUTE)
    assert desk.get("/").status_code == 200
    clock.shift(29 * MINUTE)
    assert desk.get("/people/").status_code == 200
    clock.shift(31 * MINUTE)
    assert desk.get("/people/").url == "/login/?next=/people/"
    page = text(desk.get("/login/?next=/people/"))
    assert "您离开了一会儿，请重新登录。" in page
    assert "填的内容" not in page


@pytest.mark.slow
def test_twelve_hours_end_even_a_busy_session(desk, clock):
    for _ in range(35):
        clock.shift(20 * MINUTE)
        assert desk.get("/").status_code == 200
    clock.shift(21 * MINUTE)
    assert "/login/" in desk.get("/").url


def test_logging_in_again_begins_anew(desk, clock, staff):
    clock.shift(5 * HOUR)
    desk.get("/")
    log_in(desk, staff)
    assert desk.get("/").status_code == 200
    assert "您离开了一会儿" not in text(desk.get("/"))
    assert "expires" not in str(desk.cookies["sessionid"]).lower()


def test_a_session_ends_with_the_browser(clock, staff):
    client = Client()
    log_in(client, staff)
    cookie = client.cookies["sessionid"]
    assert not cookie["max-age"]
    assert not cookie["expires"]


def test_a_page_that_says_still_here_keeps_the_session(desk, clock):
    for _ in range(3):
        clock.shift(29 * MINUTE)
        response = desk.post("/still-here/")
        assert response.status_code == 204
        assert not response.content
    clock.shift(31 * MINUTE)
    assert "/login/" in desk.post("/still-here/").url
    assert desk.get("/still-here/").status_code in (302, 405)


def test_an_ended_session_is_gone_not_only_hidden(desk, clock):
    old = desk.cookies["sessionid"].value
    clock.shift(31 * MINUTE)
    desk.get("/")
    assert not Session.objects.filter(session_key=old).exists()


@pytest.mark.parametrize("address", ["/privacy/", "/login/", "/healthz", "/readyz"])
def test_open_pages_stay_open(desk, clock, address):
    before = Client().get(address).status_code
    clock.shift(31 * MINUTE)
    response = desk.get(address)
    assert response.status_code == before
    assert "用户" not in text(response).replace("用户名", "")  # nobody's name on it


def test_a_post_to_an_open_page_is_done_as_ever(desk, clock):
    clock.shift(31 * MINUTE)
    assert desk.post("/text-size/", {"size": "size-30", "next": "/privacy/"}).url == "/privacy/"


def test_few_requests_of_many_write_the_session(desk, clock):
    desk.get("/exports/")
    clock.shift(datetime.timedelta(seconds=10))
    at = Session.objects.get().session_data
    desk.get("/exports/")
    assert Session.objects.get().session_data == at
    clock.shift(datetime.timedelta(seconds=40))
    desk.get("/exports/")
    assert Session.objects.get().session_data != at


# ---- what was typed ------------------------------------------------------------------------------


def test_what_was_typed_is_sent_after_logging_in_again(desk, clock, staff):
    late = come_back_too_late(desk, clock, ADD_UNIT, unit_form(name="很长的单位名"))
    assert late.url == "/login/"
    assert "您离开了一会儿，请重新登录，填的内容还在" in text(desk.get("/login/"))
    assert not Unit.objects.filter(name="很长的单位名").exists()
    assert log_in(desk, staff).url == "/resume/"
    page = desk.get("/resume/")
    assert "办公桌的“单位”" in text(page)
    typed = page.context["typed"]
    assert typed["path"] == ADD_UNIT
    assert desk.post(ADD_UNIT, dict(typed["fields"])).status_code == 302
    assert Unit.objects.filter(name="很长的单位名").exists()
    assert desk.get("/resume/").url == "/"  # once


def test_every_value_of_a_field_and_every_letter_survives(desk, clock, staff):
    people = [str(make_retiree(name=f"张{n}").pk) for n in range(3)]
    come_back_too_late(desk, clock, "/people/1/?q=%E5%BC%A0", {"people": people, "words": TYPED})
    log_in(desk, staff)
    page = desk.get("/resume/")
    assert page.context["typed"]["path"] == "/people/1/?q=%E5%BC%A0"
    assert dict(page.context["typed"]["fields"]) == {"people": people, "words": [TYPED]}
    assert text(page).count('name="people"') == 3
    assert "<b>" not in text(page)


def test_another_user_gets_nothing_and_it_is_gone(desk, clock, staff):
    other = make_user(role=Role.OFFICE_STAFF, username="li")
    come_back_too_late(desk, clock, "/people/1/", {"words": TYPED})
    assert "走访时" not in text(desk.get("/login/"))
    assert log_in(desk, other).url == "/"
    assert desk.get("/resume/").url == "/"
    assert "走访时" not in text(desk.get("/", follow=True))
    desk.post("/logout/")
    assert log_in(desk, staff).url == "/"
    assert all("typed" not in session.get_decoded() for session in Session.objects.all())


def test_a_stranger_at_the_machine_sees_nothing_of_it(desk, clock):
    come_back_too_late(desk, clock, "/people/1/", {"words": TYPED})
    for address in ("/", "/login/", "/privacy/", "/resume/"):
        assert "走访时" not in text(desk.get(address))
    assert "/login/" in desk.get("/resume/").url


def test_a_failed_log_in_keeps_it(desk, clock, staff):
    come_back_too_late(desk, clock, "/people/1/", {"words": TYPED})
    desk.post("/login/", {"username": "wang", "password": "wrong"})
    assert log_in(desk, staff).url == "/resume/"


def test_it_waits_for_half_an_hour(desk, clock, staff):
    come_back_too_late(desk, clock, "/people/1/", {"words": TYPED})
    clock.shift(31 * MINUTE)
    assert log_in(desk, staff).url == "/"


def test_it_is_thrown_away_when_nobody_wants_it(desk, clock, staff):
    come_back_too_late(desk, clock, "/people/1/", {"words": TYPED})
    log_in(desk, staff)
    assert desk.post("/resume/").url == "/"
    assert desk.get("/resume/").url == "/"


def test_after_a_weekend_it_is_still_known_who_typed(desk, clock, staff):
    clock.shift(62 * HOUR)
    desk.post("/people/1/", {"words": TYPED})
    assert log_in(desk, staff).url == "/resume/"


def test_after_twelve_busy_hours_what_was_typed_is_kept_too(desk, clock, staff):
    for _ in range(36):
        clock.shift(20 * MINUTE)
        desk.get("/exports/")
    clock.shift(5 * MINUTE)
    assert desk.post("/people/1/", {"words": TYPED}).url == "/login/"
    assert log_in(desk, staff).url == "/resume/"


def test_passwords_and_tokens_are_not_kept(desk, clock, staff):
    filled = {"reason": "上报", "is_full": "yes", "password": PASSWORD, "csrfmiddlewaretoken": "x"}
    come_back_too_late(desk, clock, "/exports/new/roster/", filled | {"password2": PASSWORD})
    log_in(desk, staff)
    page = desk.get("/resume/")
    assert dict(page.context["typed"]["fields"]) == {"reason": ["上报"], "is_full": ["yes"]}
    assert "重新填写密码" in text(page)
    again = desk.post("/exports/new/roster/", dict(page.context["typed"]["fields"]))
    assert "请填写您的登录密码" in text(again)
    assert 'value="上报"' in text(again)
    assert not Export.objects.exists()


@pytest.mark.parametrize("address", ["/password/", "/logout/", "/role/", "/two-step/", "/resume/"])
def test_posts_that_make_no_sense_later_are_not_kept(desk, clock, staff, address):
    assert come_back_too_late(desk, clock, address, {"x": "1"}).url == "/login/"
    assert log_in(desk, staff).url == "/"


def test_a_file_has_to_be_chosen_again(desk, clock, staff):
    file = SimpleUploadedFile("名册.xlsx", b"secret bytes")
    filled = {"file": file, "effective_on": "2025-12-31"}
    come_back_too_late(desk, clock, "/imports/new/", filled)
    log_in(desk, staff)
    page = desk.get("/resume/")
    assert "重新选择文件" in text(page)
    assert dict(page.context["typed"]["fields"]) == {"effective_on": ["2025-12-31"]}
    again = desk.post("/imports/new/", dict(page.context["typed"]["fields"]))
    assert "请选择名册文件" in text(again)


def test_more_than_a_megabyte_is_not_kept_and_said_so(desk, clock, staff):
    come_back_too_late(desk, clock, "/people/1/", {"words": "x" * 1_100_000})
    assert "太多，没能留下" in text(desk.get("/login/"))
    assert log_in(desk, staff).url == "/"


def test_a_forged_post_is_refused_and_nothing_of_it_is_kept(clock, staff):
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff)
    clock.shift(40 * MINUTE)
    assert client.post("/people/1/", {"words": "attack"}).status_code == 403
    assert all("typed" not in session.get_decoded() for session in Session.objects.all())


def test_the_token_of_the_ended_session_is_good_for_keeping(clock, staff):
    """The negative control of the one before: a real form of ours, sent late."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff)
    client.get("/")
    token = client.cookies["csrftoken"].value
    clock.shift(40 * MINUTE)
    late = client.post("/people/1/", {"words": TYPED, "csrfmiddlewaretoken": token})
    assert late.url == "/login/"


def test_another_tab_may_send_after_the_first_has_found_the_session_ended(desk, clock, staff):
    clock.shift(40 * MINUTE)
    assert "/login/" in desk.get("/people/").url
    assert desk.post("/people/1/", {"words": TYPED}).url == "/login/"
    assert log_in(desk, staff).url == "/resume/"


def strict_log_in(client, user) -> str:
    """Logs in with a token; the token of the forms opened before."""
    client.get("/login/")
    token = client.cookies["csrftoken"].value
    filled = {"username": user.username, "password": PASSWORD, "csrfmiddlewaretoken": token}
    assert client.post("/login/", filled).status_code == 302
    return token


def send(client, token):
    return client.post("/role/", {"role": "office_staff", "csrfmiddlewaretoken": token})


def test_a_form_of_before_can_be_sent_after_logging_in_again(clock, staff):
    client = Client(enforce_csrf_checks=True)
    strict_log_in(client, staff)
    clock.shift(40 * MINUTE)
    client.get("/people/")
    assert send(client, strict_log_in(client, staff)).status_code == 302


def test_the_token_changes_for_anybody_else(clock, staff):
    client = Client(enforce_csrf_checks=True)
    assert send(client, strict_log_in(client, staff)).status_code == 403  # a stranger's before
    clock.shift(40 * MINUTE)
    client.get("/people/")
    other = make_user(role=Role.OFFICE_STAFF)
    assert send(client, strict_log_in(client, other)).status_code == 403


def test_a_post_of_a_stranger_is_not_kept_and_does_not_lead_to_a_page_that_wants_a_post(db):
    client = Client()
    assert client.post("/exports/1/file/", {"words": TYPED}).url == "/login/"
    assert not Session.objects.exists()


def test_the_second_step_and_a_first_password_come_before_what_was_typed(desk, clock, staff):
    phone = with_phone(staff)
    come_back_too_late(desk, clock, "/people/1/", {"words": TYPED})
    staff.must_change_password = True
    staff.save()
    assert log_in(desk, staff).url == "/two-step/check/"
    assert desk.post("/two-step/check/", {"code": digits(phone)}).url == "/resume/"
    assert desk.get("/resume/").url == "/password/"
    filled = {"old_password": PASSWORD, "new_password": "xin-de-2026"}
    changed = desk.post("/password/", filled | {"new_password_again": "xin-de-2026"})
    assert changed.url == "/resume/"
    assert dict(desk.get("/resume/").context["typed"]["fields"]) == {"words": [TYPED]}


def test_a_form_of_the_desk_that_changes_a_record_is_kept_as_well(desk, clock, staff):
    unit = make_unit(name="旧名字")
    address = reverse("admin:cadres_unit_change", args=[unit.pk])
    come_back_too_late(desk, clock, address, unit_form(name="新名字", _continue="保存并继续"))
    log_in(desk, staff)
    typed = dict(desk.get("/resume/").context["typed"]["fields"])
    assert typed["_continue"] == ["保存并继续"]
    desk.post(address, typed)
    unit.refresh_from_db()
    assert unit.name == "新名字"


def test_kept_sessions_do_not_stay_for_days(desk, clock):
    come_back_too_late(desk, clock, "/people/1/", {"words": TYPED})
    (session,) = Session.objects.all()
    assert session.expire_date - timezone.now() <= 31 * MINUTE


# ---- the warning ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "warned"),
    [(Role.OFFICE_STAFF, True), (Role.LEADER, True), (Role.CONTACT, True), (Role.RETIREE, False)],
)
def test_a_page_carries_the_warning_except_for_retirees(client, role, warned):
    client.force_login(make_user(role=role))
    assert ('data-idle="1800"' in text(client.get("/"))) == warned


def test_the_desk_and_only_signed_in_pages_carry_it(client, staff):
    assert "data-idle" not in text(client.get("/login/"))
    client.force_login(staff)
    assert 'data-idle="1800"' in text(client.get("/admin/"))
