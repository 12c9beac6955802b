"""What every test stands on: a database made by its owner and used in the run-time role, with
the reference data in it; private files in a passing folder; a real Celery worker on request."""

import contextlib
import hashlib
import os
import subprocess
import sys
from urllib.parse import urlsplit

import hypothesis
import psycopg2
import pytest
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase, override_settings

from cadres.tests.worker import Worker, purge
from fengjie_cadres import reference

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
        WHITENOISE_AUTOREFRESH=True,  # else each client reads the folder of static files
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


def without_guards():
    """The block's statements run as the owner with every trigger and foreign key silent: what only
    somebody with the database's own password could do, to show that it would be found."""
    return as_owner(options="-c session_replication_role=replica")


def _template() -> str:
    """The name of a migrated database to copy from, made when the code of the schema is new."""
    root = settings.BASE_DIR
    code = [*root.glob("*/migrations/*.py"), *root.glob("*/sql/*.sql"), *root.glob("*/models/*.py")]
    code += [root / "requirements.txt", root / "cadres" / "jobs.py"]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(code))).hexdigest()
    name, address = f"test_template_{digest[:12]}", urlsplit(settings.DATABASE_URL)
    owner = psycopg2.connect(address._replace(path="/postgres").geturl())
    owner.autocommit = True
    with contextlib.closing(owner), owner.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(20181881)")  # the other process makes it, or we
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE 'test\\_template\\_%'")
        found = [row[0] for row in cursor.fetchall()]
        if name in found:
            return name
        for old in found:
            cursor.execute(f'DROP DATABASE "{old}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}_"')
        made = {"DATABASE_URL": address._replace(path=f"/{name}_").geturl(), "DATABASE_ROLE": ""}
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(migrate, cwd=root, env=os.environ | made, check=True)
        cursor.execute(f'ALTER DATABASE "{name}_" RENAME TO "{name}"')
    return name


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings):
    """The database is copied, and in the end dropped, by its owner."""
    connection.settings_dict["TEST"]["TEMPLATE"] = _template()
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

    The guards refuse it, also to the owner; this is the only place that lifts them. Deleting from
    the few filled tables takes a tenth of the time of truncating all.
    """
    with without_guards():
        _end_other_sessions()
        with connection.cursor() as cursor:
            tables = set(connection.introspection.table_names(cursor)) - {*CODE_TABLES}
            filled = "SELECT '{0}' WHERE EXISTS (SELECT FROM {0})"
            cursor.execute(" UNION ALL ".join(map(filled.format, sorted(tables))))
            emptied = "; ".join(f"DELETE FROM {table}" for (table,) in cursor.fetchall())
            cursor.execute(emptied or "SELECT")
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
