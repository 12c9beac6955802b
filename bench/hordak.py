"""The ledger's obvious peer, django-hordak, in a virtual environment and a database of its own."""

import json
import subprocess
import sys
import venv
from importlib.metadata import version
from pathlib import Path

from bench import database
from fengjie_cadres import services

DATABASE = database.PREFIX + "hordak"
CLIENT = Path(__file__).with_name("hordak_client.py")
#: It is to have what we have; only itself and what it asks for are added.
OURS = ("Django", "psycopg2-binary")
PEER = "django-hordak==2.0.0"
#: Its members' accounts. A new one takes it as long as there are accounts; as it stores no
#: balances nobody waits for another, though each is met several times.
ACCOUNTS = 160


def make() -> None:
    """Installs it, migrates its database and opens accounts."""
    database.make(DATABASE, "template0")
    _run("make", ACCOUNTS)


def transfer(clients: int, count: int) -> tuple[float, int]:
    """Seconds and statements of so many of its own `transfer_to` by so many processes, to different
    members: each call in a transaction, as its manual says."""
    found = json.loads(_run("transfer", clients, count))
    return found["seconds"], found["queries"]


def _run(*words) -> str:
    # -P: bench/ itself is no place to import from, this module is called like the peer.
    command = [_python(), "-P", CLIENT, database.url(DATABASE), *words]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


def _python() -> Path:
    """Of its virtual environment, which is made once."""
    folder = services.home() / "peers" / PEER.replace("==", "-")
    python = folder / "bin" / "python"
    if not (folder / "made").exists():
        print(f"正在安装 {PEER} ……", file=sys.stderr, flush=True)
        venv.create(folder, clear=True, with_pip=True)
        wanted = [PEER, *(f"{name}=={version(name)}" for name in OURS)]
        pip = [python, "-m", "pip", "--disable-pip-version-check", "-qq", "install", *wanted]
        subprocess.run(pip, check=True)
        (folder / "made").touch()
    return python
