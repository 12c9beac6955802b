"""The house's rules (design: house.md), read off the source; no database, no services."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
APPS = ["cadres", "points", "branches", "volunteering", "suggestions"]
ROOF = "fengjie_cadres"
OURS = {*APPS, ROOF, "bench", "conftest"}
PAGES = {"views", "forms", "urls", "admin", "resources", "management", "templatetags"}
#: Names that lift the guards; the flush of conftest.py alone may use the first.
FORBIDDEN = ("session_replication" + "_role", "pgtrigger" + ".ignore")
#: Written into files or compared with them, never asked for.
ADDRESSES_ALLOWED = (
    "http://www.w3.org/", "http://schemas.", "http://purl.oclc.org/", "http://127.0.0.1",
    "http://localhost", "http://testserver", "http://{", "https://{", "http://[", "https://[",
    "https://evil.example/", "http://x",
)  # fmt: skip
ELSEWHERE = "https:" + "//cdn.example.com/x"
SKIPPED = {".venv", ".git", "node_modules", "docs", "deploy", "migrations", "__pycache__"}


def sources(root: Path, *suffixes: str):
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if path.suffix in suffixes and path.is_file() and not SKIPPED & {*parts}:
            yield path, parts


def imports(tree: ast.Module, parts: tuple[str, ...]):
    """(imported module, its node) of every import of ours; relative ones spelled out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = list(parts[: len(parts) - node.level]) if node.level else []
            base = ".".join([*package, *([node.module] if node.module else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from ((name, node) for name in names if name.split(".")[0] in OURS)


def faults_of_import(name: str, node: ast.stmt, parts: tuple[str, ...], tree: ast.Module):
    app, (target, *inside) = parts[0], name.split(".")
    is_test = "tests" in parts or parts[-1] == "conftest.py"
    is_page = bool(PAGES & {Path(part).stem for part in parts})
    if not is_test and not is_page and app in APPS and target in APPS[APPS.index(app) + 1 :]:
        yield f"rules import leftwards only: {name}"
    if not is_test and app in APPS and target != app and inside and inside[0] in PAGES:
        yield f"nobody imports another app's page: {name}"
    if not is_test and app in APPS and target == ROOF:
        yield f"nobody imports the roof: {name}"
    if node not in tree.body:
        yield f"imports stand at the top: {name}"


def faults(root: Path) -> list[str]:
    """Every violation as `file:line what`."""
    found = []
    for path, parts in sources(root, ".py"):
        text = path.read_text()
        tree = ast.parse(text)
        for name, node in imports(tree, parts):
            reasons = faults_of_import(name, node, parts, tree)
            found += [f"{'/'.join(parts)}:{node.lineno} {reason}" for reason in reasons]
        if parts != ("conftest.py",):
            text = text.replace(f"{FORBIDDEN[1]}={{}}", "")  # ignoring nothing is no lifting
            found += [f"{'/'.join(parts)} lifts guards: {w}" for w in FORBIDDEN if w in text]
    for path, parts in sources(root, ".py", ".html", ".txt", ".js", ".css", ".svg", ".xml"):
        for address in re.findall(r"https?://[^\s\"'<>)]*", path.read_text(errors="replace")):
            if not address.startswith(ADDRESSES_ALLOWED) and len(parts) > 1:
                found.append(f"{'/'.join(parts)} another host: {address}")
    return found


@pytest.mark.slow  # and in make check
def test_the_house_stands():
    assert faults(ROOT) == []


@pytest.mark.parametrize(
    ("path", "text", "fault"),
    [
        ("cadres/a.py", "from branches.models import Branch", "leftwards"),
        ("cadres/a.py", "import points", "leftwards"),
        ("branches/models/a.py", "import suggestions.models", "leftwards"),
        ("points/a.py", "from ..branches import models", "leftwards"),
        ("branches/views.py", "from cadres.views import home", "page"),
        ("branches/views.py", "import cadres.admin.users", "page"),
        ("branches/a.py", "from cadres import forms", "page"),
        ("cadres/views.py", "from suggestions import templatetags", "page"),
        ("cadres/a.py", "from fengjie_cadres import reference", "roof"),
        ("points/views.py", "import fengjie_cadres.tasks", "roof"),
        ("cadres/a.py", "def f():\n    from cadres import b", "top"),
        ("cadres/a.py", "if True:\n    import cadres.b", "top"),
        ("fengjie_cadres/a.py", "try:\n    import cadres\nexcept ImportError: pass", "top"),
        ("cadres/tests/test_a.py", "def f():\n    import branches", "top"),
        ("cadres/a.py", f"x = '{FORBIDDEN[0]}'", "guards"),
        ("branches/a.py", f"with {FORBIDDEN[1]}('x'): pass", "guards"),
        ("cadres/a.py", f"URL = '{ELSEWHERE}.js'", "host"),
        ("templates/a.html", f'<script src="{ELSEWHERE}.js">', "host"),
        ("static/a.css", f"@import url({ELSEWHERE}.css)", "host"),
    ],
)
def test_a_planted_violation_is_seen(tmp_path, path, text, fault):
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(text)
    (found,) = faults(tmp_path)
    assert fault in found


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("branches/a.py", "from cadres.models import Retiree"),
        ("cadres/views.py", "from branches.models import Branch"),
        ("cadres/admin/a.py", "from cadres.forms import Form"),
        ("fengjie_cadres/urls.py", "from cadres import views"),
        ("branches/tests/make.py", "from fengjie_cadres import reference"),
        ("manage.py", "def main():\n    from django.core import management"),
        ("conftest.py", f"x = '{FORBIDDEN[0]}'"),
        ("templates/a.svg", '<svg xmlns="http://www.w3.org/2000/svg"/>'),
    ],
)
def test_what_the_house_allows_is_no_violation(tmp_path, path, text):
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    assert faults(tmp_path) == []
