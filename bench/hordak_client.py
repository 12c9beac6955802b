"""Run by the peer's own Python (see hordak.py): `hordak_client.py DATABASE_URL make|transfer …`."""

import itertools
import json
import multiprocessing
import sys
import time
import urllib.parse

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext


def set_up(url: str) -> None:
    parts = urllib.parse.urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    host, _, port = host.partition(":")
    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "mptt", "hordak"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": parts.path[1:],
                "USER": name,
                "PASSWORD": password,
                "HOST": urllib.parse.unquote(host),
                "PORT": port,
            }
        },
        USE_TZ=True,
        CURRENCIES=["EUR"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()


def make(count: int) -> None:
    """One account that gives, and so many that are given."""
    call_command("migrate", verbosity=0)
    Account.objects.create(name="issued", code="i", type="IN", currencies=["EUR"])
    for number in range(count):
        Account.objects.create(name="member", code=str(number), type="LI", currencies=["EUR"])


def transfer(clients: int, count: int) -> None:
    given = Account.objects.get(name="issued")
    members = list(Account.objects.filter(name="member").order_by("pk"))
    with CaptureQueriesContext(connection) as sent:
        _one(given, members[0])
    before = Transaction.objects.count()
    connection.close()
    gate = multiprocessing.Barrier(clients + 1)
    started = [
        multiprocessing.Process(
            target=_client, args=(given, members[n::clients], count // clients, gate)
        )
        for n in range(clients)
    ]
    for process in started:
        process.start()
    gate.wait(120)
    began = time.perf_counter()
    gate.wait(600)
    seconds = time.perf_counter() - began
    for process in started:
        process.join()
    assert Transaction.objects.count() - before == count
    said = [q for q in sent.captured_queries if q["sql"].split()[0] not in ("BEGIN", "COMMIT")]
    print(json.dumps({"seconds": seconds, "queries": len(said)}))


def _client(given, members: list, count: int, gate) -> None:
    try:
        connection.ensure_connection()
        gate.wait(120)
        for member in itertools.islice(itertools.cycle(members), count):
            _one(given, member)
        gate.wait(600)
    except BaseException:
        gate.abort()
        raise
    finally:
        connection.close()


def _one(given, member) -> None:
    with transaction.atomic():
        given.transfer_to(member, Money(2, "EUR"))


if __name__ == "__main__":
    set_up(sys.argv[1])
    from hordak.models import Account, Transaction
    from moneyed import Money

    {"make": make, "transfer": transfer}[sys.argv[2]](*map(int, sys.argv[3:]))
