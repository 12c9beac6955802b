"""Pages of the books: who opens which, what they show, how little they ask for."""

import datetime
import re

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from branches.tests.make import make_branch, make_membership, make_secretary
from cadres.roles import Role
from cadres.tests.make import make_id_number, make_retiree, make_user
from points import ledger
from points.audit import audit, last
from points.models import Account, AuditRun
from points.tests.make import DAY, awarded, make_cycle, make_rich

pytestmark = pytest.mark.django_db
COUNTY = ["ledger", "accounts", "ranking", "figures", "rules", "audit"]


def opened(client, user, address: str, status: int = 200) -> str:
    client.force_login(user)
    response = client.get(address)
    assert response.status_code == status, (address, response.status_code)
    return response.content.decode()


def test_a_retiree_reads_the_own_bankbook_and_nobody_elses(client):
    person, other = make_rich(7), make_rich(9, name="李四")
    user = make_user(role=Role.RETIREE, retiree=person)
    page = opened(client, user, "/points/")
    assert "<strong>7</strong> 分" in page
    assert "2099年1月31日 为止兑换" in page
    opened(client, user, f"/points/people/{person.pk}/")
    opened(client, user, f"/points/people/{other.pk}/", 404)
    for name in [*COUNTY, "approvals"]:
        opened(client, user, f"/points/{name}/", 403)


def test_every_year_that_can_still_be_redeemed_has_its_box_the_older_first(client):
    person = make_retiree()
    for year, until in ((2023, "2024-01-31"), (2024, "2026-01-31"), (2025, "2026-01-31")):
        make_cycle(year, redeem_until=datetime.date.fromisoformat(until))
    for year, points in ((2023, 3), (2024, 22), (2025, 5)):
        with time_machine.travel(f"{year}-06-01 10:00 +0800"):
            awarded(person, points, on=datetime.date(year, 6, 1))
    user = make_user(role=Role.RETIREE, retiree=person)

    def boxes(query: str = "") -> list[str]:
        page = opened(client, user, f"/points/{query}")
        assert page.count("为止兑换") == 2
        return re.findall(r'<p>(\d+) 年现有积分</p><p class="big"><strong>(\d+)</strong>', page)

    with time_machine.travel("2025-06-02 10:00 +0800"):
        assert boxes() == [("2024", "22"), ("2025", "5")]
        assert "2025 年的收支" in opened(client, user, "/points/")
        assert boxes("?year=2024") == [("2024", "22"), ("2025", "5")]
        assert "2024 年的收支" in opened(client, user, "/points/?year=2024")
        assert boxes("?year=2023") == [("2023", "3"), ("2024", "22"), ("2025", "5")]


def test_a_secretary_reads_the_served_peoples_bankbooks_only(client):
    branch, mine, other = make_branch(), make_rich(5), make_rich(6, name="李四")
    make_membership(mine, branch)
    make_membership(other, make_branch())
    user = make_secretary(branch)
    assert "<strong>5</strong>" in opened(client, user, f"/points/people/{mine.pk}/")
    opened(client, user, f"/points/people/{other.pk}/", 404)
    opened(client, user, f"/points/people/{mine.pk}/adjust/", 403)
    for name in [*COUNTY, "approvals"]:
        opened(client, user, f"/points/{name}/", 403)


@pytest.mark.parametrize("role", [Role.LEADER, Role.OFFICE_STAFF, Role.OFFICE_HEAD])
def test_office_and_leaders_read_the_books(client, role):
    person = make_rich(5)
    user = make_user(role=role)
    for name in COUNTY:
        opened(client, user, f"/points/{name}/")
    opened(client, user, f"/points/people/{person.pk}/")
    client.force_login(user)
    assert client.get("/points/").url == "/points/ledger/"


def test_a_leader_changes_nothing(client):
    person = make_rich(5)
    account = Account.objects.get(retiree=person)
    user = make_user(role=Role.LEADER)
    opened(client, user, "/points/approvals/", 403)
    assert "手工加减" not in opened(client, user, f"/points/people/{person.pk}/")
    for address in (
        f"people/{person.pk}/adjust", f"people/{person.pk}/deduct", f"accounts/{account.pk}/settle",
        "rules/training/new", "adjustments/1/decide", "settlements/1/decide", "postings/1/decide",
        "shortfalls/1/decide", "shortfalls/1/waive",
    ):  # fmt: skip
        assert client.post(f"/points/{address}/", {"agreed": "yes"}).status_code == 403


def test_an_auditor_reads_the_proof_and_no_persons(client):
    make_rich(5)
    user = make_user(role=Role.AUDITOR)
    assert "还没有核对过" in opened(client, user, "/points/audit/")
    assert last() is None
    audit()
    assert last().is_clean
    assert "账目相符" in opened(client, user, "/points/audit/")
    for name in ("ledger", "accounts", "figures", "rules", "ranking", "approvals"):
        opened(client, user, f"/points/{name}/", 403)


def test_what_is_wrong_is_shown(client):
    example = {"where": "账户 17", "what": "余额 3，流水合计 2"}
    finding = {"code": "balance", "words": "账户余额与流水之和不符", "examples": [example]}
    AuditRun.objects.create(transfers=3, findings=[finding], seconds=0.1)
    page = opened(client, make_user(role=Role.AUDITOR), "/points/audit/")
    assert "账目不符" in page
    assert "账户 17：余额 3，流水合计 2" in page


def test_nobody_without_a_role_sees_points(client):
    for user in (make_user(), make_user(role=Role.CONTACT)):
        for name in ["", "ledger/", "accounts/", "approvals/", "audit/"]:
            opened(client, user, f"/points/{name}", 403)


def test_other_years_are_a_link_away(client):
    person = make_rich(7)
    make_cycle(2024)
    awarded(person, 2, on=DAY.replace(year=2024))
    user = make_user(role=Role.RETIREE, retiree=person)
    assert 'href="?year=2024"' in opened(client, user, "/points/")
    assert "<strong>2</strong>" in opened(client, user, "/points/?year=2024")
    assert "<strong>7</strong>" in opened(client, user, "/points/?year=nonsense")


def test_who_has_no_points_reads_how_to_get_some(client):
    user = make_user(role=Role.RETIREE, retiree=make_retiree())
    assert "还没有积分" in opened(client, user, "/points/")


@pytest.mark.parametrize("page", ["ledger", "accounts", "ranking", "figures"])
def test_three_people_cost_as_many_queries_as_one(client, page):
    client.force_login(make_user(role=Role.OFFICE_STAFF))
    make_membership(make_rich(3), make_branch())
    client.get(f"/points/{page}/?year=2025")
    with CaptureQueriesContext(connection) as first:
        client.get(f"/points/{page}/?year=2025")
    for number in range(2):
        make_membership(make_rich(3, name=f"甲{number}"), make_branch())
    with CaptureQueriesContext(connection) as second:
        client.get(f"/points/{page}/?year=2025")
    assert len(first) == len(second)


def test_the_ledger_is_narrowed(client):
    user = make_user(role=Role.OFFICE_STAFF)
    branch, person, other = make_branch(), make_rich(30), make_rich(20, name="李四")
    make_membership(person, branch)
    ledger.spend(
        key="s:1", retiree=other, cycle=Account.objects.get(retiree=other).cycle, amount=4, by=None
    )
    client.force_login(user)

    def found(query: str) -> tuple:
        context = client.get(f"/points/ledger/?{query}").context
        return context["page"].paginator.count, context["total"]

    assert found("") == (3, 46)
    assert found("flow=redeemed") == (1, 4)
    assert found("kind=spend") == (1, -4)
    assert found(f"branch={branch.pk}") == (1, 30)
    assert found("branch=none") == (2, 16)
    assert found("rule=test_one") == (2, 50)
    assert found("rule=none") == (1, -4)
    assert found("q=李四") == (2, 16)
    assert found("until=2025-02-28") == (0, 0)
    assert found("since=2025-03-01&until=2025-03-01") == (2, 50)
    assert found("year=2025&kind=nonsense&branch=x&since=昨天") == (3, 46)


def test_accounts_hide_the_empty_ones_and_find_the_frozen(client):
    client.force_login(make_user(role=Role.OFFICE_STAFF))
    person, empty = make_rich(3), make_rich(2, name="李四")
    cycle = Account.objects.get(retiree=empty).cycle
    ledger.spend(key="s:1", retiree=empty, cycle=cycle, amount=2, by=None)
    ledger.freeze(retiree=person, why="去世")

    def names(query: str) -> set:
        page = client.get(f"/points/accounts/?{query}").context["page"]
        return {account.retiree.name for account in page}

    assert names("") == {"张三"}
    assert names("show=zero") == {"张三", "李四"}
    assert names("show=frozen") == {"张三"}


def test_equal_points_are_an_equal_place(client):
    client.force_login(make_user(role=Role.LEADER))
    for name, points in (("甲", 9), ("乙", 5), ("丙", 5), ("丁", 2)):
        make_rich(points, name=name)
    page = client.get("/points/ranking/?year=2025").context["page"]
    assert [account.place for account in page] == [1, 2, 2, 4]
    assert [account.earned for account in page] == [9, 5, 5, 2]


def test_a_secretary_and_a_leader_guess_no_number_by_searching(client):
    person = make_rich(9, name="张三", phone="13812345678", id_number=make_id_number("1953-07-15"))
    tail = person.id_number[-4:]
    leader = make_user(role=Role.LEADER)
    staff = make_user(role=Role.OFFICE_STAFF)
    for user, is_found in ((staff, True), (leader, False)):
        client.force_login(user)
        for words in (tail, "13812345678"):
            page = client.get(f"/points/accounts/?year=2025&q={words}").content.decode()
            assert (f"/points/people/{person.pk}/" in page) == is_found, (user.roles, words)
