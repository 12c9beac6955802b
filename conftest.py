"""What every test stands on: a database made by its owner and used in the run-time role, with
the reference data in it; private files in a passing folder; a real Celery worker on request."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import hypothesis
import pytest
from celery import current_app
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase, override_settings

from cadres.models import Heartbeat
from fengjie_cadres import reference

ROOT = Path(__file__).parent
#: Kept by a flush: they are what the migrations made of the code.
CODE_TABLES = ("django_migrations", "django_content_type", "auth_permission")

hypothesis.settings.register_profile("here", deadline=None, derandomize=True)
hypothesis.settings.load_profile("here")


# ---- settings ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def queue(request) -> str:
    """The Celery queue of this process: nobody else's worker takes its jobs."""
    name = getattr(request.config, "workerinput", {}).get("workerid", "main")
    return f"test-{name}-{os.getpid()}"


@pytest.fixture(scope="session", autouse=True)
def test_settings(tmp_path_factory, queue):
    """Files in a passing folder, quick passwords, plain static files, a queue of our own."""
    private = tmp_path_factory.mktemp("private")
    storages = {
        "default": {**settings.STORAGES["default"], "OPTIONS": {"location": private}},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    with override_settings(
        PRIVATE_ROOT=private,
        STORAGES=storages,
        QUEUE=queue,
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        SECURE_SSL_REDIRECT=False,
        SESSION_COOKIE_SECURE=False,
        CSRF_COOKIE_SECURE=False,
    ):
        yield


# ---- the database: owner and run-time role -----------------------------------------------------


def _connect_with(options: dict) -> dict:
    """This thread's connection from now on; other threads keep theirs."""
    before = connection.settings_dict
    connection.close()
    connection.settings_dict = {**before, "OPTIONS": options}
    return before


def _without_role() -> dict:
    options = settings.DATABASES["default"]["OPTIONS"]
    return {key: value for key, value in options.items() if key != "assume_role"}


@contextlib.contextmanager
def as_owner(**options):
    """The block's statements run as the owner of the database, outside of any transaction."""
    before = _connect_with(_without_role() | options)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = before


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings):
    """The database is made, and in the end dropped, by its owner."""
    settings.DATABASES["default"]["OPTIONS"]["assume_role"] = "cadres_app"
    before = _connect_with(_without_role())
    yield
    connection.settings_dict = before


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_modify_db_settings, django_db_blocker):
    """All tests, and the threads they start, run in the role cadres_app."""
    owner = connection.settings_dict
    with django_db_blocker.unblock():
        connection.close()
        connection.settings_dict = settings.DATABASES["default"]
        reference.load()
    original = TransactionTestCase._fixture_teardown
    TransactionTestCase._fixture_teardown = _flush
    yield
    TransactionTestCase._fixture_teardown = original
    with django_db_blocker.unblock():
        connection.close()
        connection.settings_dict = owner
        _end_other_sessions()


def _flush(test_case) -> None:
    """Empties the database after a transactional test and loads the reference data again.

    The guards refuse TRUNCATE, also to the owner; this is the only place that lifts them.
    """
    with as_owner(options="-c session_replication_role=replica"):
        _end_other_sessions()
        with connection.cursor() as cursor:
            tables = set(connection.introspection.table_names(cursor)) - {*CODE_TABLES}
            cursor.execute(f"TRUNCATE {', '.join(sorted(tables))}")
    reference.load()
    connection.close()


def _end_other_sessions() -> None:
    """A thread or process that a test left behind may hold locks."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


# ---- a real worker -----------------------------------------------------------------------------


class Worker:
    """A Celery worker process of its own that works on this process's queue and database."""

    def __init__(self, queue: str, log: Path, **environment: str):
        self.queue = queue
        self.log = log
        address = urlsplit(settings.DATABASE_URL)._replace(
            path="/" + connection.settings_dict["NAME"]
        )
        self.environment = {
            **os.environ,
            "DATABASE_URL": address.geturl(),
            "REDIS_URL": settings.REDIS_URL,
            "DATABASE_ROLE": "cadres_app",
            "CELERY_QUEUE": queue,
            "PRIVATE_ROOT": str(settings.PRIVATE_ROOT),
            "SECRET_KEY": settings.SECRET_KEY,
            "DIGEST_KEY": settings.DIGEST_KEY,
            **environment,
        }
        self.process: subprocess.Popen | None = None

    def start(self) -> "Worker":
        """Starts the process and waits until it has reported."""
        Heartbeat.objects.all().delete()
        words = "-m celery -A fengjie_cadres worker -P solo -l info --without-gossip"
        words += f" --without-mingle --without-heartbeat -Q {self.queue} -n {self.queue}"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *words.split()],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        wait_until(lambda: Heartbeat.objects.exists() or self.has_ended, 40)
        assert not self.has_ended, self.log.read_text()
        return self

    @property
    def has_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def pause(self) -> None:
        if not self.has_ended:
            self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Starts or continues; what others left in the queue is thrown away."""
        purge(self.queue)
        if self.has_ended:
            self.start()
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        if not self.has_ended:
            self.process.kill()
        if self.process:
            self.process.wait(10)


def wait_until(condition, seconds: float = 20) -> bool:
    """Whether the condition has come true within that time."""
    end = time.monotonic() + seconds
    while not (done := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return bool(done)


def purge(queue: str) -> int:
    """Loses the messages that wait in the queue; how many."""
    with current_app.connection_for_write() as broker:
        return broker.default_channel.queue_purge(queue)


@pytest.fixture(scope="session")
def _worker(queue, tmp_path_factory, django_db_setup):
    process = Worker(queue, tmp_path_factory.mktemp("worker") / "log")
    yield process
    process.kill()
    purge(queue)


@pytest.fixture
def worker(_worker, transactional_db):
    """A worker that takes up the jobs of this test; it sleeps between the tests that want it."""
    _worker.resume()
    yield _worker
    _worker.pause()


@pytest.fixture
def make_worker(queue, tmp_path, transactional_db):
    """`make_worker()` starts another worker, to be killed: `kill()`."""
    started = []

    def made(**environment: str) -> Worker:
        started.append(Worker(queue, tmp_path / f"worker-{len(started)}.log", **environment))
        return started[-1].start()

    purge(queue)
    yield made
    for process in started:
        process.kill()
