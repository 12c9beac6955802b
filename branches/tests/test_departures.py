"""Leaving the roster: what ends and on which day, what stays as it was, and the two ways back."""

import datetime

import pytest
from django.utils import timezone

from branches.access import announced_to
from branches.actions import serve_by_residence
from branches.departures import (
    AlreadyDepartedError,
    DepartureRefusedError,
    come_back,
    depart,
    take_back,
    what_follows,
)
from branches.models import Branch, Membership, MissingPerson
from branches.tests.make import make_branch, make_membership, make_seat, written
from branches.tests.test_import_concurrency import at_once, kinds
from cadres.actions import StatusRefusedError, lapse_temporary_classes
from cadres.asat import with_status_then
from cadres.models import Absence, Announcement, CareRecord, Retiree, Status
from cadres.roles import Role
from cadres.tests.make import (
    make_care,
    make_class_change,
    make_residence,
    make_retiree,
    make_township,
    make_user,
)
from cadres.tests.workbooks import people, roster_of

pytestmark = pytest.mark.django_db
DAY, BEFORE, AFTER = (datetime.date(2025, 6, day) for day in (10, 9, 11))
TOMORROW = timezone.localdate() + datetime.timedelta(days=1)


@pytest.fixture
def office():
    return make_user(role=Role.OFFICE_STAFF)


@pytest.fixture
def township():
    return make_township()


@pytest.fixture
def branch(township):
    return make_branch(township=township)


@pytest.fixture
def person(branch, township):
    """A party member, secretary of the branch, with a log-in and a home."""
    found = make_retiree(name="张三", political_status="member", birth_date="1945-03")
    make_residence(found, township)
    for kind in ("affiliated", "served", "participating"):
        make_membership(found, branch, kind)
    make_seat(branch, found)
    make_user(retiree=found)
    return found


def dies(person, by, on=DAY, **fields):
    return depart(retiree=person, kind="deceased", on=on, by=by, **fields)


def moves(person, by, on=DAY, **fields):
    return depart(retiree=person, kind="moved_away", on=on, by=by, **fields)


def state(person) -> dict:
    """All that a departure may touch."""
    person.refresh_from_db()
    return {
        "status": (person.status, person.died_on, person.moved_away_on),
        "home": (person.township_id, person.community_id, person.address, person.address_digest),
        "memberships": sorted(person.memberships.values_list("kind", "branch", "since", "until")),
        "seats": sorted(person.seats.values_list("kind", "branch", "since", "until")),
        "residences": sorted(person.residences.values_list("township", "since", "until")),
        "user": person.user.is_active,
    }


def test_a_death_ends_everything_on_its_day_and_leaves_the_days_before(person, branch, office):
    dies(person, office, place="家中", words="久病")
    found = state(person)
    assert found["status"] == ("deceased", DAY, None)
    assert {until for *_, until in found["memberships"] + found["seats"]} == {DAY}
    assert len(Membership.objects.on(BEFORE)) == 3
    assert not Membership.objects.on(DAY).exists()
    assert found["residences"][0][-1] is None  # where they lived to the end
    assert found["home"][0] == person.township_id
    assert found["user"] is False
    record = CareRecord.objects.get()
    assert (record.kind, record.on, record.place, record.words) == ("death", DAY, "家中", "久病")
    assert record.entered_by == office


def test_moving_away_also_ends_the_residence(person, office):
    moves(person, office, place="重庆市万州区")
    found = state(person)
    assert found["status"] == ("moved_away", None, DAY)
    assert found["residences"][0][-1] == DAY
    assert found["home"] == (None, None, "", "")
    assert not CareRecord.objects.exists()
    assert "转往重庆市万州区" in Announcement.objects.get().text


def test_as_at_figures_stay_right_on_both_sides_of_the_day(person, office):
    person.registered_on = datetime.date(2020, 1, 1)
    person.save()
    dies(person, office)
    for day, there in ((BEFORE, True), (DAY, False), (AFTER, False)):
        assert with_status_then(Retiree.objects.all(), "active", day).exists() is there


def test_what_follows_is_said_and_writes_nothing(person, branch, office):
    make_class_change(person, "C", "2025-05-01", until=datetime.date(2099, 1, 1))
    before = state(person)
    ends = what_follows(retiree=person, kind="moved_away", on=DAY)
    assert len(ends.memberships) == 3
    assert [seat.branch for seat in ends.leaderless] == [branch]
    assert (len(ends.homes), ends.user, ends.later) == (1, person.user, [])
    assert ends.temporary.activity_class == "C"
    assert state(person) == before
    assert not Announcement.objects.exists()


def test_the_branch_reads_what_happened_though_it_serves_the_person_no_more(person, branch, office):
    other = make_branch()
    dies(person, office)
    (notice,) = announced_to(Branch.objects.filter(pk=branch.pk))
    assert notice.title == "张三去世"
    assert "书记一职同时空缺" in notice.text
    assert not announced_to(Branch.objects.filter(pk=other.pk))


def test_who_moved_to_another_branch_before_is_announced_there_alone(branch, office):
    other, person = make_branch(), make_retiree()
    make_membership(person, branch, until=datetime.date(2025, 1, 1))
    make_membership(person, other, since="2025-01-01")
    dies(person, office)
    assert not announced_to(Branch.objects.filter(pk=branch.pk))
    assert announced_to(Branch.objects.filter(pk=other.pk)).count() == 1


def test_a_temporary_class_of_the_dead_never_falls_back(person, office):
    make_class_change(person, "A", "2025-01-01")
    make_class_change(person, "C", "2025-06-01", until=datetime.date(2025, 7, 1))
    living = make_retiree(name="李四")
    make_class_change(living, "A", "2025-01-01")
    make_class_change(living, "C", "2025-06-01", until=datetime.date(2025, 7, 1))
    dies(person, office)
    changes = lapse_temporary_classes(on=datetime.date(2025, 8, 1))
    assert [change.retiree for change in changes] == [living]


# ---- a second time, and days that cannot be -----------------------------------------------------


def test_the_second_time_is_told_and_changes_nothing(person, office):
    dies(person, office)
    before = state(person)
    with pytest.raises(AlreadyDepartedError, match="2025-06-10"):
        dies(person, office)
    with pytest.raises(DepartureRefusedError, match="先撤销"):
        dies(person, office, on=BEFORE)
    assert state(person) == before
    assert Announcement.objects.count() == CareRecord.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(3))
def test_two_at_once_have_one_effect(person, office, turn):
    found = at_once(*[lambda: dies(person, office)] * 4)
    assert kinds(found) == {"Consequences": 1, "AlreadyDepartedError": 3}
    assert Announcement.objects.count() == CareRecord.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_death_and_a_moving_away_at_once_end_in_one_truth(person, office):
    found = at_once(lambda: dies(person, office), lambda: moves(person, office))
    person.refresh_from_db()
    assert person.status == "deceased"
    assert not person.memberships.current().exists()
    assert kinds(found)["Consequences"] >= 1


@pytest.mark.parametrize(
    ("kind", "on", "sentence"),
    [
        ("deceased", TOMORROW, "还没有到"),
        ("moved_away", TOMORROW, "还没有到"),
        ("deceased", datetime.date(1945, 2, 1), "早于出生"),
        ("moved_away", datetime.date(1945, 2, 1), "早于出生"),
        ("deceased", datetime.date(2019, 1, 1), "日期之后还有登记"),
    ],
)
def test_a_day_that_cannot_be_is_a_sentence(person, office, kind, on, sentence):
    before = state(person)
    checked = sentence == "早于出生"
    with pytest.raises((DepartureRefusedError, StatusRefusedError), match=sentence):
        depart(retiree=person, kind=kind, on=on, by=office, is_checked=checked)
    assert state(person) == before


def test_the_dead_do_not_move_away(person, office):
    dies(person, office)
    with pytest.raises(StatusRefusedError, match="已登记去世"):
        moves(person, office, on=AFTER)


def test_who_moved_away_dies_later_but_not_earlier(person, office):
    moves(person, office)
    with pytest.raises(DepartureRefusedError, match="不能早于这一天"):
        dies(person, office, on=BEFORE)
    dies(person, office, on=AFTER)
    person.refresh_from_db()
    assert (person.status, person.moved_away_on, person.died_on) == ("deceased", DAY, AFTER)


def test_entries_after_the_day_are_named_and_end_only_when_looked_at(person, branch, office):
    early = datetime.date(2019, 12, 30)
    make_care(person, on="2025-05-01")
    with pytest.raises(DepartureRefusedError, match="2020年1月1日 组织关系"):
        dies(person, office, on=early)
    ends = dies(person, office, on=early, is_checked=True)
    assert len(ends.later) == 6  # three memberships, a seat, a residence, a visit
    found = state(person)
    # begun after the death: it lasts the one day that a period must have, and no longer
    assert {until for *_, until in found["memberships"]} == {datetime.date(2020, 1, 2)}
    assert not Membership.objects.current().exists()


def test_an_end_that_is_planned_comes_sooner(person, branch, office):
    person.seats.update(until=datetime.date(2099, 1, 1))
    before = state(person)
    dies(person, office)
    assert state(person)["seats"][0][-1] == DAY
    take_back(retiree=person, by=office, reason="登记错了人")
    assert state(person) == before


def test_what_had_ended_before_stays_as_it_was(person, office):
    other = make_branch()
    old = make_membership(
        person, other, "participating", "2021-01-01", until=datetime.date(2025, 8, 1)
    )
    dies(person, office)
    old.refresh_from_db()
    assert old.until == datetime.date(2025, 8, 1)


# ---- accounts -----------------------------------------------------------------------------------


def test_nobody_registers_the_own_departure(person):
    staff = person.user
    with pytest.raises(DepartureRefusedError, match="不能登记自己"):
        dies(person, staff)


def test_the_heads_account_is_closed_by_a_head_alone(office):
    person = make_retiree()
    make_user(retiree=person, role=Role.OFFICE_HEAD)
    with pytest.raises(DepartureRefusedError, match="由负责人登记"):
        dies(person, office)
    head = make_user(role=Role.OFFICE_HEAD)
    dies(person, head)
    with pytest.raises(DepartureRefusedError, match="由负责人登记"):
        take_back(retiree=person, by=office, reason="错")


# ---- missing from a roster ----------------------------------------------------------------------


def test_the_ruling_about_a_missing_person_is_written_with_it(office):
    written(roster_of(*people(2)))
    _, second = Retiree.objects.order_by("pk")
    batch = written(roster_of(*people(1)), scope="county")
    dies(second, office, on=datetime.date(2026, 3, 2), batch=batch)
    ruled = MissingPerson.objects.get()
    assert (ruled.batch, ruled.retiree, ruled.ruling) == (batch, second, "deceased")
    assert ruled.ruled_by == office


# ---- the ways back ------------------------------------------------------------------------------


@pytest.mark.parametrize("leaves", [dies, moves])
def test_a_mistake_taken_back_leaves_everything_as_it_was(person, branch, office, leaves):
    make_membership(person, make_branch(), "participating", until=DAY)  # ended that day by itself
    before = state(person)
    leaves(person, office)
    assert state(person) != before
    assert take_back(retiree=person, by=office, reason="同名同姓") == []
    assert state(person) == before
    assert not CareRecord.objects.exists()
    titles = list(announced_to(Branch.objects.filter(pk=branch.pk)).values_list("text", flat=True))
    assert "同名同姓" in titles[0]
    with pytest.raises(DepartureRefusedError, match="没有要撤销"):
        take_back(retiree=person, by=office, reason="同名同姓")


def test_a_mistake_with_entries_after_the_day_is_taken_back_too(person, office):
    before = state(person)
    dies(person, office, on=datetime.date(2019, 12, 30), is_checked=True)
    take_back(retiree=person, by=office, reason="年份写错")
    assert state(person) == before


def test_the_right_day_is_registered_after_the_wrong_one(person, office):
    dies(person, office)
    take_back(retiree=person, by=office, reason="日期错了")
    dies(person, office, on=AFTER)
    assert CareRecord.objects.get(kind="death").on == AFTER
    take_back(retiree=person, by=office, reason="又错了")
    assert state(person)["status"] == ("active", None, None)


def test_an_account_that_was_closed_before_stays_closed(person, office):
    person.user.is_active = False
    person.user.save()
    dies(person, office)
    take_back(retiree=person, by=office, reason="登记错了人")
    assert state(person)["user"] is False


def test_a_seat_that_somebody_took_meanwhile_is_named(person, branch, office):
    dies(person, office)
    make_seat(branch, make_retiree(name="新书记"), since=AFTER)
    lost = take_back(retiree=person, by=office, reason="登记错了人")
    assert lost == [f"{branch}的书记"]
    found = state(person)
    assert found["seats"][0][-1] == DAY
    assert {until for *_, until in found["memberships"]} == {None}


def test_a_death_after_moving_away_taken_back_leaves_the_moving_away(person, office):
    moves(person, office)
    before = state(person)
    dies(person, office, on=AFTER)
    take_back(retiree=person, by=office, reason="登记错了人")
    assert state(person) == before


def test_who_comes_back_lives_where_they_lived_and_is_served_there(person, branch, office):
    home = person.township_id
    moves(person, office)
    back = datetime.date(2025, 9, 1)
    served = come_back(retiree=person, on=back, by=office, reason="随子女回来")
    found = state(person)
    assert served.branch == branch
    assert found["status"] == ("active", None, None)
    assert found["home"][0] == home
    assert found["residences"][-1] == (home, back, None)
    assert person.memberships.current().get().since == back
    assert found["user"] is False  # an account is opened on the users' page


def test_a_return_leaves_the_days_away_as_they_were(person, office):
    Retiree.objects.update(registered_on=datetime.date(2020, 1, 1))
    person.refresh_from_db()
    back = datetime.date(2025, 9, 1)
    days = [BEFORE, DAY, back - datetime.timedelta(days=1), back]

    def statuses() -> list[str]:
        found = Retiree.objects.filter(pk=person.pk)
        return [
            next(s for s in Status.values if with_status_then(found, s, day).exists())
            for day in days
        ]

    moves(person, office)
    before = statuses()
    come_back(retiree=person, on=back, by=office, reason="随子女回来")
    assert statuses() == [*before[:3], "active"] == ["active", "moved_away", "moved_away", "active"]
    Absence.objects.all().delete()
    assert statuses() == ["active"] * 4  # what the record is for


def test_who_comes_back_on_the_very_day_was_never_away(person, office):
    moves(person, office)
    come_back(retiree=person, on=DAY, by=office, reason="没有走成")
    assert not Absence.objects.exists()


def test_a_second_moving_away_taken_back_leaves_the_first_time_away(person, office):
    moves(person, office)
    come_back(retiree=person, on=datetime.date(2025, 9, 1), by=office, reason="回来")
    moves(person, office, on=datetime.date(2025, 10, 1))
    take_back(retiree=person, by=office, reason="登记错了人")
    assert list(Absence.objects.values_list("since", "until")) == [(DAY, datetime.date(2025, 9, 1))]
    assert state(person)["status"] == ("active", None, None)


@pytest.mark.parametrize("on", [BEFORE, TOMORROW])
def test_nobody_comes_back_before_leaving_or_in_future(person, office, on):
    moves(person, office)
    with pytest.raises(DepartureRefusedError, match="2025-06-10"):
        come_back(retiree=person, on=on, by=office, reason="回来")


def test_a_mistake_is_taken_back_although_another_end_is_planned(person, branch, office):
    """Served until a planned day: nothing to give, and no reason to refuse."""
    person.memberships.update(until=datetime.date(2099, 1, 1))
    before = state(person)
    dies(person, office)
    assert take_back(retiree=person, by=office, reason="登记错了人") == []
    assert state(person) == before
    assert serve_by_residence(retiree=person, on=DAY, by=office).branch == branch


def test_who_will_be_served_from_a_day_on_is_left_so(township, office):
    person, later = make_retiree(), make_branch(township=township)
    make_residence(person, township)
    planned = make_membership(person, later, since="2099-01-01")
    assert serve_by_residence(retiree=person, on=DAY, by=office) == planned
    assert person.memberships.get() == planned


def test_only_who_moved_away_comes_back_and_with_a_reason(person, office):
    with pytest.raises(DepartureRefusedError, match="在册"):
        come_back(retiree=person, on=DAY, by=office, reason="回来")
    moves(person, office)
    with pytest.raises(DepartureRefusedError, match="写明"):
        come_back(retiree=person, on=AFTER, by=office, reason=" ")
    with pytest.raises(DepartureRefusedError, match="写明"):
        take_back(retiree=person, by=office, reason=" ")
