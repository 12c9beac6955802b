"""`python -m bench [NAME …]`; without names, what ONLY names, or all that is not slow."""

import os
import shutil
import sys
import tempfile

from bench import database

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.settings"
os.environ["DATABASE_URL"] = database.url(database.EMPTY)
os.environ["PRIVATE_ROOT"] = tempfile.mkdtemp(prefix=database.PREFIX)

import django

django.setup()

from bench import home, ledger, lists, rollover, roster  # noqa: E402 (models need Django set up)
from bench.table import show  # noqa: E402

#: Name → rows of the table. The slow ones run only when they are named.
THEMES = {
    "read": roster.read,
    "import": roster.imports,
    "lists": lists.rows,
    "home": home.home,
    "exports": home.exports,
    "ledger": ledger.rows,
    "rollover": rollover.rollovers,
}
SLOW = {"import-peer": roster.imports_by_peer, "rollover-large": rollover.huge}


def main(names: list[str]) -> int:
    names = names or os.environ.get("ONLY", "").split() or list(THEMES)
    if unknown := [name for name in names if name not in THEMES | SLOW]:
        print(f"没有 {'、'.join(unknown)}，可以选：{'、'.join(THEMES | SLOW)}", file=sys.stderr)
        return 2
    rows = []
    database.drop_all()
    try:
        database.make_empty()
        for name in names:
            print(f"正在测量 {name} ……", file=sys.stderr, flush=True)
            for row in (THEMES | SLOW)[name]():
                rows.append(row)
    finally:
        show(rows)  # also what there is when a later one fails or Ctrl-C ends it
        database.drop_all()
        shutil.rmtree(os.environ["PRIVATE_ROOT"], ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
