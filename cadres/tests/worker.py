"""A real Celery worker process for tests (fixtures `worker` and `make_worker` of conftest.py)."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from celery import current_app
from django.conf import settings
from django.db import connection

from cadres.models import Heartbeat


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
                cwd=settings.BASE_DIR,
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
