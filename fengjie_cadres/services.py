"""The servers of `make run` and `make test`: where they are and who needs them.

    python -m fengjie_cadres.services up | down | env | hold -- COMMAND…

Everything lies in one folder, home(): the data, the sockets, the secret key. Processes that
need the servers hold them; the last one to let go stops them. Importing this starts nothing.
"""

import contextlib
import fcntl
import hashlib
import os
import secrets
import signal
import stat
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

from fengjie_cadres import embedded
from fengjie_cadres.embedded import ServiceError, say

CHECKOUT = Path(__file__).resolve().parent.parent

# ---- where things are: pure, nothing started, nothing written ------------------------------------


def home() -> Path:
    """The folder of data, sockets and secret key; one for each checkout and user."""
    if chosen := os.environ.get("YINYAO_HOME"):
        return Path(chosen)
    digest = hashlib.sha256(os.fsencode(CHECKOUT)).hexdigest()[:8]
    return Path(f"/var/tmp/yinyao-{os.getuid()}-{digest}")


def database_url(name: str = "yinyao") -> str:
    """The address of a database on the embedded server, for libpq and dj-database-url alike."""
    folder = urllib.parse.quote(str(_postgres_folder()), safe="")
    return f"postgresql://{embedded.OWNER}@{folder}/{name}"


def redis_url() -> str:
    """The address of the embedded Valkey, as Celery writes it."""
    return "redis+socket://" + urllib.parse.quote(str(_valkey_folder() / "valkey.sock"))


def is_embedded(url: str) -> bool:
    """Whether the address names a database (any) on the embedded server."""
    host = urllib.parse.urlsplit(url).netloc.rpartition("@")[2]
    return urllib.parse.unquote(host) == str(_postgres_folder())


def secret_key() -> str:
    """The key that `up` or `hold` made; "" before that, or when the file is somebody else's."""
    path = home() / "secret_key"
    try:
        return path.read_text() if path.stat().st_uid == os.getuid() else ""
    except OSError:
        return ""


def addresses() -> dict[str, str]:
    """DATABASE_URL and REDIS_URL: each from the environment, or else the embedded server's."""
    return {
        "DATABASE_URL": os.environ.get("DATABASE_URL") or database_url(),
        "REDIS_URL": os.environ.get("REDIS_URL") or redis_url(),
    }


def _postgres_folder() -> Path:
    return home() / "pg"


def _valkey_folder() -> Path:
    return home() / "valkey"


# ---- the home folder ---------------------------------------------------------------------------


def make_home() -> None:
    """Makes home(), refusing one that another user may have laid out for us."""
    folder = home()
    if len(os.fsencode(folder)) > 75 or not folder.is_absolute() or len(str(folder).split()) != 1:
        raise ServiceError(f"YINYAO_HOME 要是不含空格、不超过 75 个字节的绝对路径：{folder}")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid():
        raise ServiceError(f"{folder} 不是本用户的文件夹，请删除它，或用 YINYAO_HOME 另指一处。")
    # As root, PostgreSQL's own user has to get through to its folder inside.
    folder.chmod(0o711 if os.getuid() == 0 else 0o700)


@contextlib.contextmanager
def locked(name: str = "lock") -> Iterator[None]:
    """Only one process at a time, among all that use this home."""
    make_home()
    with open(home() / name, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make_secret_key() -> None:
    path = home() / "secret_key"
    if secret_key():
        return
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(48))
    fresh.rename(path)


# ---- who holds them ----------------------------------------------------------------------------


def _start() -> None:
    """Starts what the environment does not replace."""
    if is_embedded(addresses()["DATABASE_URL"]):
        embedded.start_postgres(_postgres_folder())
    if addresses()["REDIS_URL"] == redis_url():
        embedded.start_valkey(_valkey_folder())


def _stop() -> None:
    embedded.stop_valkey(_valkey_folder())
    embedded.stop_postgres(_postgres_folder())


def holders() -> list[int]:
    """The living processes that hold the servers; notes of dead ones are cleared away."""
    living = []
    for note in (home() / "holders").glob("*"):
        if (pid := int(note.name)) and note.read_text() == embedded.birth(pid) != "":
            living.append(pid)
        else:
            note.unlink()
    return living


def _is_kept() -> bool:
    """Whether `make services` started them, since the machine was switched on."""
    marker = home() / "kept"
    return marker.exists() and marker.read_text() == embedded.boot()


@contextlib.contextmanager
def holding() -> Iterator[None]:
    """Both servers run while the block does; the last one out stops them."""
    note = home() / "holders" / str(os.getpid())
    try:
        with locked():
            _make_secret_key()
            note.parent.mkdir(exist_ok=True)
            note.write_text(embedded.birth(os.getpid()))
            _start()
        yield
    finally:
        with locked():
            note.unlink(missing_ok=True)
            if not holders() and not _is_kept():
                _stop()


class Signals:
    """Notes the first signal instead of ending us halfway, and passes signals on to a command."""

    def __init__(self):
        self.got = 0
        self.command: subprocess.Popen | None = None
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup stays nohup; but a shell's background job must not be deaf to SIGINT
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._receive)

    def _receive(self, number, frame) -> None:
        self.got = self.got or number
        if self.command and not (number == signal.SIGINT and _in_foreground()):
            self.command.send_signal(number)


def _in_foreground() -> bool:
    """Whether Ctrl-C reaches us: then the terminal has told the command as well."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


# ---- the command line --------------------------------------------------------------------------


def up() -> int:
    """Starts the servers, to stay until `down`."""
    signals = Signals()
    with locked():
        _make_secret_key()
        _start()
        (home() / "kept").write_text(embedded.boot())
    environment()
    return 128 + signals.got if signals.got else 0


def down() -> int:
    """Stops the servers, whoever holds them."""
    Signals()
    with locked():
        if living := holders():
            pids = "、".join(map(str, living))
            say(f"注意：make run 或 make test 还在使用（进程 {pids}），它们的数据库也一起停了。")
        (home() / "kept").unlink(missing_ok=True)
        _stop()
    say("PostgreSQL 和 Valkey 已停止。")
    return 0


def environment() -> int:
    """Prints the two addresses."""
    for name, value in addresses().items():
        print(f"{name}={value}", flush=True)
    return 0


def hold(command: list[str]) -> int:
    """Runs a command in the foreground while holding the servers; returns its exit code."""
    signals = Signals()
    with holding():
        if signals.got:
            return 128 + signals.got
        signals.command = subprocess.Popen(command)
        code = signals.command.wait()
    return code if code >= 0 else 128 - code


def main(arguments: list[str]) -> int:
    """The command line."""
    try:
        match arguments:
            case ["up"]:
                return up()
            case ["down"]:
                return down()
            case ["env"]:
                return environment()
            case ["hold", "--", _, *_]:
                return hold(arguments[2:])
        say(__doc__)
        return 2
    except (ServiceError, OSError) as error:
        say(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
