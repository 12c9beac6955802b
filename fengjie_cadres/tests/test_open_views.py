"""Everything is closed unless it is in the list of open views."""

import re

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from fengjie_cadres.urls import OPEN_VIEWS


def routes(resolver=None, prefix="", namespace=""):
    """Every named address of the project: (name, pattern with example arguments)."""
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            space = ":".join(filter(None, [namespace, entry.namespace]))
            yield from routes(entry, route, space)
        elif isinstance(entry, URLPattern):
            yield ":".join(filter(None, [namespace, entry.name])), route, entry


def address(route: str) -> str:
    route = re.sub(r"<(int|path|slug):\w+>", "1", route)
    if "(?P<" in route:
        route = "admin/cadres/"
    return "/" + route.replace("^", "").replace("$", "").replace("\\", "")


@pytest.mark.django_db
def test_pages_open_to_strangers_are_exactly_the_listed_ones(client):
    opened = set()
    for name, route, _ in routes():
        for method in ("get", "post"):
            response = getattr(client, method)(address(route))
            to_login = response.status_code == 302 and "/login/" in response.url
            if not to_login:
                opened.add(name)
    assert opened == OPEN_VIEWS
