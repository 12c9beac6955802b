"""Too many wrong passwords: what closes, for whom, for how long, and what nobody learns from it."""

import datetime
import statistics
import time

import pytest
import time_machine
from axes.models import AccessAttempt
from django.test import Client, RequestFactory, override_settings

from cadres.roles import Role
from cadres.tests.make import make_user
from cadres.throttle import client_address

pytestmark = pytest.mark.django_db
PASSWORD = "sheng-huo-2025"
PHONE = "13800001111"
MINUTE = datetime.timedelta(minutes=1)


@pytest.fixture
def staff(db):
    return make_user(role=Role.OFFICE_STAFF, username="wang", phone=PHONE, password=PASSWORD)


def log_in(client, username="wang", password=PASSWORD, **headers):
    return client.post("/login/", {"username": username, "password": password}, **headers)


def fail(client, times, username="wang", **headers) -> int:
    return [log_in(client, username, "wrong", **headers).status_code for _ in range(times)][-1]


def text(response) -> str:
    """What the page says, without what differs between any two of them."""
    lines = response.content.decode().splitlines()
    return "\n".join(line for line in lines if "csrfmiddlewaretoken" not in line)


def spray(client, times, start=0, **headers) -> list[int]:
    """One wrong password for each of many names."""
    return [fail(client, 1, f"nobody{start + n}", **headers) for n in range(times)]


# ---- a name --------------------------------------------------------------------------------------


def test_a_closed_name_opens_after_a_quarter_of_an_hour_even_when_it_is_tried_meanwhile(
    client, staff
):
    with time_machine.travel("2026-03-01 09:00Z", tick=False) as clock:
        fail(client, 5)
        clock.shift(10 * MINUTE)
        assert fail(client, 3) == 429
        clock.shift(6 * MINUTE)
        assert log_in(client).status_code == 302


def test_failures_by_phone_and_by_name_are_those_of_one_account(client, staff):
    fail(client, 3)
    fail(client, 2, PHONE)
    assert log_in(client).status_code == 200
    assert log_in(client, PHONE).status_code == 200


def test_four_failures_by_phone_and_name_together_close_nothing(client, staff):
    fail(client, 2)
    fail(client, 2, PHONE)
    assert log_in(client).status_code == 302


def test_a_closed_name_does_not_tell_whose_phone_it_is(client, staff):
    fail(client, 5)
    own, foreign = log_in(client, PHONE, "wrong"), log_in(client, "13900002222", "wrong")
    assert own.status_code == foreign.status_code == 200
    assert text(own).replace(PHONE, "x") == text(foreign).replace("13900002222", "x")
    assert fail(client, 4, PHONE) == fail(client, 4, "13900002222") == 429


def test_a_closed_name_looks_like_a_closed_name_that_nobody_has(client, staff):
    fail(client, 5)
    fail(client, 5, "nobody")
    right, unknown = log_in(client), log_in(client, "nobody")
    assert right.status_code == unknown.status_code == 429
    assert text(right) == text(unknown)
    script = log_in(client, headers={"x-requested-with": "XMLHttpRequest"})
    assert text(script) == text(unknown)
    assert "Access-Control-Allow-Origin" not in script.headers


def test_nothing_that_was_typed_stands_in_the_bookkeeping(client, staff):
    fail(client, 2, PHONE)
    log_in(client, "my-secret-password", "wrong")
    kept = str(list(AccessAttempt.objects.values()))
    for typed in (PHONE, "my-secret-password", "wrong", "wang"):
        assert typed not in kept


def test_a_new_password_from_the_office_opens_the_name_again(client, staff):
    leader = make_user(role=Role.LEADER, username="zhang")
    fail(client, 5, "zhang")
    client.force_login(staff)
    filled = {"password1": "xin-de-2026", "password2": "xin-de-2026", "set-password": "1"}
    assert client.post(f"/admin/cadres/user/{leader.pk}/password/", filled).status_code == 302
    client.logout()
    assert log_in(client, "zhang", "xin-de-2026").status_code == 302


# ---- an address ----------------------------------------------------------------------------------


def test_fifty_failures_close_an_address_for_all_names_and_for_a_quarter_of_an_hour(client, staff):
    with time_machine.travel("2026-03-01 09:00Z", tick=False) as clock:
        assert set(spray(client, 49)) == {200}
        assert fail(client, 1, "nobody49") == 429
        closed = log_in(client)
        assert closed.status_code == 429
        assert log_in(Client(), REMOTE_ADDR="203.0.113.9").status_code == 302  # another address
        clock.shift(14 * MINUTE)
        assert log_in(client).status_code == 429
        clock.shift(2 * MINUTE)
        assert log_in(client).status_code == 302


def test_forty_nine_failures_leave_an_address_open(client, staff):
    spray(client, 49)
    assert log_in(client).status_code == 302


def test_a_closed_address_answers_like_a_closed_name(client, staff):
    fail(client, 5, REMOTE_ADDR="203.0.113.9")
    spray(client, 50)
    assert text(log_in(client, "li")) == text(log_in(client, REMOTE_ADDR="203.0.113.9"))


def test_fifty_failures_over_an_hour_close_nothing(client, staff):
    with time_machine.travel("2026-03-01 09:00Z", tick=False) as clock:
        for round_ in range(5):
            assert set(spray(client, 10, start=10 * round_)) == {200}
            clock.shift(16 * MINUTE)
        assert log_in(client).status_code == 302


def test_logging_in_by_a_name_of_ones_own_does_not_clear_the_address(client, staff):
    spray(client, 30)
    log_in(client)
    client.logout()
    assert 429 in spray(client, 20, start=30)


# ---- whose address -------------------------------------------------------------------------------


def address(remote: str, forwarded: str | None = None) -> str:
    headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded is not None else {}
    return client_address(RequestFactory().get("/", REMOTE_ADDR=remote, **headers))


@pytest.mark.parametrize(
    ("remote", "forwarded", "counted"),
    [
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),  # nginx of ours: what it says
        ("::1", "203.0.113.9", "203.0.113.9"),
        ("", "203.0.113.9", "203.0.113.9"),  # a Unix socket
        ("127.0.0.1", "8.8.8.8, 203.0.113.9", "203.0.113.9"),  # the left is the client's own
        ("127.0.0.1", "203.0.113.9, 127.0.0.1", "203.0.113.9"),
        ("203.0.113.9", "8.8.8.8", "203.0.113.9"),  # straight from outside: not believed
        ("203.0.113.9", None, "203.0.113.9"),
        ("127.0.0.1", "not an address", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("127.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
        ("nonsense", None, "0.0.0.0"),
    ],
)
def test_the_address_is_the_nearest_that_is_no_proxy_of_ours(remote, forwarded, counted):
    assert address(remote, forwarded) == counted


def test_a_forged_header_does_not_escape_the_throttle(client, staff):
    for n in range(50):
        forged = f"10.0.{n}.1, 203.0.113.9"
        log_in(client, f"nobody{n}", "wrong", HTTP_X_FORWARDED_FOR=forged)
    assert log_in(client, HTTP_X_FORWARDED_FOR="10.9.9.9, 203.0.113.9").status_code == 429
    assert log_in(client, HTTP_X_FORWARDED_FOR="203.0.113.10").status_code == 302


# ---- the same answer in the same time ------------------------------------------------------------


@pytest.mark.slow
def test_unknown_wrong_disabled_and_closed_take_the_same_time(client, staff):
    """Medians of a real, slow hash; an unknown user answered at once would take a tenth."""
    hashers = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    with override_settings(PASSWORD_HASHERS=hashers):
        make_user(username="li", password=PASSWORD)
        make_user(username="off", password=PASSWORD, is_active=False)
        times = {
            kind: _median(client, *tried)
            for kind, tried in {
                "wrong": ("li", "wrong"),
                "unknown": ("nobody", "wrong"),
                "disabled": ("off", PASSWORD),
            }.items()
        }
    assert max(times.values()) < 2 * min(times.values()), times
    with override_settings(PASSWORD_HASHERS=hashers):
        started = time.perf_counter()
        client.get("/login/")
        assert time.perf_counter() - started < min(times.values())  # the hash is what takes time


def _median(client, username, password) -> float:
    taken = []
    for _ in range(4):
        started = time.perf_counter()
        assert log_in(client, username, password).status_code == 200
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)
