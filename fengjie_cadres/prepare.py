"""The second step of `make run`: reference data, the demo county and static files.

A process of its own, because these steps run in another database role than migrations do; only
one for all of them, because starting Django costs a second each time. Prints the log-ins.
"""

import contextlib
import hashlib
import io
import os
import sys
from pathlib import Path

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import CommandError, call_command

from fengjie_cadres import services


def static_digest() -> str:
    """Changes whenever a static file does, or the place they are collected in."""
    files = [
        Path(storage.path(name)) for finder in get_finders() for name, storage in finder.list(None)
    ]
    facts = [f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in sorted(files)]
    return hashlib.sha256("\n".join([str(settings.STATIC_ROOT), *facts]).encode()).hexdigest()


def collect_static() -> None:
    """Runs collectstatic, which takes seconds, only when something changed."""
    stamp = services.home() / "static.sha256"
    digest = static_digest()
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    if manifest.exists() and stamp.exists() and stamp.read_text() == digest:
        return
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(digest)


def main() -> None:
    """Every step is idempotent. Standard output is kept for the list of log-ins."""
    django.setup()
    logins = io.StringIO()
    with contextlib.redirect_stdout(sys.stderr):
        call_command("load_reference")
        if settings.DEMO:
            try:
                call_command("load_demo")
            except CommandError as refusal:  # an office that already works with its own people
                print(refusal)
            call_command("demo_logins", stdout=logins)
        collect_static()
    print(logins.getvalue(), end="")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fengjie_cadres.settings")
    main()
