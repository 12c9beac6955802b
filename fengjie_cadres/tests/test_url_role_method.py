"""Every address × every role × every method answers as expectations.py says, or as it refuses."""

import re
from functools import partial

import pytest
from django.http import HttpResponse
from django.template.response import SimpleTemplateResponse
from django.urls import path

from cadres import roles
from cadres.models import Retiree
from cadres.tests.make import PASSWORD
from fengjie_cadres import urls
from fengjie_cadres.tests.addresses import addresses
from fengjie_cadres.tests.county import (
    EACH_ROLE,
    LEADER,
    NO_ROLE,
    RETIREE,
    SECRETARY,
    STAFF,
    County,
)
from fengjie_cadres.tests.expectations import (
    DESK,
    FORBIDDEN,
    LOGIN,
    MISSING,
    OK,
    PAGES,
    REFUSED,
    UnstatedError,
    expected,
    outcomes,
)
from fengjie_cadres.tests.tables import LOGGED, changes_of
from fengjie_cadres.tests.visitor import NOWHERE, Visitor, filled

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet")]
METHODS = ["GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"]
GARBAGE = {
    "person": "x",
    "on": "昨天",
    "secret": "password",
    "is_full": "yes",
    "pk": "\0",
    "_": "'",
}
#: What would have an effect if the role were allowed to.
PLAUSIBLE = {
    "name": "改过", "status": "deceased", "died_on": "2025-01-01", "activity_class": "C",
    "on": "2025-06-01", "reason_kind": "other", "reason": "试试", "secret": "phone",
    "agreed": "yes", "is_full": "yes", "password": PASSWORD, "size": "size-30",
    "username": "neu", "is_staff": "on", "is_superuser": "on", "groups": "1",
}  # fmt: skip


# ---- one request -------------------------------------------------------------------------------


def outcome(response) -> str:
    if response.status_code == 302:
        return LOGIN if re.match(r"/(admin/)?login/", response.url) else OK
    named = {403: FORBIDDEN, 404: MISSING, 405: REFUSED, 200: OK}
    return named.get(response.status_code, str(response.status_code))


def walk(county: County, visitor, role: str, faults: list[str]):
    """(label, request) of everything the role tries; what it gets otherwise goes into `faults`."""
    someone = visitor(role)
    for address in addresses():
        page = expected(address.name)
        for asked, is_seen in filled(county, address, page, role):
            for method, body in tries(page, role):
                label = f"{role} {method} {address.name} {asked}"
                may = outcomes(page, method, role, is_seen)
                keeps = method != "POST" or role not in page.post
                send = partial(someone.send, method, asked, body, keeps)
                yield label, partial(note, send, label, may, faults)


def tries(page, role: str):
    for method in METHODS:
        if method != "POST":
            yield method, None
        elif role in page.post:
            yield from [(method, {}), (method, GARBAGE)]
        else:
            yield method, PLAUSIBLE


def note(send, label: str, may: set[str], faults: list[str]) -> None:
    got = outcome(send())
    if got not in may:
        faults.append(f"{label}: {got}, expected {' or '.join(sorted(may))}")


@pytest.fixture
def quick_pages(county, monkeypatch):
    """Pages of the admin are not written out, but for the staff's answers to garbage.

    test_crawl.py reads all of them; here only the answer's kind counts.
    """
    written = SimpleTemplateResponse.rendered_content.fget

    def quickly(response) -> str:
        request = response._request
        is_read = request.user == county.users[STAFF] and request.POST.get("person") == "x"
        return written(response) if is_read else ""

    monkeypatch.setattr(SimpleTemplateResponse, "rendered_content", property(quickly))


# ---- tests -------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", EACH_ROLE)
def test_every_address_answers_each_method_as_stated(county, visitor, role, quick_pages):
    faults = []
    changes = changes_of(walk(county, visitor, role, faults), without=LOGGED.get(role, ()))
    assert not faults, "\n".join(faults)
    assert not changes


@pytest.mark.slow
def test_a_guard_taken_away_is_noticed(county, visitor, monkeypatch):
    monkeypatch.setattr(roles, "is_office", lambda user: True)
    faults = []
    for _, send in walk(county, visitor, RETIREE, faults):
        send()
    assert f"{RETIREE} GET branches:import-list /imports/: ok, expected 403" in faults


def unstated(resolver=None) -> list[str]:
    found = []
    for address in addresses(resolver):
        try:
            expected(address.name)
        except UnstatedError:
            found.append(address.name)
    return found


def test_something_is_stated_of_every_address():
    assert not unstated()


def test_an_address_of_which_nothing_is_stated_is_noticed(county, visitor, settings):
    settings.ROOT_URLCONF = Planted
    assert unstated() == ["planted"]
    with pytest.raises(UnstatedError):
        list(walk(county, visitor, STAFF, []))


class Planted:
    urlpatterns = [*urls.urlpatterns, path("planted/", lambda request: None, name="planted")]


def test_nothing_is_stated_of_an_address_that_is_gone():
    names = {address.name for address in addresses()}
    stated = {f"admin:{model}_changelist" for model in DESK} | PAGES.keys()
    assert not stated - names


@pytest.mark.parametrize("role", [SECRETARY, LEADER, RETIREE, NO_ROLE, STAFF])
def test_somebody_elses_object_answers_as_one_that_does_not_exist(county, visitor, role):
    someone, compared = visitor(role), 0
    for address in addresses():
        page = expected(address.name)
        if not page.of or role in page.all_of_them:
            continue
        for method in ("GET", "POST"):
            foreign, missing = (
                answer(someone, method, address.filled(pk=pk))
                for pk in (county.own[page.of, "foreign"].pk, NOWHERE)
            )
            assert foreign == missing, f"{method} {address.name}"
            compared += 1
    assert compared >= 6


def answer(someone: Visitor, method: str, asked: str) -> tuple:
    """Everything that the answer says, without what is new each time and the address itself."""
    response = someone.send(method, asked, {} if method == "POST" else None)
    body = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())
    said = {k: v for k, v in response.headers.items() if k not in ("Expires", "Content-Length")}
    return response.status_code, said, body.replace(asked, "")


def test_an_answer_that_tells_more_of_an_object_that_exists_is_noticed(
    county, visitor, monkeypatch
):
    monkeypatch.setattr(urls, "handler404", lambda request, exception: told(request))
    with pytest.raises(AssertionError, match=r"(?s)GET cadres:.*True.*False"):
        test_somebody_elses_object_answers_as_one_that_does_not_exist(county, visitor, SECRETARY)


def told(request) -> HttpResponse:
    known = Retiree.objects.filter(pk=request.resolver_match.kwargs.get("pk")).exists()
    return HttpResponse(f"{known}", status=404)
