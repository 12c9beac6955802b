"""The health pages tell machines enough and strangers nothing."""

import datetime
import logging
import sys

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.utils import timezone

from cadres import jobs
from cadres.models import Heartbeat
from cadres.tests.make import make_user
from fengjie_cadres import views
from fengjie_cadres.logs import ImpersonalFormatter


@pytest.mark.django_db
def test_ready_with_database_broker_and_worker(client):
    jobs.beat("worker")
    assert (client.get("/readyz").status_code, client.get("/readyz").content) == (200, b"ready")


@pytest.mark.django_db
def test_not_ready_when_the_worker_has_stopped(client):
    jobs.beat("worker")
    Heartbeat.objects.update(beat_at=timezone.now() - datetime.timedelta(minutes=5))
    response = client.get("/readyz")
    assert (response.status_code, response.content) == (503, b"not ready")


@pytest.mark.django_db
def test_not_ready_without_the_broker(client, settings, tmp_path):
    jobs.beat("worker")
    settings.REDIS_URL = f"redis+socket://{tmp_path}/nobody.sock"
    assert client.get("/readyz").status_code == 503


def test_alive_without_asking_the_database(client):
    assert client.get("/healthz").content == b"ok"


@pytest.mark.django_db
def test_a_database_that_is_away_gives_one_friendly_page(client, monkeypatch):
    client.raise_request_exception = False

    def away(*args, **kwargs):
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(views, "shown_role", away)
    monkeypatch.setattr(views.connection, "close", lambda: None)
    client.force_login(make_user())
    response = client.get("/")
    assert response.status_code == 503
    assert "系统正在重新启动" in response.content.decode()


@pytest.mark.django_db
def test_a_log_never_quotes_the_row_that_the_database_refused():
    number = "".join(["5122261943", "06209988"])
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s::date", [number])
    except DatabaseError:
        record = logging.LogRecord("x", logging.ERROR, "", 1, "failed", (), sys.exc_info())
    assert number in logging.Formatter().format(record)
    record.exc_text = None
    assert number not in ImpersonalFormatter().format(record)
    assert "test_health.py" in ImpersonalFormatter().format(record)
