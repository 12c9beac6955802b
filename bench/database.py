"""Databases of the bench's own, `bench_<pid>_…`: made by the owner, used in the product's role."""

import contextlib
import os
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import psycopg2.extensions
from django.db import connection

from fengjie_cadres import services

CHECKOUT = Path(__file__).resolve().parent.parent
PREFIX = f"bench_{os.getpid()}_"
#: The one that everything is copied from: migrated, with reference data.
EMPTY = PREFIX + "empty"


def url(name: str) -> str:
    """The address of a database on the server that the product uses."""
    parts = urllib.parse.urlsplit(services.addresses()["DATABASE_URL"])
    return parts._replace(path="/" + name).geturl()


SERVER = url("postgres")


@contextlib.contextmanager
def as_owner(name: str = "") -> Iterator:
    """A cursor of the database's owner, every statement committed at once."""
    owner = psycopg2.connect(url(name) if name else SERVER, options="-c pgtrigger.ignore={}")
    owner.autocommit = True
    try:
        with owner.cursor() as cursor:
            yield cursor
    finally:
        owner.close()


def make(name: str, template: str) -> None:
    """A fresh copy of a template, in place of what bears the name."""
    drop(name)
    with as_owner() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')


def drop(name: str) -> None:
    with as_owner() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def drop_all() -> None:
    """Ours, and those of a bench that was killed."""
    with as_owner() as cursor:
        cursor.execute(r"SELECT datname FROM pg_database WHERE datname LIKE 'bench\_%\_%'")
        found = [name for (name,) in cursor.fetchall()]
    for name in found:
        owner = name.split("_")[1]
        if name.startswith(PREFIX) or not Path("/proc", owner).exists():
            drop(name)


def make_empty() -> None:
    """Migrated by the owner, filled with the county's reference data in the product's role."""
    make(EMPTY, "template1")
    environment = os.environ | {"DATABASE_URL": url(EMPTY)}
    for command in ("migrate", "load_reference"):
        subprocess.run(
            [sys.executable, "manage.py", command],
            cwd=CHECKOUT,
            env=environment,
            stdout=subprocess.DEVNULL,
            check=True,
        )


# ---- Django's connection -----------------------------------------------------------------------


class CountingCursor(psycopg2.extensions.cursor):
    """Counts what goes to the server; COPY, which Django's own log leaves out, as well."""

    sent = 0

    def execute(self, *args):
        CountingCursor.sent += 1
        return super().execute(*args)

    def copy_expert(self, *args, **kwargs):
        CountingCursor.sent += 1
        return super().copy_expert(*args, **kwargs)


def sent() -> int:
    """How many statements have gone to the server so far, `BEGIN` and `COMMIT` not counted."""
    return CountingCursor.sent


def use(name: str) -> None:
    """Django's connection leads to this database from now on, and counts."""
    connection.close()
    connection.settings_dict["NAME"] = name
    connection.settings_dict["OPTIONS"]["cursor_factory"] = CountingCursor
