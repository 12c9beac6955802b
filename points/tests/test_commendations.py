"""表彰激励: thresholds by the head, a list by the staff, numbers when the head agrees; rankings."""

import pytest
from django.db import DatabaseError, transaction

from branches.tests.make import make_branch, make_membership
from cadres.roles import Role
from cadres.tests.make import make_retiree, make_user
from points import commendations, ledger
from points.models import Account, Commendation, CommendationList, Threshold
from points.tests.make import awarded, make_cycle

pytestmark = pytest.mark.django_db
YEAR = "/points/commendations/2025/"


@pytest.fixture
def head():
    return make_user(role=Role.OFFICE_HEAD, name="李局长")


@pytest.fixture
def staff():
    return make_user(role=Role.OFFICE_STAFF, name="王科长")


@pytest.fixture
def cycle():
    return make_cycle()


def rich(*points: int) -> list:
    found = [make_retiree(name=f"甲{n}") for n in range(len(points))]
    for person, much in zip(found, points, strict=True):
        awarded(person, much)
    return found


def shown(client, user, address: str, status: int = 200) -> str:
    client.force_login(user)
    response = client.get(address)
    assert response.status_code == status, address
    return response.content.decode()


def sent(client, user, address: str, **filled) -> str:
    client.force_login(user)
    response = client.post(address, filled, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def proposed(client, head, staff, kind: str = "certificate", **more) -> CommendationList:
    """A list of everybody who reaches ten points."""
    sent(client, head, f"{YEAR}{kind}/threshold/", points="10", **more)
    accounts = Account.objects.of_members().filter(cycle__year=2025)
    reach = [pk for pk in accounts.values_list("pk", flat=True) if _earned(pk) >= 10]
    sent(client, staff, f"{YEAR}{kind}/candidates/", account=reach)
    return CommendationList.objects.latest("pk")


def _earned(pk: int) -> int:
    return Account.objects.get(pk=pk).balance


def test_from_threshold_to_numbered_certificates(client, cycle, head, staff):
    rich(12, 30, 9, 10)
    found = proposed(client, head, staff)
    assert found.people.count() == 3
    assert "甲2" not in shown(client, staff, f"/points/commendations/lists/{found.pk}/")
    assert "有 1 份表彰名单等您审批" in shown(client, head, "/")
    sent(client, head, f"/points/commendations/lists/{found.pk}/decide/", agreed="yes")
    rows = commendations.granted(cycle, "certificate")
    assert [(r.retiree.name, r.number_in_words) for r in rows] == [
        ("甲1", "奉老证〔2025〕第 001 号"),
        ("甲0", "奉老证〔2025〕第 002 号"),
        ("甲3", "奉老证〔2025〕第 003 号"),
    ]
    page = shown(client, staff, f"{YEAR}certificate/print/")
    assert page.count("荣誉证书") == 3
    assert "奉老证〔2025〕第 003 号" in shown(client, staff, f"{YEAR}certificate/")
    assert "没有达到标准" in shown(client, staff, f"{YEAR}certificate/candidates/")


def test_numbers_go_on_with_the_next_list(client, cycle, head, staff):
    rich(12)
    first = proposed(client, head, staff)
    commendations.decide(found=first, agreed=True, by=head)
    rich(50)
    threshold = Threshold.objects.get()
    accounts = list(commendations.candidates(threshold).values_list("pk", flat=True))
    second = commendations.propose(threshold=threshold, accounts=accounts, by=staff)
    commendations.decide(found=second, agreed=True, by=head)
    assert list(commendations.granted(cycle, "certificate").values_list("number", flat=True)) == [
        1, 2,
    ]  # fmt: skip


def test_a_subsidy_says_how_much(client, cycle, head, staff):
    rich(12)
    assert "请填写每人多少元" in sent(client, head, f"{YEAR}subsidy/threshold/", points="10")
    found = proposed(client, head, staff, "subsidy", amount="300")
    assert found.people.get().amount == 300
    sent(client, head, f"/points/commendations/lists/{found.pk}/decide/", agreed="yes")
    assert "奉老补〔2025〕第 001 号" in shown(client, staff, f"{YEAR}subsidy/")


def test_nobody_approves_the_own_list_and_staff_approves_none(client, cycle, head, staff):
    rich(12)
    found = proposed(client, head, head)
    address = f"/points/commendations/lists/{found.pk}/decide/"
    assert "要由另一个人审批" in sent(client, head, address, agreed="yes")
    client.force_login(staff)
    assert client.post(address, {"agreed": "yes"}).status_code == 403
    assert not Commendation.objects.granted().exists()
    with pytest.raises(DatabaseError), transaction.atomic():  # past the sentence
        CommendationList.objects.update(state="approved", decided_by=head)


def test_declined_needs_a_reason_and_frees_the_people(client, cycle, head, staff):
    rich(12)
    found = proposed(client, head, staff)
    address = f"/points/commendations/lists/{found.pk}/decide/"
    assert "请写明原因" in sent(client, head, address, agreed="no")
    sent(client, head, address, agreed="no", words="标准太低")
    assert CommendationList.objects.get().state == "declined"
    assert commendations.candidates(Threshold.objects.get()).count() == 1


def test_one_list_waits_at_a_time_and_strangers_are_not_proposed(client, cycle, head, staff):
    people = rich(12, 15, 3)
    found = proposed(client, head, staff)
    assert found.people.count() == 2
    poor = Account.objects.get(retiree=people[2]).pk
    page = sent(client, staff, f"{YEAR}certificate/candidates/", account=[poor])
    assert "已有一份名单在等审批" in page
    commendations.decide(found=found, agreed=False, by=head, words="x")
    for accounts in ([poor], [10**17], []):
        with pytest.raises(commendations.CommendationRefusedError):
            commendations.propose(threshold=Threshold.objects.get(), accounts=accounts, by=staff)
    assert CommendationList.objects.count() == 1


def test_the_frozen_and_those_who_left_are_no_candidates(client, cycle, head, staff):
    people = rich(12, 15, 20)
    ledger.freeze(retiree=people[0], why="核实")
    type(people[1]).objects.filter(pk=people[1].pk).update(status="deceased", died_on="2025-06-01")
    sent(client, head, f"{YEAR}commended/threshold/", points="10")
    page = shown(client, staff, f"{YEAR}commended/candidates/")
    assert "共 <strong>1</strong> 人" in page


def test_decided_again_it_stays_and_its_rows_do_not_change(client, cycle, head, staff):
    rich(12)
    found = proposed(client, head, staff)
    commendations.decide(found=found, agreed=True, by=head)
    again = commendations.decide(found=found, agreed=False, by=make_user(), words="x")
    assert again.state == "approved"
    with pytest.raises(DatabaseError), transaction.atomic():
        Commendation.objects.update(number=9)


@pytest.mark.parametrize("role", [Role.LEADER, Role.RETIREE, Role.CONTACT, Role.AUDITOR])
def test_others_see_and_do_nothing_of_it(client, cycle, role):
    (person,) = rich(12)
    user = make_user(role=role, **({"retiree": person} if role == Role.RETIREE else {}))
    for address in ("", "certificate/", "certificate/print/", "certificate/threshold/"):
        shown(client, user, YEAR + address, 403)


# ---- rankings ------------------------------------------------------------------------------------


def test_branches_stand_by_what_each_has_earned_a_head(client, cycle, staff):
    people, names = rich(10, 20, 9, 30), ["甲支部", "乙支部", "丙支部"]
    branches = [make_branch(name) for name in names]
    homes = (0, 0, 1, 2)
    for person, place in zip(people, homes, strict=True):
        make_membership(person, branches[place])
    make_membership(make_retiree(name="没有分"), branches[2])
    page = shown(client, staff, "/points/ranking/branches/?year=2025")
    order = sorted(names, key=page.index)
    assert order in (["甲支部", "丙支部", "乙支部"], ["丙支部", "甲支部", "乙支部"])
    assert page.count('<td class="amount">15.0</td>') == 2  # the same average, the same place
    assert page.count('<tr><td class="amount">1</td>') == 2
    assert '<tr><td class="amount">3</td>' in page
    shown(client, make_user(role=Role.LEADER), "/points/ranking/areas/")
    shown(client, make_user(role=Role.CONTACT), "/points/ranking/areas/", 403)
    shown(client, staff, "/points/ranking/nothing/", 404)
