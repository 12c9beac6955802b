"""The embedded servers: pure addresses, sharing, recovery, and the last one out."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import dj_database_url
import psycopg2
import pytest

from fengjie_cadres import embedded, services

ROOF = Path(services.__file__).parent


@pytest.fixture
def folder():
    """Not tmp_path: that one is closed to PostgreSQL's user and too long for a socket."""
    path = Path(tempfile.mkdtemp(prefix="yt-", dir="/var/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def command(folder, monkeypatch):
    """Words that run services.py out of a checkout whose path has a blank, with a home of its own.

    Its package has no Celery application in it: the servers must not need one.
    """
    package = folder / "a b" / "fengjie_cadres"
    package.mkdir(parents=True)
    package.joinpath("__init__.py").touch()
    for name in ("services.py", "embedded.py"):
        shutil.copy(ROOF / name, package)
    monkeypatch.setenv("YINYAO_HOME", str(folder / "home"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.chdir(package.parent)
    words = [sys.executable, "-m", "fengjie_cadres.services"]
    yield words
    subprocess.run([*words, "down"], check=True, capture_output=True)


def run(*words) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def postmaster(folder: Path) -> int:
    """The pid of the running server, 0 when there is none."""
    return embedded.server_pid(folder / "home" / "pg" / "data" / "postmaster.pid")


def wait_for(condition) -> bool:
    return embedded.wait_until(condition, 20)


def hold(words: list[str], folder: Path) -> subprocess.Popen:
    """A holder that lets go when its standard input ends."""
    held = folder / f"held-{time.monotonic_ns()}"
    script = ["sh", "-c", f"touch {held}; exec cat"]
    process = subprocess.Popen([*words, "hold", "--", *script], stdin=subprocess.PIPE)
    assert wait_for(held.exists)
    return process


def let_go(process: subprocess.Popen) -> None:
    process.stdin.close()
    assert process.wait(30) == 0


# ---- addresses ---------------------------------------------------------------------------------


def test_addresses_are_pure(folder, monkeypatch):
    monkeypatch.setenv("YINYAO_HOME", str(folder / "Home"))
    parsed = dj_database_url.parse(services.database_url("other"))
    assert parsed["HOST"] == str(folder / "Home" / "pg")
    assert (parsed["USER"], parsed["NAME"]) == ("yinyao", "other")
    assert services.redis_url() == f"redis+socket://{folder}/Home/valkey/valkey.sock"
    assert services.secret_key() == ""
    assert list(folder.iterdir()) == []


def test_home_is_short_and_without_blanks(monkeypatch):
    monkeypatch.delenv("YINYAO_HOME", raising=False)
    monkeypatch.setattr(services, "CHECKOUT", Path("/a b/" + "long" * 50))
    assert " " not in str(services.home())
    assert len(f"{services.home()}/pg/.s.PGSQL.5432.lock") < 100


def test_is_embedded_knows_any_database_of_ours_only():
    assert services.is_embedded(services.database_url())
    assert services.is_embedded(services.database_url("test_yinyao_gw0"))
    assert not services.is_embedded("postgresql://yinyao:x@localhost:5432/yinyao")
    assert not services.is_embedded("postgresql://yinyao@%2Fvar%2Frun%2Fpostgresql/yinyao")
    assert not services.is_embedded("")


def test_home_of_another_user_is_refused(folder, monkeypatch):
    monkeypatch.setenv("YINYAO_HOME", str(folder / "home"))
    (folder / "elsewhere").mkdir()
    (folder / "home").symlink_to(folder / "elsewhere")
    with pytest.raises(services.ServiceError, match="不是本用户的文件夹"):
        services.make_home()


# ---- starting and stopping ---------------------------------------------------------------------


def test_hold_starts_and_the_last_one_out_stops(command, folder):
    done = subprocess.run([*command, "hold", "--", "sh", "-c", "exit 7"], check=False)
    assert done.returncode == 7
    assert (folder / "home" / "pg" / "data" / "PG_VERSION").exists()
    assert len(services.secret_key()) > 50
    assert postmaster(folder) == 0
    assert not (folder / "home" / "valkey" / "valkey.pid").exists()


@pytest.mark.slow
def test_two_holders_share_one_server(command, folder):
    first = hold(command, folder)
    pid = postmaster(folder)
    second = hold(command, folder)
    let_go(first)
    assert postmaster(folder) == pid != 0
    let_go(second)
    assert postmaster(folder) == 0


@pytest.mark.slow
def test_two_first_starts_at_once_share_one_server(command, folder):
    both = [subprocess.Popen([*command, "up"], stdout=subprocess.PIPE) for _ in range(2)]
    assert len({process.communicate()[0] for process in both}) == 1
    assert [process.returncode for process in both] == [0, 0]


@pytest.mark.slow
def test_services_started_by_up_outlive_a_holder(command, folder):
    lines = run(*command, "up").splitlines()
    assert [line.partition("=")[0] for line in lines] == ["DATABASE_URL", "REDIS_URL"]
    let_go(hold(command, folder))
    with psycopg2.connect(lines[0].partition("=")[2]) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT current_setting('TimeZone'), current_setting('listen_addresses')")
        assert cursor.fetchone() == ("Asia/Shanghai", "")
    connection.close()
    run(*command, "down")
    assert postmaster(folder) == 0


@pytest.mark.slow
def test_a_killed_server_is_started_again(command, folder):
    url = run(*command, "up").splitlines()[0].partition("=")[2]
    connection = psycopg2.connect(url)
    os.kill(postmaster(folder), signal.SIGKILL)
    os.kill(embedded.server_pid(folder / "home" / "valkey" / "valkey.pid"), signal.SIGKILL)
    run(*command, "up")
    connection.close()
    psycopg2.connect(url).close()


@pytest.mark.slow
def test_a_pid_given_to_another_process_does_not_stop_the_start(command, folder):
    run(*command, "up")
    run(*command, "down")
    pid_file = folder / "home" / "pg" / "data" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{pid_file.parent}\n1700000000\n5432\n")
    run(*command, "up")
    assert postmaster(folder) not in (0, os.getpid())


@pytest.mark.slow
def test_a_half_made_cluster_is_made_anew(command, folder):
    half = folder / "home" / "pg" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    run(*command, "up")
    assert postmaster(folder)


@pytest.mark.slow
def test_a_killed_holder_does_not_count(command, folder):
    killed, last = hold(command, folder), hold(command, folder)
    killed.kill()
    killed.wait()  # a kill takes its time: only then it is dead
    killed.stdin.close()
    let_go(last)
    assert postmaster(folder) == 0


@pytest.mark.slow
def test_a_signal_reaches_the_command_and_ends_the_hold(command, folder):
    process = hold(command, folder)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 128 + signal.SIGTERM
    process.stdin.close()
    assert postmaster(folder) == 0


@pytest.mark.slow
def test_a_database_of_ones_own_is_left_alone(command, folder, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://me@localhost/mine")
    lines = run(*command, "up").splitlines()
    assert lines[0] == "DATABASE_URL=postgresql://me@localhost/mine"
    assert (folder / "home" / "valkey" / "valkey.sock").exists()
    assert not (folder / "home" / "pg").exists()
