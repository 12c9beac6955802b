"""Reads pages as somebody clicks through them: every link, every filter that a page offers."""

import io
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit

from django.urls import Resolver404, resolve

from fengjie_cadres.tests.addresses import addresses
from fengjie_cadres.tests.county import AUDITOR, HEAD, SECRETARY, County
from fengjie_cadres.tests.expectations import expected
from fengjie_cadres.tests.visitor import Visitor, filled

#: So many links to one address are followed, beside the seeds.
LINKS = 1


class Offered(HTMLParser):
    """The links of a page, and of its GET forms each box with its values."""

    def __init__(self, text: str):
        super().__init__()
        self.links: list[str] = []
        self.boxes: list[tuple[str, str, list[str]]] = []  # action, name, values
        self._action: str | None = None
        self.feed(text)

    @property
    def names(self) -> set[str]:
        return {name for _, name, _ in self.boxes}

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "a" and attrs.get("href"):
            self.links.append(attrs["href"])
        elif tag == "form":
            is_get = attrs.get("method", "get").lower() == "get"
            self._action = attrs.get("action") or "" if is_get else None
        elif self._action is None:
            return
        elif tag in ("select", "input") and attrs.get("name"):
            value = [attrs["value"]] if attrs.get("value") else []
            self.boxes.append((self._action, attrs["name"], value))
        elif tag == "option" and attrs.get("value") and self.boxes:
            self.boxes[-1][2].append(attrs["value"])


@dataclass
class Crawl:
    """Everything that somebody gets to see: `pages` is path → what it said.

    Of each box of a filter the first `values` are tried, and those of `foreign` (name → value),
    which no box offers; where a filter leads is not followed further. Links to the desk are left
    out unless `is_at_desk`.
    """

    someone: Visitor
    is_at_desk: bool = True
    values: int = 0
    foreign: dict[str, str] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    _followed: Counter = field(default_factory=Counter)

    def from_home(self, others: Iterable[str] = ()) -> "Crawl":
        waiting, filters = ["/", *others], []
        while waiting:
            path = waiting.pop()
            if path not in self.pages:
                offered = self._read(path)
                waiting += [link for link in offered.links if self._is_wanted(link)]
                filters += self._filtered(path, offered)
        for path in dict.fromkeys(filters):
            self._read(path)
        return self

    def _read(self, path: str) -> Offered:
        response = self.someone.send("GET", path)
        text = self.pages[path] = text_of(response)
        is_page = response.get("Content-Type", "").startswith("text/html")
        offered = Offered(text if is_page else "")
        offered.links += [response.url] if response.status_code in (301, 302) else []
        offered.links = [local(path, link) for link in offered.links]
        return offered

    def _filtered(self, path: str, offered: Offered) -> Iterator[str]:
        for action, name, values in offered.boxes:
            foreign = [self.foreign[name]] if name in self.foreign else []
            for value in [*values[: self.values], *foreign]:
                yield local(path, f"{action or urlsplit(path).path}?{urlencode({name: value})}")

    def _is_wanted(self, path: str) -> bool:
        """A few links to each address; those with a query count for themselves.

        A query at the desk sorts, or says where one came from: nothing new stands there.
        """
        parts = urlsplit(path)
        if not path or path in self.pages or parts.path.startswith("/static/"):
            return False
        if parts.path.startswith("/admin/") and (parts.query or not self.is_at_desk):
            return False
        try:
            key = resolve(parts.path).route, bool(parts.query)
        except Resolver404:
            return True
        self._followed[key] += 1
        return self._followed[key] <= LINKS


def local(path: str, link: str) -> str:
    """The link as a path of this site; nothing when it leads elsewhere."""
    parts = urlsplit(urljoin(f"http://testserver{path}", link))
    if (parts.scheme, parts.netloc) != ("http", "testserver"):
        return ""
    return parts._replace(scheme="", netloc="", fragment="").geturl()


def text_of(response) -> str:
    """The answer with where it leads and what its file is called; a workbook is unzipped."""
    said = [response.get("Location", ""), response.get("Content-Disposition", "")]
    body = b"".join(response) if response.streaming else response.content
    if body.startswith(b"PK"):
        body = unzipped(body)
    return "\n".join([*said, body.decode(errors="replace")])


def unzipped(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return b"\n".join(book.read(part) for part in book.namelist())


def seeds(county: County, role: str) -> list[str]:
    """Each address of the project; with an own object, somebody else's, and none at all.

    The head opens the desk that the staff does: its forms are left to the staff.
    """
    found = []
    for address in addresses():
        if not (role == HEAD and address.arguments and address.route.startswith("admin/")):
            paths = filled(county, address, expected(address.name), role)
            found += [path for path, _ in paths]
    return found


def crawl(county: County, someone: Visitor, role: str) -> Crawl:
    """All pages of a role; the filters matter to who sees some people and not others."""
    crawled = Crawl(someone, is_at_desk=role != HEAD)
    if role == SECRETARY:
        crawled.values = 1
        crawled.foreign = {"branch": county.branch_b.pk, "person": county.person_b.pk}
    if role == AUDITOR:
        crawled.values = 100  # the history of each kind of record
    return crawled.from_home(seeds(county, role))
