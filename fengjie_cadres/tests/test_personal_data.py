"""Every column is classified, and the sensitive ones stand in no list, search or history."""

import pytest
from django.contrib import admin

from cadres.admin import RetireeAdmin, UserAdmin
from cadres.models import ClassChange, Retiree, Secret, User
from cadres.models.people import DIGESTED
from fengjie_cadres import personal_data
from fengjie_cadres.personal_data import TABLE, Columns, faults, our_models, sensitive
from fengjie_cadres.tests.planting import NUMBERS

#: Sensitive words that the history keeps: who decided about a class, and on what ground, is what
#: it is for. Numbers and addresses are in it by their digest alone.
KEPT_IN_HISTORY = {
    "cadres.Retiree": {"health", "remark"},
    "cadres.ClassChange": {"reason_kind", "reason"},
    "cadres.ClassReview": {"why", "reason"},
    "cadres.CareRecord": {"kind", "place", "visitors", "given", "words"},
    "cadres.Export": {"file"},  # a random name
    "branches.ImportBatch": {"upload"},
}


# ---- the table ---------------------------------------------------------------------------------


def test_every_column_is_classified_once():
    assert not faults()


def test_a_column_of_which_nothing_is_said_is_noticed():
    table = TABLE | {"cadres.Area": Columns(public="id name")}
    assert faults(table) == ["cadres.Area.brand: nothing is said of it"]


def test_a_line_of_a_column_that_is_gone_is_noticed():
    table = TABLE | {"cadres.Area": Columns(public="id name brand motto name")}
    assert faults(table) == [
        "cadres.Area.motto: there is no such column", "cadres.Area.name: said twice",
    ]  # fmt: skip


def test_what_is_masked_or_digested_is_sensitive():
    hidden = {*DIGESTED, *DIGESTED.values(), *Secret.values, *NUMBERS}
    assert hidden <= sensitive(Retiree)
    assert {"phone", "password"} <= sensitive(User)


# ---- lists and searches of the desk ------------------------------------------------------------


def exposed() -> list[str]:
    """`Model.column` wherever the desk lists, filters, sorts or searches a sensitive column."""
    return [
        f"{model._meta.label}.{column}"
        for model, desk in admin.site._registry.items()
        for column in sorted(_used(desk) & sensitive(model))
    ]


def _used(desk: admin.ModelAdmin) -> set[str]:
    """A search for the whole value (`=phone`) tells nothing to who does not know it."""
    searched = [name for name in desk.search_fields if not name.startswith("=")]
    named = [*desk.list_display, *desk.list_filter, *desk.list_editable, *searched]
    named += [*(desk.sortable_by or ()), *(desk.ordering or ()), desk.date_hierarchy]
    return {name.strip("^@-").split("__")[0] for name in named if isinstance(name, str)}


def test_no_list_of_the_desk_shows_or_searches_what_is_sensitive():
    assert not exposed()


@pytest.mark.parametrize(
    ("desk", "where", "column", "said"),
    [
        (RetireeAdmin, "list_display", "phone", "cadres.Retiree.phone"),
        (RetireeAdmin, "search_fields", "^id_number", "cadres.Retiree.id_number"),
        (UserAdmin, "search_fields", "phone__contains", "cadres.User.phone"),
    ],
)
def test_a_sensitive_column_in_a_list_is_noticed(monkeypatch, desk, where, column, said):
    monkeypatch.setattr(desk, where, [*getattr(desk, where), column])
    assert exposed() == [said]


# ---- history -----------------------------------------------------------------------------------


def written_down() -> dict[str, set[str]]:
    """Model → its sensitive columns that the history holds as they are."""
    found = {}
    for model in our_models():
        event = getattr(model, "pgh_event_model", None)
        columns = {field.name for field in event._meta.fields} if event else set()
        kept = {name for name in columns & sensitive(model) if not name.endswith("_digest")}
        if kept:
            found[model._meta.label] = kept
    return found


def test_the_history_holds_no_numbers_and_no_more_than_is_stated():
    assert written_down() == KEPT_IN_HISTORY
    assert not {*DIGESTED} & set().union(*KEPT_IN_HISTORY.values())


def test_a_sensitive_column_in_the_history_is_noticed(monkeypatch):
    changed = Columns(sensitive="activity_class reason_kind reason")
    monkeypatch.setitem(personal_data.TABLE, ClassChange._meta.label, changed)
    assert "activity_class" in written_down()["cadres.ClassChange"]
