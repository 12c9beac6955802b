"""The county of the trust tests; a real Chromium for the journeys, where every request that
leaves this machine fails the test."""

import logging
import os
import shutil
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.servers.basehttp import WSGIServer
from django.db import transaction
from django.test import Client
from playwright.sync_api import sync_playwright

from fengjie_cadres.tests.county import build
from fengjie_cadres.tests.visitor import Visitor

WIDTHS = (1280, 360)
#: A phone's, and among the slow tests a desk's.
NARROW_FIRST = [360, pytest.param(1280, marks=pytest.mark.slow)]
#: A crowd of fifty comes at once (test_last_bag.py); a full queue would turn some away.
WSGIServer.request_queue_size = 128
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--in-process-gpu",
    "--disable-extensions",
]


@pytest.fixture(scope="module")
def county(django_db_setup, django_db_blocker):
    """The small county of county.py, built once for a module; its tests change nothing in it."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield build()
        transaction.set_rollback(True)


@pytest.fixture
def visitor(county):
    """`visitor(role)`: somebody of that role."""
    return lambda role: Visitor(county.users[role])


@pytest.fixture
def quiet(settings):
    """Thousands of refusals are no news, and nobody's session is what this is about."""
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="session")
def chromium():
    """The browser; a machine without it fails the test, it does not skip it."""
    path = (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    )
    assert path, "没有 Chromium：请运行 deploy/chromium.sh 安装。"
    # Playwright's loop makes Django believe that it runs in an async context.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, live_server):
    """`open_page(width=1280, user=None, javascript=True)` → a page of a browser of its own."""
    contexts, strangers = [], []

    def opened(width: int = 1280, user=None, javascript: bool = True):
        context = chromium.new_context(
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            viewport={"width": width, "height": 800},
            base_url=live_server.url,
            java_script_enabled=javascript,
            accept_downloads=True,
        )
        contexts.append(context)
        context.set_default_timeout(15_000)
        context.on("request", lambda request: _watch(request.url, live_server.url, strangers))
        if user is not None:
            sign_in(context, user, live_server.url)
        page = context.new_page()
        page.click = _and_loaded(page, page.click)
        if user is not None:
            page.goto("/")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not strangers, f"requests to other hosts: {strangers}"


def _and_loaded(page, click):
    """A click waits until the page that it leads to has begun; what a test asks next of it may
    stand further down, so wait for its end as well."""

    def clicked(*args, **kwargs):
        click(*args, **kwargs)
        page.wait_for_load_state("load")

    return clicked


def _watch(url: str, home: str, strangers: list) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("data", "blob") and parts.netloc != urlsplit(home).netloc:
        strangers.append(url)


def sign_in(context, user, home: str) -> None:
    """As if the user had logged in; the log-in page has journeys of its own."""
    visitor = Client()
    visitor.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": visitor.cookies[name].value, "url": home}])
