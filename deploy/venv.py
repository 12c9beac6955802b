"""Makes .venv as requirements.txt says (with uv when it is there); instant when it already is so.

Run by any Python from 3.11 on: `python3.11 deploy/venv.py`.
"""

import fcntl
import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
VENV = CHECKOUT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = CHECKOUT / "requirements.txt"
STAMP = VENV / "made.json"


def wanted() -> dict:
    """What .venv depends on: its scripts contain its path, so a moved checkout needs a new one."""
    return {
        "path": str(VENV),
        "python": sys.version,
        "requirements": hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest(),
    }


def made() -> dict:
    """What .venv was made from; {} when it is missing, half-made or broken."""
    try:
        stamp = json.loads(STAMP.read_text())
        subprocess.run([PYTHON, "-c", ""], check=True, capture_output=True)
    except (OSError, ValueError, subprocess.CalledProcessError):
        return {}
    return stamp


def create(uv: str | None) -> None:
    """An empty .venv in place of whatever is there."""
    if uv:
        run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, VENV)
    elif has_ensurepip():
        run(sys.executable, "-m", "venv", "--clear", VENV)
    else:
        sys.exit(
            "缺少 Python 的 venv 组件：请安装 python3-venv（apt-get install python3-venv）或 uv。"
        )


def has_ensurepip() -> bool:
    """Debian's python3 comes without it, and then makes half a .venv."""
    return importlib.util.find_spec("ensurepip") is not None


def install(uv: str | None) -> None:
    """Installs requirements.txt."""
    if uv:
        run(uv, "pip", "install", "--quiet", "--python", PYTHON, "-r", REQUIREMENTS)
        return
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "-qq"]
    run(*pip, "install", "-r", REQUIREMENTS)


def run(*command) -> None:
    """Runs a step; its failure ends us with a sentence instead of a traceback."""
    if code := subprocess.run([str(word) for word in command], cwd=CHECKOUT).returncode:
        sys.exit(f"没有装好 .venv（{Path(command[0]).name} 返回 {code}）：请检查网络后再试一次。")


def main() -> None:
    """Brings .venv up to date."""
    with open(REQUIREMENTS) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two makes at once
        want = wanted()
        if want == made():
            return
        print("正在准备 .venv ……", file=sys.stderr, flush=True)
        uv = shutil.which("uv")
        create(uv)  # also for new requirements: one that uv made may hold no pip to mend it with
        install(uv)
        STAMP.write_text(json.dumps(want))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
