"""Every page that a role can click to: reading changes nothing, and shows nothing but its own.

A test of its own asks the searches for words of rows that somebody must not see, and reads the
workbooks back.
"""

import re
from urllib.parse import quote, urlsplit

import pytest
from django.http import HttpResponse
from django.urls import path

from cadres.forms import people as people_forms
from cadres.models import Announcement, Export, Retiree
from cadres.models import people as people_models
from fengjie_cadres import urls
from fengjie_cadres.reports import tables
from fengjie_cadres.reports.exports import write
from fengjie_cadres.reports.tables import TABLES
from fengjie_cadres.tests.county import (
    AUDITOR,
    CONTACT,
    EACH_ROLE,
    LEADER,
    NO_ROLE,
    RETIREE,
    SECRETARY,
    STAFF,
    County,
)
from fengjie_cadres.tests.crawling import Crawl, Offered, crawl, text_of, unzipped
from fengjie_cadres.tests.planting import NUMBERS
from fengjie_cadres.tests.readable import IN_FILES, ON_PAGES, READS_ALL, stated
from fengjie_cadres.tests.tables import LOGGED, changed, checksums
from fengjie_cadres.tests.visitor import Visitor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet")]


# ---- crawling ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crawled(county):
    """`crawled(visitor, role)`: the pages of a role, and the tables that changed meanwhile."""
    known = {}

    def of(visitor, role: str) -> tuple[Crawl, set[str]]:
        if role not in known:
            someone = visitor(role)  # who logs in now, not while the tables are watched
            known[role] = watched(lambda: crawl(county, someone, role))
        return known[role]

    return of


def watched(act):
    """What an act gives, and the tables whose rows it changed."""
    before = checksums()
    return act(), changed(before, checksums())


def words_in(county: County, texts) -> set[str]:
    """The planted words, as `B: Retiree.name`."""
    found = set().union(*map(county.garden.found_in, texts))
    return {str(token) for token in found if token.column not in NUMBERS}


def numbers_in(county: County, pages: dict[str, str]) -> list[str]:
    """Where a planted number stands in full, or nearly: `path: whose number`."""
    numbers = [token for token in county.garden.tokens.values() if token.column in NUMBERS]
    return [
        f"{page}: {token}"
        for page, text in pages.items()
        for token in numbers
        if token.text[-8:] in text or token.text in text
    ]


# ---- reading -----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", EACH_ROLE)
def test_reading_changes_nothing(county, visitor, crawled, role):
    found, tables_changed = crawled(visitor, role)
    assert tables_changed <= LOGGED.get(role, set())
    assert len(found.pages) > 100


def test_a_page_that_writes_when_it_is_read_is_noticed(county, visitor, settings):
    settings.ROOT_URLCONF = Writing
    someone = visitor(RETIREE)
    _, tables_changed = watched(lambda: Crawl(someone).from_home(["/written/"]))
    assert tables_changed == {"cadres_announcement"}


def written(request) -> HttpResponse:
    Announcement.objects.create(title="读了", text="读了")
    return HttpResponse("read")


class Writing:
    urlpatterns = [*urls.urlpatterns, path("written/", written)]


@pytest.mark.parametrize("role", EACH_ROLE)
def test_a_role_reads_its_own_words_and_nobody_elses(county, visitor, crawled, role):
    found = words_in(county, crawled(visitor, role)[0].pages.values())
    if role in READS_ALL:
        assert {
            "A: Retiree.name",
            "B: ClassChange.reason",
            "office: ImportBatch.file_name",
        } <= found
    else:
        assert found == stated(ON_PAGES, role)


@pytest.mark.parametrize("role", EACH_ROLE)
def test_no_page_shows_a_whole_number(county, visitor, crawled, role):
    assert not numbers_in(county, crawled(visitor, role)[0].pages)


def test_people_of_others_on_a_page_are_noticed(county, visitor, monkeypatch):
    monkeypatch.setattr(people_forms, "visible_retirees", lambda user: Retiree.objects.all())
    found = Crawl(visitor(SECRETARY)).from_home()
    assert "B: Retiree.name" in words_in(county, found.pages.values())


def test_a_number_that_is_not_masked_is_noticed(county, visitor, monkeypatch):
    monkeypatch.setattr(people_models, "mask_phone", lambda value: value)
    found = Crawl(visitor(SECRETARY)).from_home()
    assert "/people/: A: Retiree.phone" in numbers_in(county, found.pages)


# ---- searching ---------------------------------------------------------------------------------

UNKNOWN = "讟" * 6
AUTOCOMPLETE = "/admin/autocomplete/?app_label=branches&model_name=membership&field_name=retiree"


def searches(found: Crawl) -> list[str]:
    """Every page with a search box, every kind of workbook, and the desk's search as one types."""
    pages = {urlsplit(p).path for p, text in found.pages.items() if "q" in Offered(text).names}
    files = [f"/exports/new/{kind}/" for kind in TABLES]
    return [f"{page}?q=" for page in [*sorted(pages), *files]] + [f"{AUTOCOMPLETE}&term="]


def answer(someone: Visitor, address: str, words: str) -> str:
    """What a search says, without the words that were searched for and what is new each time."""
    text = text_of(someone.send("GET", address + quote(words)))
    for echo in (words, quote(words), quote(quote(words))):
        text = text.replace(echo, "")
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)


def told(county: County, someone: Visitor, addresses: list[str]) -> list[str]:
    """Searches that answer a word of B's person otherwise than one that stands nowhere."""
    found = []
    for address in addresses:
        nothing = answer(someone, address, UNKNOWN)
        for token in sought(county):
            if answer(someone, address, token.text) != nothing:
                found.append(f"{address} tells {token}")
        for part in (county.person_b.name[:3], county.person_b.id_number[-4:]):
            text = text_of(someone.send("GET", address + quote(part)))
            found += [f"{address}{part} shows {word}" for word in words_in(county, [text])]
    return [line for line in found if "B: " in line]


def sought(county: County):
    """What people are found by."""
    columns = {"name", "id_number", "phone", "second_phone"}
    tokens = county.garden.tokens.values()
    return [t for t in tokens if (t.whose, t.model) == ("B", Retiree) and t.column in columns]


def test_a_search_tells_nothing_of_somebody_elses_people(county, visitor, crawled):
    addresses = searches(crawled(visitor, SECRETARY)[0])
    assert {"/people/?q=", "/care/?q=", "/care/new/?q="} <= set(addresses)
    assert not told(county, visitor(SECRETARY), addresses)


def test_a_search_that_tells_how_many_is_noticed(county, visitor, monkeypatch):
    monkeypatch.setattr(people_forms, "visible_retirees", lambda user: Retiree.objects.all())
    found = told(county, visitor(SECRETARY), ["/exports/new/roster/?q="])
    assert "/exports/new/roster/?q= tells B: Retiree.name" in found


# ---- workbooks ---------------------------------------------------------------------------------


def books(someone: Visitor) -> dict[str, str]:
    """Kind → the text of the workbook that somebody gets."""
    found = {}
    for kind in TABLES:
        response = someone.send("POST", f"/exports/new/{kind}/", {})
        if response.status_code == 302:
            export = Export.objects.latest("pk")
            write(export)
            found[kind] = unzipped(export.file.read()).decode()
    return found


@pytest.mark.parametrize("role", [SECRETARY, LEADER, STAFF])
def test_a_workbook_holds_ones_own_words_and_no_whole_number(county, visitor, role):
    found = books(visitor(role))
    assert {"roster", "class-ledger", "care-ledger"} <= found.keys()
    assert not numbers_in(county, found)
    if role != STAFF:
        assert words_in(county, found.values()) == stated(IN_FILES, role)


@pytest.mark.parametrize("role", [RETIREE, CONTACT, AUDITOR, NO_ROLE])
def test_who_sees_no_lists_gets_no_workbook(visitor, role):
    assert not books(visitor(role))


def test_people_of_others_in_a_workbook_are_noticed(county, visitor, monkeypatch):
    monkeypatch.setattr(people_forms, "visible_retirees", lambda user: Retiree.objects.all())
    assert "B: Retiree.name" in words_in(county, books(visitor(SECRETARY)).values())


def test_a_number_in_a_workbook_is_noticed(county, visitor, monkeypatch):
    monkeypatch.setattr(tables, "mask_phone", lambda value: value)
    assert "roster: B: Retiree.phone" in numbers_in(county, books(visitor(STAFF)))
