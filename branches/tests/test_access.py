"""Who sees whom."""

import datetime
from urllib.parse import quote

import pytest

from branches.access import secretary_branches, visible_branches, visible_retirees
from branches.models import CommitteeSeat, Membership
from branches.tests.make import make_branch
from cadres.models import Retiree
from cadres.roles import Role
from cadres.tests.make import make_care, make_class_change, make_retiree, make_user

pytestmark = pytest.mark.django_db
SINCE = datetime.date(2025, 1, 1)


def served(branch, **fields):
    person = make_retiree(**fields)
    Membership.objects.create(retiree=person, branch=branch, kind="served", since=SINCE)
    return person


@pytest.fixture
def two_branches():
    """Branch, its served person and its secretary's user; twice."""
    found = []
    for number in (1, 2):
        branch = make_branch(name=f"第{number}测试支部")
        secretary = served(branch, name="书记")
        seat = CommitteeSeat.objects.create(
            branch=branch, retiree=secretary, kind="secretary", since=SINCE
        )
        found.append((branch, served(branch, name="群众"), make_user(retiree=secretary), seat))
    return found


def test_a_secretary_sees_the_served_people_of_the_own_branch(two_branches):
    (branch, person, user, _), (_, stranger, _, _) = two_branches
    assert list(visible_branches(user)) == [branch]
    assert person in visible_retirees(user)
    assert stranger not in visible_retirees(user)


def test_a_secretary_whose_seat_has_ended_sees_only_the_own_record(two_branches):
    (_, _, user, seat), _ = two_branches
    seat.until = datetime.date(2025, 2, 1)
    seat.save()
    assert not secretary_branches(user)
    assert list(visible_retirees(user)) == [user.retiree]


def test_a_person_who_is_served_elsewhere_now_is_seen_there(two_branches):
    (_, person, user, _), (other, _, other_user, _) = two_branches
    person.memberships.update(until=datetime.date(2025, 3, 1))
    Membership.objects.create(
        retiree=person, branch=other, kind="served", since=datetime.date(2025, 3, 1)
    )
    assert person not in visible_retirees(user)
    assert person in visible_retirees(other_user)


@pytest.mark.parametrize("role", [Role.OFFICE_STAFF, Role.OFFICE_HEAD, Role.LEADER])
def test_office_and_leaders_see_everybody(two_branches, role):
    assert visible_retirees(make_user(role=role)).count() == 4


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.CONTACT, None])
def test_other_roles_see_nobody(two_branches, role):
    assert not visible_retirees(make_user(role=role)).exists()


def test_a_disabled_user_sees_nobody(two_branches):
    (_, _, user, _), _ = two_branches
    user.is_active = False
    user.save()
    assert not visible_retirees(user).exists()


def _plain(response) -> list[str]:
    lines = response.content.decode().splitlines()
    return [line for line in lines if "csrfmiddlewaretoken" not in line and "/people/" not in line]


def test_somebody_elses_person_does_not_exist_for_a_secretary(client, two_branches):
    (_, person, user, _), (_, stranger, _, _) = two_branches
    client.force_login(user)
    assert client.get(f"/people/{person.pk}/").status_code == 200
    foreign = client.get(f"/people/{stranger.pk}/")
    missing = client.get("/people/999999/")
    assert foreign.status_code == missing.status_code == 404
    assert _plain(foreign) == _plain(missing)
    assert client.post(f"/people/{stranger.pk}/reveal/").status_code == 404


TAIL, PHONE = "9988", "13812345678"


@pytest.mark.parametrize("page", ["/people/", "/people/class-ledger/", "/care/", "/care/new/"])
@pytest.mark.parametrize("words", [TAIL, PHONE, "51222619530715" + TAIL, f"群众 {TAIL}", "群众"])
def test_numbers_are_searched_for_the_office_alone(client, two_branches, page, words):
    """A guess of a number is not answered to those who may not see it; a name is."""
    (_, person, secretary, _), _ = two_branches
    person.id_number, person.birth_date, person.phone = "51222619530715" + TAIL, "1953-07-15", PHONE
    person.name = "群众"
    person.save()
    make_class_change(person)
    make_care(person)
    office, leader = (make_user(role=role) for role in (Role.OFFICE_STAFF, Role.LEADER))
    for user in (office, secretary, leader):
        client.force_login(user)
        response = client.get(page, {"q": words})
        if page == "/care/new/" and user == leader:
            assert response.status_code == 403
            continue
        text = response.content.decode()
        assert (f"/people/{person.pk}/" in text or f"person={person.pk}" in text) == (
            user == office or words == "群众"
        )
        assert ("身份证号后四位" in text) <= (user == office)


@pytest.mark.parametrize("address", ["/people/", "/exports/new/roster/"])
def test_a_rank_of_somebody_elses_people_is_as_one_that_does_not_exist(
    client, two_branches, address
):
    (_, person, user, _), (_, stranger, _, _) = two_branches
    Retiree.objects.filter(pk=person.pk).update(rank="科员级")
    Retiree.objects.filter(pk=stranger.pk).update(rank="县处级正职")
    client.force_login(user)

    def asked(rank: str) -> list[str]:
        lines = _plain(client.get(address, {"rank": rank}))
        return [line.replace(rank, "").replace(quote(rank), "") for line in lines]

    assert asked("县处级正职") == asked("没有这个级")
    assert asked("科员级") != asked("没有这个级")


def test_the_list_of_a_secretary_holds_nobody_else_and_no_dead(client, two_branches):
    (branch, _, user, _), _ = two_branches
    served(branch, name="逝者", status="deceased", died_on=SINCE)
    client.force_login(user)
    home = client.get("/").content.decode()
    assert "群众" in home
    assert "逝者" not in home
    assert client.get("/people/").context["page"].paginator.count == 3
