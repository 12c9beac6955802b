"""Fifty real HTTP clients at the last bag of rice, and two tills at one balance."""

import datetime
import http.client
import re
import threading
import uuid
from urllib.parse import urlencode, urlsplit

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from cadres.roles import Role
from cadres.tests.make import make_user
from conftest import without_guards
from points import redemption
from points.audit import audit
from points.models import DayStock, Redemption
from points.tests.make import balance, make_cycle, make_day, make_rich, make_stock

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
CROWD = 50


@pytest.fixture
def day():
    """Today's, until midnight: it can be reserved, and its till is open."""
    return make_day(timezone.localdate(), cycle=make_cycle(), closes_at=datetime.time.max)


@pytest.fixture
def rice(day):
    return make_stock(day, "大米", 50, brought=1)


def cookies(user) -> str:
    """Of somebody who has logged in, with a token for the forms."""
    client = Client()
    client.force_login(user)
    token = "a" * 32
    return f"{settings.SESSION_COOKIE_NAME}={client.session.session_key}; csrftoken={token}"


def at_once(server, requests: list[tuple[str, str, dict]]) -> list[tuple[int, str, str]]:
    """(cookies, path, form) each from a client of its own; (status, body, where to)."""
    host = urlsplit(server.url).netloc
    gate, answers = threading.Barrier(len(requests)), [None] * len(requests)

    def send(place: int, cookie: str, path: str, form: dict) -> None:
        client = http.client.HTTPConnection(host, timeout=120)
        client.connect()
        gate.wait(60)
        body = urlencode({**form, "csrfmiddlewaretoken": "a" * 32})
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        client.request("POST", path, body, headers)
        response = client.getresponse()
        answers[place] = (
            response.status, response.read().decode(), response.headers.get("Location", "")
        )  # fmt: skip
        client.close()

    threads = [
        threading.Thread(target=send, args=(place, *request))
        for place, request in enumerate(requests)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return answers


def crowd(day, rice, size: int = CROWD) -> tuple[list, list]:
    """People who have all come as far as the last confirmation."""
    people = [make_rich(100) for _ in range(size)]
    requests = [
        (
            cookies(make_user(role=Role.RETIREE, retiree=person)),
            f"/points/people/{person.pk}/reserve/",
            {"day": day.pk, "key": uuid.uuid4(), f"s{rice.pk}": 1},
        )
        for person in people
    ]
    return people, requests


def test_fifty_at_the_last_bag_one_gets_it_and_49_read_so(live_server, day, rice):
    people, requests = crowd(day, rice)
    answers = at_once(live_server, requests)
    statuses = sorted(status for status, _, _ in answers)
    assert statuses == [200] * (CROWD - 1) + [302]
    told = [re.search("大米已兑完", body) for status, body, _ in answers if status == 200]
    assert all(told)
    assert sorted(map(balance, people)) == [50] + [100] * (CROWD - 1)
    assert (Redemption.objects.count(), DayStock.objects.get().left) == (1, 0)
    assert audit().is_clean


def test_without_lock_and_count_several_get_the_bag(live_server, day, rice, monkeypatch):
    """The negative control: the same crowd, the guards taken away."""
    monkeypatch.setattr(redemption, "locked", lambda day: day)
    monkeypatch.setattr(DayStock, "left", 1)  # as everybody has read it
    with without_guards(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE points_redemptionline DISABLE TRIGGER line_takes")
    try:
        _, requests = crowd(day, rice, 10)
        answers = at_once(live_server, requests)
        assert sum(status == 302 for status, _, _ in answers) > 1
        assert "stock" in {finding["code"] for finding in audit().findings}
    finally:
        with without_guards(), connection.cursor() as cursor:
            cursor.execute("ALTER TABLE points_redemptionline ENABLE TRIGGER line_takes")


def test_the_same_form_from_twenty_tabs_is_one_reservation(live_server, day):
    soap = make_stock(day, "肥皂", 10, brought=99)
    person = make_rich(100)
    cookie = cookies(make_user(role=Role.RETIREE, retiree=person))
    form = {"day": day.pk, "key": uuid.uuid4(), f"s{soap.pk}": 1}
    path = f"/points/people/{person.pk}/reserve/"
    answers = at_once(live_server, [(cookie, path, form)] * 20)
    assert {(status, where) for status, _, where in answers} == {(302, path)}
    assert (Redemption.objects.count(), balance(person)) == (1, 90)


def test_two_tills_spend_the_same_points_once(live_server, day):
    soap = make_stock(day, "肥皂", 80, brought=9)
    person = make_rich(100)
    path = f"/points/days/{day.pk}/till/"
    requests = [
        (
            cookies(make_user(role=Role.OFFICE_STAFF)),
            path,
            {"person": person.pk, "key": uuid.uuid4(), f"s{soap.pk}": 1},
        )
        for _ in range(8)
    ]
    answers = at_once(live_server, requests)
    assert sorted(status for status, _, _ in answers) == [200] * 7 + [302]
    assert all("积分不够，现有 20 分" in body for status, body, _ in answers if status == 200)
    assert balance(person) == 20
    assert audit().is_clean
