"""Every address of the project, read off the resolver."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver

_ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")


@dataclass(frozen=True)
class Address:
    """`name` is the URL's name with its namespace, or the route where it has none."""

    name: str
    route: str

    @property
    def arguments(self) -> list[str]:
        return [plain or regex for plain, regex in _ARGUMENT.findall(self.route)]

    def filled(self, **arguments) -> str:
        return "/" + _ARGUMENT.sub(lambda found: str(arguments[found[1] or found[2]]), self.route)


def addresses(resolver=None, prefix: str = "", spaces: tuple = ()) -> Iterator[Address]:
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern).strip("^$")
        if isinstance(entry, URLResolver):
            inner = (*spaces, entry.namespace) if entry.namespace else spaces
            yield from addresses(entry, route, inner)
        elif isinstance(entry, URLPattern):
            short = _ARGUMENT.sub(lambda found: f"<{found[1] or found[2]}>", route)
            name = ":".join([*spaces, entry.name]) if entry.name else short.rstrip("/")
            yield Address(name, route)
