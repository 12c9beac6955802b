"""The optional second step of the office's log-in: on, asked for, off, lost phone."""

import time

import pytest
import time_machine
from django.urls import reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from cadres import two_step
from cadres.roles import Role
from cadres.tests.make import PASSWORD, make_user

pytestmark = pytest.mark.django_db


def with_phone(user) -> TOTPDevice:
    return TOTPDevice.objects.create(user=user, name="手机", confirmed=True)


def digits(device: TOTPDevice, later: int = 0) -> str:
    """What the phone shows now, or so many seconds later."""
    totp = TOTP(device.bin_key)
    totp.time = time.time() + later
    return f"{totp.token():06d}"


@pytest.fixture
def staff():
    return make_user(role=Role.OFFICE_STAFF, username="wang", phone="13800001111")


@pytest.fixture
def phone(staff):
    return with_phone(staff)


def password_step(client, address="/login/"):
    return client.post(address, {"username": "wang", "password": PASSWORD})


def code_step(client, code):
    return client.post("/two-step/check/", {"code": code})


# ---- at the log-in -------------------------------------------------------------------------------


def test_without_a_phone_the_password_is_enough(client, staff):
    assert password_step(client).url == "/"
    assert client.get("/").status_code == 200


def test_with_a_phone_nobody_is_signed_in_before_the_digits(client, staff, phone):
    assert password_step(client, "/login/?next=/people/").url == "/two-step/check/"
    for address in ("/", "/people/", "/admin/", "/two-step/"):
        assert "/login/" in client.get(address).url
    assert code_step(client, digits(phone)).url == "/people/"
    assert client.get("/people/").status_code == 200


def test_the_digits_alone_open_nothing(client, phone):
    assert client.get("/two-step/check/").url == "/login/"
    assert code_step(client, digits(phone)).url == "/login/"


def test_digits_as_people_type_them(client, staff, phone):
    password_step(client)
    shown = digits(phone)
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in shown)
    assert code_step(client, f" {wide[:3]} {wide[3:]} ").url == "/"


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "٢٢٢٢٢٢", "1" * 30, "\0"])
def test_what_is_no_six_digits_is_a_sentence_and_no_try(client, staff, phone, typed):
    password_step(client)
    for _ in range(6):
        response = code_step(client, typed)
        assert response.status_code == 200
        assert "errors" in response.content.decode()
    assert code_step(client, digits(phone)).status_code == 302


def test_the_same_digits_open_only_once(client, staff, phone):
    password_step(client)
    shown = digits(phone)
    code_step(client, shown)
    client.logout()
    password_step(client)
    assert code_step(client, shown).status_code == 200


def test_five_wrong_digits_close_the_account_and_a_right_password_does_not_open_it(
    client, staff, phone
):
    with time_machine.travel("2026-03-01 09:00Z", tick=False) as clock:
        for wait in (2, 3, 5, 9):
            password_step(client)
            assert code_step(client, "000000").status_code == 200
            clock.shift(wait)
        assert code_step(client, "000000").status_code == 429
        clock.shift(20)
        assert code_step(client, digits(phone)).status_code == 429
        assert password_step(client).status_code == 429
        clock.shift(16 * 60)
        assert password_step(client).url == "/two-step/check/"
        assert code_step(client, digits(phone)).url == "/"


def test_the_digits_have_to_follow_within_minutes_and_with_the_same_password(client, staff, phone):
    with time_machine.travel("2026-03-01 09:00Z", tick=False) as clock:
        password_step(client)
        clock.shift(301)
        assert code_step(client, digits(phone)).url == "/login/"
        password_step(client)
        staff.set_password("xin-de-2026")
        staff.save()
        assert code_step(client, digits(phone)).url == "/login/"


# ---- on and off ----------------------------------------------------------------------------------


def act(client, name, **filled):
    return client.post("/two-step/", {"act": name, **filled})


def test_switching_on_asks_for_the_password_and_for_a_proof(client, staff):
    client.force_login(staff)
    assert "密码不对" in act(client, "begin", password="wrong").content.decode()
    assert not TOTPDevice.objects.exists()
    act(client, "begin", password=PASSWORD)
    device = TOTPDevice.objects.get()
    page = client.get("/two-step/").content.decode()
    assert "<svg" in page
    assert "style=" not in page
    assert two_step.secret_words(device) in page
    assert "不对" in act(client, "switch-on", code="000000").content.decode()
    assert two_step.device_of(staff) is None
    with time_machine.travel(time.time() + 5):
        assert act(client, "switch-on", code=digits(device)).status_code == 302
    assert two_step.device_of(staff) == device
    assert two_step.secret_words(device) not in client.get("/two-step/").content.decode()


def test_looking_at_the_page_makes_no_secret(client, staff):
    client.force_login(staff)
    client.get("/two-step/")
    assert not TOTPDevice.objects.exists()


def test_a_secret_that_was_not_proved_in_time_is_shown_no_more(client, staff):
    client.force_login(staff)
    act(client, "begin", password=PASSWORD)
    device = TOTPDevice.objects.get()
    with time_machine.travel(time.time() + 16 * 60):
        assert two_step.secret_words(device) not in client.get("/two-step/").content.decode()
        act(client, "switch-on", code=digits(device))
    assert two_step.device_of(staff) is None


def test_a_second_beginning_leaves_the_phone_alone(client, staff, phone):
    client.force_login(staff)
    assert act(client, "begin", password=PASSWORD).status_code == 302
    assert two_step.device_of(staff) == phone


@pytest.mark.parametrize("missing", ["password", "code"])
def test_switching_off_asks_for_both(client, staff, phone, missing):
    client.force_login(staff)
    filled = {"password": PASSWORD, "code": digits(phone)}
    assert act(client, "switch-off", **filled | {missing: "000000"}).status_code == 200
    assert two_step.device_of(staff) == phone
    with time_machine.travel(time.time() + 60):
        act(client, "switch-off", **filled | {"code": digits(phone)})
    assert two_step.device_of(staff) is None


def test_digits_cannot_be_guessed_on_the_page_either(client, staff, phone):
    """A right password in between does not begin the count anew."""
    client.force_login(staff)
    with time_machine.travel("2026-03-01 09:00Z", tick=False) as clock:
        for _ in range(5):
            act(client, "switch-off", password=PASSWORD, code="000000")
            clock.shift(40)
        filled = {"password": PASSWORD, "code": digits(phone)}
        assert "太多次" in act(client, "switch-off", **filled).content.decode()
    assert two_step.device_of(staff) == phone


@pytest.mark.parametrize("role", [Role.LEADER, Role.RETIREE, Role.CONTACT, Role.AUDITOR])
def test_the_page_is_for_the_office(client, role):
    client.force_login(make_user(role=role))
    assert client.get("/two-step/").status_code == 403
    assert act(client, "begin", password=PASSWORD).status_code == 403


def test_an_unknown_act_does_nothing(client, staff):
    client.force_login(staff)
    assert act(client, "explode").status_code == 200
    assert client.post("/two-step/").status_code == 200


# ---- a lost phone --------------------------------------------------------------------------------


def off_page(user) -> str:
    return reverse("admin:cadres_user_two_step_off", args=[user.pk])


def test_the_head_switches_it_off_for_somebody_and_the_history_says_so(client, staff, phone):
    head = make_user(role=Role.OFFICE_HEAD, name="李局长")
    client.force_login(head)
    page = client.get(reverse("admin:cadres_user_change", args=[staff.pk])).content.decode()
    assert off_page(staff) in page
    assert client.get(off_page(staff)).status_code == 200
    assert client.post(off_page(staff), {"password": "wrong"}).status_code == 200
    assert two_step.device_of(staff) == phone
    assert client.post(off_page(staff), {"password": PASSWORD}).status_code == 302
    assert two_step.device_of(staff) is None
    history = client.get(reverse("admin:cadres_user_history", args=[staff.pk])).content.decode()
    assert "关闭两步验证" in history
    assert "李局长" in history


def test_nobody_but_the_head_switches_it_off(client, staff, phone):
    for other in (make_user(role=Role.OFFICE_STAFF), staff):
        client.force_login(other)
        assert client.post(off_page(staff), {"password": PASSWORD}).status_code == 403
    assert two_step.device_of(staff) == phone


def test_the_head_needs_his_own_digits_for_himself(client):
    head = make_user(role=Role.OFFICE_HEAD)
    device = with_phone(head)
    client.force_login(head)
    assert client.post(off_page(head), {"password": PASSWORD}).url == "/two-step/"
    assert two_step.device_of(head) == device


def test_an_account_that_is_not_there_is_not_found(client):
    client.force_login(make_user(role=Role.OFFICE_HEAD))
    assert client.get("/admin/cadres/user/0/two-step-off/").status_code == 404


def test_secrets_have_no_page_at_the_desk(client):
    client.force_login(make_user(is_superuser=True, is_staff=True))
    assert client.get("/admin/otp_totp/totpdevice/").status_code == 404
    assert "TOTP" not in client.get("/admin/").content.decode()
