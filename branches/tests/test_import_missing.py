"""People who are not in a roster: what the office found out about each, once per batch."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from branches.models import ImportBatch, MissingPerson
from branches.roster import (
    MissingRefusedError,
    UndoRefusedError,
    discard,
    rule_omitted,
    undo,
    write,
)
from branches.roster.missing import listed_people
from branches.roster.undo import empty_old_imports
from branches.tests.make import staged, written
from cadres.models import Retiree
from cadres.roles import Role
from cadres.tests.make import make_retiree, make_user, some_unit
from cadres.tests.workbooks import id_number, people, person, roster_of

pytestmark = pytest.mark.django_db
PASSWORD = "sheng-huo-2025"
LATER = datetime.date(2026, 6, 1)


@pytest.fixture
def by(db):
    return make_user(role=Role.OFFICE_STAFF)


@pytest.fixture
def staff(client, by):
    client.force_login(by)
    return by


def batch_without(count: int, **fields) -> ImportBatch:
    """A roster of a unit in which `count` of its people are missing."""
    for index in range(count):
        make_retiree(name=f"漏{chr(0x4E00 + index)}", id_number=id_number(200 + index))
    return staged(roster_of(person(0)), scope="units", **fields)


def keys(batch) -> list[int]:
    return [person.pk for person in listed_people(batch)]


def test_omitted_people_are_recorded_once(by):
    batch = batch_without(2)
    assert rule_omitted(batch=batch, people=keys(batch), by=by) == 2
    assert rule_omitted(batch=batch, people=keys(batch), by=by) == 0
    told = MissingPerson.objects.values_list("batch", "ruling", "ruled_by")
    assert list(told) == [(batch.pk, "omitted", by.pk)] * 2


def test_the_open_ones_stand_first(by):
    batch = batch_without(3)
    first, *others = keys(batch)
    rule_omitted(batch=batch, people=[first], by=by)
    assert keys(batch) == [*others, first]
    assert [p.pk for p in listed_people(batch, "open")] == others
    assert [p.pk for p in listed_people(batch, "ruled")] == [first]


def test_who_is_not_missing_is_refused_and_nobody_recorded(by):
    batch = batch_without(1)
    here = make_retiree(unit=some_unit("奉节县财政局"))
    with pytest.raises(MissingRefusedError, match="已经不在这个名单里"):
        rule_omitted(batch=batch, people=[*keys(batch), here.pk], by=by)
    assert not MissingPerson.objects.exists()


def test_who_died_meanwhile_stays_listed_with_the_ruling(by):
    batch = batch_without(1)
    gone = Retiree.objects.get()
    MissingPerson.objects.create(batch=batch, retiree=gone, ruling="deceased", ruled_by=by)
    Retiree.objects.update(status="deceased", died_on=LATER)
    assert [p.ruling for p in listed_people(batch)] == ["deceased"]
    assert rule_omitted(batch=batch, people=[gone.pk], by=by) == 0
    assert MissingPerson.objects.get().ruling == "deceased"


def test_a_closed_batch_takes_no_rulings(by):
    batch = batch_without(1)
    wanted = keys(batch)
    discard(batch=batch, by=by)
    with pytest.raises(MissingRefusedError, match="已经办结"):
        rule_omitted(batch=batch, people=wanted, by=by)


def test_who_is_registered_after_the_batch_is_not_missing_from_it(by):
    batch = batch_without(1)
    known = keys(batch)
    later = make_retiree(name="新来的", id_number=id_number(300))
    assert keys(batch) == known
    with pytest.raises(MissingRefusedError):
        rule_omitted(batch=batch, people=[later.pk], by=by)
    Retiree.objects.filter(pk=later.pk).update(created_at=batch.uploaded_at)
    assert later.pk in keys(batch)  # of the people known then, it is asked


def test_of_an_emptied_batch_only_who_was_ruled_on_is_listed(by):
    batch = write(batch=batch_without(2), by=by)
    ruled, _ = keys(batch)
    rule_omitted(batch=batch, people=[ruled], by=by)
    ImportBatch.objects.update(closed_at=timezone.now() - datetime.timedelta(days=31))
    assert empty_old_imports() == 1
    batch.refresh_from_db()
    assert keys(batch) == [ruled]


def test_rulings_are_taken_after_the_batch_is_written_too(by):
    batch = write(batch=batch_without(1), by=by)
    assert rule_omitted(batch=batch, people=keys(batch), by=by) == 1


def test_a_batch_whose_people_were_ruled_on_later_is_not_undone(by):
    """The database would refuse it at the very end, and the page would be an error."""
    first = written(roster_of(*people(2)))
    later = staged(roster_of(person(1)), scope="units", on=LATER)
    rule_omitted(batch=later, people=keys(later), by=by)
    with pytest.raises(UndoRefusedError, match="张"):
        undo(batch=first, by=by)
    assert Retiree.objects.count() == 2


# ---- the page --------------------------------------------------------------------------------


def post(client, batch, **data):
    return client.post(f"{batch.get_absolute_url()}omitted/", data, follow=True)


def shown(client, batch, **narrowed) -> str:
    page = client.get(batch.get_absolute_url(), {"show": "missing", **narrowed})
    return page.content.decode()


def test_each_missing_person_has_three_ways_on(client, staff):
    batch = batch_without(1)
    (pk,) = keys(batch)
    page = shown(client, batch)
    for kind in ("deceased", "moved_away"):
        assert f'href="/departures/{pk}/?kind={kind}&amp;batch={batch.pk}"' in page
    assert f'name="only" value="{pk}"' in page
    assert "<strong>漏报，仍在册</strong>" not in page


def test_several_ticked_are_recorded_at_once(client, staff):
    batch = batch_without(3)
    first, second, third = keys(batch)
    page = post(client, batch, people=[first, second]).content.decode()
    assert "已登记 2 人：漏报，仍在册。" in page
    assert page.count('type="checkbox"') == 1
    assert "已经登记过了" in post(client, batch, people=[first]).content.decode()
    assert f'value="{third}"' in shown(client, batch, ruling="open")


def test_the_button_of_a_row_takes_only_that_row(client, staff):
    batch = batch_without(2)
    first, second = keys(batch)
    post(client, batch, only=second, people=[first, second])
    assert MissingPerson.objects.get().retiree_id == second


@pytest.mark.parametrize("sent", [{}, {"people": "x"}, {"people": "9" * 40}, {"only": "²"}])
def test_nobody_ticked_is_a_sentence(client, staff, sent):
    batch = batch_without(1)
    assert "还没有勾选人" in post(client, batch, **sent).content.decode()
    assert not MissingPerson.objects.exists()


def test_the_ruling_of_the_time_before_is_shown(client, staff):
    first = batch_without(1)
    rule_omitted(batch=first, people=keys(first), by=staff)
    second = staged(roster_of(person(0)), scope="units", on=LATER)
    page = shown(client, second)
    assert "2026-03-01 的名册里也没有：漏报，仍在册" in page
    assert "的名册里也没有" not in shown(client, first)


def test_only_the_office_rules(client, by):
    batch = batch_without(1)
    wanted = keys(batch)
    for role in (Role.LEADER, Role.AUDITOR, Role.RETIREE, Role.CONTACT, ""):
        client.force_login(make_user(role=role))
        assert post(client, batch, people=wanted).status_code == 403
    assert not MissingPerson.objects.exists()
    client.force_login(by)
    assert client.get(f"{batch.get_absolute_url()}omitted/").status_code == 405


def test_the_list_takes_as_many_queries_for_3_as_for_1(client, staff):
    counts = []
    for number in (1, 3):
        batch = batch_without(number)
        with CaptureQueriesContext(connection) as captured:
            shown(client, batch)
        counts.append(len(captured))
        Retiree.objects.all().delete()
    assert counts[0] == counts[1]


# ---- the list of batches ---------------------------------------------------------------------


def test_list_of_batches_says_who_did_what(client, staff):
    batch = written(roster_of(person(0)), by=staff)
    undone_by = make_user(role=Role.OFFICE_STAFF, name="撤销人", password=PASSWORD)
    client.force_login(undone_by)
    client.post(f"{batch.get_absolute_url()}undo/", {"password": PASSWORD})
    gone = staged(roster_of(person(1)), by=staff)
    client.post(f"{gone.get_absolute_url()}discard/")
    client.force_login(staff)
    page = client.get("/imports/").content.decode()
    assert "撤销：" in page
    assert "放弃：" in page
    assert page.count("撤销人") == 2
    detail = client.get(batch.get_absolute_url()).content.decode()
    assert "撤销人" in detail


def test_list_takes_as_many_queries_for_3_batches_as_for_1(client, staff):
    counts = []
    for index in range(3):
        discard(batch=staged(roster_of(person(index)), by=staff), by=staff)
        if index != 1:
            with CaptureQueriesContext(connection) as captured:
                client.get("/imports/")
            counts.append(len(captured))
    assert counts[0] == counts[1]
