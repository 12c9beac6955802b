"""Whatever a browser sends beside a form's own fields changes nothing.

Every form that a page shows is filled in and sent twice, as it is and with columns of ours that
it does not ask for; both times the same stands in the database.
"""

import sys
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.urls import resolve

from cadres.admin import UserAdmin
from fengjie_cadres.personal_data import our_models
from fengjie_cadres.tests.addresses import addresses
from fengjie_cadres.tests.county import HEAD, SECRETARY, STAFF, County
from fengjie_cadres.tests.crawling import local, text_of
from fengjie_cadres.tests.expectations import expected
from fengjie_cadres.tests.filling import Form, Forms
from fengjie_cadres.tests.visitor import Visitor, filled

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet")]

#: Whom a row is of, who did it, and what gives rights or points: never a stray field's to say.
OWNERS = ("retiree", "user", "community", "unit", "branch")
ACTORS = ("entered_by", "asked_by", "decided_by", "approved_by", "posted_by", "sent_by", "by")
ACTORS += ("reviewed_by", "created_by", "uploaded_by", "confirmed_by", "waived_by", "ruled_by")
RIGHTS = ("is_staff", "is_superuser", "must_change_password", "is_void", "is_full")
WORTH = ("balance", "amount", "points", "posted", "left", "activity_class", "status", "state")
GUARDED = {*OWNERS, *ACTORS, *RIGHTS, *WORTH}


def snapshot() -> dict[str, str]:
    """Table → a checksum over the guarded columns of its rows; who is in which group, too."""
    found = {}
    through = apps.get_model("cadres", "User").groups.through
    for model in [*our_models(), through]:
        kept = [f.column for f in model._meta.concrete_fields if f.name in {*GUARDED, "group"}]
        if kept:
            found[model._meta.db_table] = f"({', '.join(f't.{column}' for column in kept)})::text"
    one = "SELECT '{0}', md5(coalesce(string_agg({1}, '' ORDER BY {1}), '')) FROM {0} t"
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(one.format(*item) for item in found.items()))
        return dict(cursor.fetchall())


def extra(county: County, role: str) -> dict[str, str]:
    """A value for each guarded name that would be somebody else's, or more."""
    rows = {"retiree": county.person_b, "branch": county.branch_b, "unit": county.person_b.unit}
    rows |= {name: county.users[HEAD] for name in ("user", *ACTORS)}
    values = {name: row.pk for name, row in rows.items()}
    values |= dict.fromkeys(RIGHTS, "on") | dict.fromkeys(WORTH, "999")
    values |= {"community": county.users["community_contact"].community_id}
    values |= {"activity_class": "C", "status": "deceased", "state": "done"}
    values |= {"role": "office_head", "groups": "1", "password": "x", "is_active": ""}
    return {name: str(value) for name, value in values.items()}


def pages(county: County, someone: Visitor, role: str) -> Iterator[str]:
    """Every page that the role may see, and those that ask who it is about."""
    for address in addresses():
        page = expected(address.name)
        if role in page.get and not page.is_open:
            yield from (path for path, is_seen in filled(county, address, page, role) if is_seen)
    person = county.seen("person", role)
    branch = county.branch_a if role == SECRETARY else county.branch_b
    yield from [f"/care/new/?person={person.pk}", f"/care/new/?branch={branch.pk}"]
    yield f"/departures/{person.pk}/?kind=deceased"


def forms_of(county: County, someone: Visitor, role: str) -> dict[str, Form]:
    """Every form on the pages of a role: where it goes (and what it asks) → the form."""
    found = {}
    for path in pages(county, someone, role):
        for form in Forms(text_of(someone.send("GET", path))).found:
            form.action = local(path, form.action or path)
            where = resolve(form.action.partition("?")[0]).view_name
            asked = sorted(form.names - {"csrfmiddlewaretoken"})
            found.setdefault(" ".join([where, *asked[:4]]), form)
    return found


def sent(someone: Visitor, form: Form, more: dict[str, str]) -> tuple[bool, dict[str, str]]:
    """Whether the form was taken, and what then stands in the guarded columns; nothing is kept."""
    body = form.filled | {name: v for name, v in more.items() if name not in form.names}
    with transaction.atomic():
        response = someone.send("POST", form.action, body)
        after = snapshot()
        transaction.set_rollback(True)
    return response.status_code == 302, after


def compared(county: County, someone: Visitor, role: str) -> tuple[set[str], dict[str, set[str]]]:
    """The addresses whose forms were taken, and the forms that took more: the tables."""
    before, more = snapshot(), extra(county, role)
    taken, strays = set(), {}
    for kind, form in forms_of(county, someone, role).items():
        (is_taken, plain), (_, stuffed) = sent(someone, form, {}), sent(someone, form, more)
        if is_taken or plain != before:
            taken.add(kind.split()[0])
        if plain != stuffed:
            strays[kind] = {table for table in plain if plain[table] != stuffed[table]}
    return taken, strays


#: Forms that must have been sent with effect, or the test says nothing.
TAKEN = {
    SECRETARY: {"cadres:reveal", "cadres:care-new", "export-new"},
    STAFF: {
        "cadres:reveal", "cadres:reclassify-found", "cadres:review", "points:adjust",
        "admin:cadres_user_change", "admin:cadres_retiree_change",
    },
}  # fmt: skip


@pytest.mark.parametrize("role", [SECRETARY, pytest.param(STAFF, marks=pytest.mark.slow)])
def test_fields_that_a_form_does_not_have_change_nothing(county, visitor, role):
    taken, strays = compared(county, visitor(role), role)
    assert not strays
    assert taken >= TAKEN[role]


def test_a_form_that_takes_more_is_noticed(county, visitor, monkeypatch):
    saved = UserAdmin.save_model

    def careless(self, request, user, form, change):
        user.is_superuser = "is_superuser" in request.POST
        saved(self, request, user, form, change)

    monkeypatch.setattr(UserAdmin, "save_model", careless)
    monkeypatch.setattr(sys.modules[__name__], "pages", lambda *_: ["/admin/cadres/user/add/"])
    _, strays = compared(county, visitor(STAFF), STAFF)
    assert [*strays.values()] == [{"cadres_user"}]
