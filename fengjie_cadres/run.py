"""`make run`: prepares the database, then runs web, worker and beat together in one terminal.

PORT and HOST say where the pages are served. Ctrl-C stops what this started and nothing else.
"""

import contextlib
import http.client
import math
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fengjie_cadres import embedded, services
from fengjie_cadres.services import say

CHECKOUT = Path(__file__).resolve().parent.parent
TERMINAL = sys.stderr.isatty()


class Ended(Exception):
    """There is no going on; the text, if any, is for the user."""


# ---- the port ----------------------------------------------------------------------------------


def is_taken(host: str, port: int) -> bool:
    """Whether a server listens there already (gunicorn would wait and retry)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def answers(host: str, port: int) -> bool:
    """Whether /healthz says 200."""
    connection = http.client.HTTPConnection(host, port, timeout=3)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


# ---- processes ---------------------------------------------------------------------------------


def start(words: list[str], **options) -> subprocess.Popen:
    """Starts a Python module in a session of its own, out of reach of the terminal's Ctrl-C."""
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        **options,
    )


def step(words: list[str], signals: services.Signals) -> str:
    """Runs one step of the preparation to its end and returns what it printed."""
    with tempfile.TemporaryFile("w+") as output:
        process = start(words, stdout=output)
        while process.poll() is None:
            if signals.got:
                process.terminate()
            time.sleep(0.02)
        output.seek(0)
        text = output.read()
    if signals.got:
        raise Ended("")
    if process.returncode:
        raise Ended(f"准备工作没有完成，原因见上。{text}")
    return text


def prepare(signals: services.Signals) -> str:
    """Migrates and loads what is missing, one `make run` at a time; returns the list of log-ins."""
    with services.locked("prepare.lock"):
        if signals.got:
            raise Ended("")
        say("正在检查数据库结构和数据……")
        step(["manage.py", "migrate", "--no-input", "--verbosity=0"], signals)
        return step(["-m", "fengjie_cadres.prepare"], signals)


def commands(host: str, port: int) -> dict[str, list[str]]:
    """The arguments for Python of the three processes."""
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    web = f"-m gunicorn --no-control-socket --bind {address} --workers=2 --threads=4"
    # as root Celery advises against root at length, hence -W
    celery = "-W ignore -m celery --quiet -A fengjie_cadres"
    worker = f"worker --concurrency=2 --hostname=port{port}@%h --without-gossip --without-mingle"
    beat = f"beat --schedule={services.home()}/beat-{port} --pidfile="
    return {
        "网页": f"{web} --log-level=warning fengjie_cadres.wsgi".split(),
        "后台任务": f"{celery} {worker} --loglevel=warning".split(),
        "定时任务": f"{celery} {beat} --loglevel=warning".split(),
    }


def stop(processes: list[subprocess.Popen]) -> None:
    """Asks all to end, gives them ten seconds, and leaves nobody of theirs behind."""
    for process in processes:
        process.terminate()
    end = time.monotonic() + 10
    for process in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.1, end - time.monotonic()))
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


# ---- after a kill -9 ---------------------------------------------------------------------------


def note_of(port: int) -> Path:
    """Where the processes of a port are noted: ours first, then those we started."""
    return services.home() / f"run-{port}"


def write_note(port: int, processes: list[subprocess.Popen]) -> None:
    """Notes who runs, so that a later run can tell leftovers from strangers."""
    pids = [os.getpid(), *(process.pid for process in processes)]
    note_of(port).write_text("".join(f"{pid} {embedded.birth(pid)}\n" for pid in pids))


def end_leftovers(port: int) -> None:
    """Ends what an earlier run left behind when it was killed itself and could not do so."""
    try:
        lines = [line.split(" ", 1) for line in note_of(port).read_text().splitlines()]
    except OSError:
        return
    living = [int(pid) for pid, birth in lines if embedded.birth(int(pid)) == birth]
    if lines and int(lines[0][0]) in living:
        return  # that run is still there
    for pid in living:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    embedded.wait_until(lambda: not any(map(embedded.birth, living)), 5)
    note_of(port).unlink()


# ---- make run ----------------------------------------------------------------------------------


def watch(
    processes: dict[str, subprocess.Popen], signals: services.Signals, condition, seconds=math.inf
) -> None:
    """Waits for a condition; ends on a signal or when a process has ended by itself."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Ended(f"网页启动 {seconds} 秒以后 /healthz 仍没有正常应答，已停止。")
        # When an ssh session ends, make alone gets SIGHUP, and waits for us.
        if signals.got or (TERMINAL and not sys.stderr.isatty()):
            raise Ended("")
        for name, process in processes.items():
            if process.poll() is not None:
                raise Ended(f"{name}进程意外结束（返回 {process.returncode}），其余也一起停止。")
        time.sleep(0.1)


def serve(host: str, port: int, logins: str, signals: services.Signals) -> None:
    """Runs the three processes until a signal comes."""
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    processes = {}
    try:
        for name, words in commands(host, port).items():
            processes[name] = start(words)
            write_note(port, list(processes.values()))
            # Web comes first: alone on two cores it answers a second sooner.
            watch(processes, signals, lambda: answers(near, port), seconds=60)
        page = f"http://[{near}]:{port}/" if ":" in near else f"http://{near}:{port}/"
        say(f"\n{logins.rstrip()}\n\n银耀奉节已启动：{page}    （按 Ctrl-C 停止）")
        watch(processes, signals, lambda: False)
    finally:
        say("正在停止……")
        stop(list(processes.values()))
        note_of(port).unlink(missing_ok=True)


def main() -> int:
    """0 after Ctrl-C, 1 when something did not work."""
    host, port = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "8000"
    if not port.isdecimal() or not 0 < int(port) < 65536:
        say(f"PORT 要是 1 到 65535 的数字，不能是“{port}”。")
        return 1
    end_leftovers(int(port))
    if is_taken(host, int(port)):
        say(f"{host} 的端口 {port} 不能用，多半已被占用：请换一个，例如 make run PORT=8001。")
        return 1
    signals = services.Signals()
    try:
        with services.holding():
            serve(host, int(port), prepare(signals), signals)
    except (Ended, services.ServiceError) as error:
        if str(error):
            say(str(error))
        return 0 if signals.got else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
