"""The figures of the points: figure, list and workbook agree, and everything adds up."""

import datetime
import io

import openpyxl
import pytest

from branches.tests.make import make_branch, make_membership
from cadres.models import Export, Job
from cadres.roles import Role
from cadres.tests.make import make_retiree, make_user
from fengjie_cadres.reports.exports import export_job
from fengjie_cadres.reports.figures import FIGURES
from points import actions, ledger
from points.models import Account, Transfer
from points.tests.make import awarded, make_cycle, make_rule
from points.totals import totals_by

pytestmark = pytest.mark.django_db
CODES = ["points_issued", "points_redeemed", "points_expired", "points_outstanding"]
#: Which column of the list's workbook is summed up.
SUMMED = {"points-ledger": "分数", "points-accounts": "结余"}


@pytest.fixture
def staff(client):
    user = make_user(role=Role.OFFICE_STAFF, name="王科长")
    client.force_login(user)
    return user


@pytest.fixture
def books(staff):
    """Something of every flow, in two branches and none."""
    cycle = make_cycle(2025)
    make_rule("fine", direction="deduct", points=10)
    head, people = make_user(role=Role.OFFICE_HEAD), []
    for number in range(4):
        person = make_retiree(name=f"甲{number}")
        people.append(person)
        awarded(person, 20 + number % 3)
        ledger.award(
            source=f"m:{number}", retiree=person, code="study_meeting",
            on=datetime.date(2025, 5, 1), by=staff,
        )  # fmt: skip
        if number < 2:
            make_membership(person, make_branch())
    ledger.spend(key="s:1", retiree=people[0], cycle=cycle, amount=21, by=staff)
    ledger.spend(key="s:2", retiree=people[1], cycle=cycle, amount=5, by=staff)
    ledger.refund(key="s:2", by=staff)
    ledger.reverse(source="m:0", by=staff)
    fine = {"code": "fine", "on": datetime.date(2025, 6, 1), "by": staff, "approved_by": head}
    ledger.deduct(source="d:1", retiree=people[2], **fine)
    ledger.freeze(retiree=people[3], why="去世")
    account = Account.objects.get(retiree=people[3])
    asked = actions.ask_settlement(
        account=account, kind="void", receiver="", reason="无家属", by=staff
    )
    actions.decide_settlement(settlement=asked, agreed=True, by=head)
    return cycle


def workbook(client, kind: str, query: str = "") -> list[list]:
    """Heading and rows of the workbook of a filter."""
    response = client.post(f"/exports/new/{kind}/?{query}")
    assert response.status_code == 302, response.status_code
    export = Export.objects.latest("pk")
    export_job(export.job or Job(params={"export": export.pk}))
    export.refresh_from_db()
    sheet = openpyxl.load_workbook(io.BytesIO(export.file.read())).active
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=3)]
    return [rows[0], *(row for row in rows[1:] if isinstance(row[0], int))]


def summed(rows: list[list], label: str) -> int:
    column = rows[0].index(label)
    return sum(row[column] for row in rows[1:])


@pytest.mark.parametrize("code", CODES)
def test_figure_list_and_workbook_agree(client, staff, books, code):
    figure = FIGURES[code]
    number = figure.count(staff)
    assert number > 0
    assert client.get(figure.address()).context["total"] == number
    query = figure.address().partition("?")[2]
    found = summed(workbook(client, figure.table, query), SUMMED[figure.table])
    assert abs(found) == number


def test_one_more_award_moves_its_figures(staff, books):
    before = {code: FIGURES[code].count(staff) for code in CODES}
    awarded(make_retiree(name="新来"), 7)
    after = {code: FIGURES[code].count(staff) for code in CODES}
    moved = {code: after[code] - before[code] for code in CODES if after[code] != before[code]}
    assert moved == {"points_issued": 7, "points_outstanding": 7}


def test_every_year_adds_up(staff, books):
    found = totals_by("cycle", Transfer.objects.all(), Account.objects.of_members())[books.pk]
    assert found.adds_up
    assert found.flows["issued"] == (
        found.flows["redeemed"] + found.flows["expired"] + found.outstanding
    )
    found.outstanding += 1
    assert not found.adds_up  # the negative control


def test_every_figure_of_the_page_says_what_its_list_says(client, staff, books):
    context = client.get("/points/figures/?year=2025").context
    asked = 0
    for row in context["branches"]:
        for flow, points in row["cells"]:
            address = f"/points/ledger/?year=2025&branch={row['key']}&flow={flow}"
            assert client.get(address).context["total"] == points, address
            asked += points != 0
        address = f"/points/accounts/?year=2025&branch={row['key']}"
        assert client.get(address).context["total"] == row["totals"].outstanding
    for row in context["rules"]:
        address = f"/points/ledger/?year=2025&rule={row['key']}&flow=issued"
        assert client.get(address).context["total"] == row["points"], address
    assert asked >= 4
    (year,) = [row for row in context["years"] if row["key"] == 2025]
    assert sum(row["points"] for row in context["rules"]) == year["totals"].flows["issued"]
    for flow, points in year["cells"]:
        of_branches = sum(dict(row["cells"])[flow] for row in context["branches"])
        assert of_branches == points


def test_the_ledgers_workbook_says_what_and_who(client, staff, books):
    rows = workbook(client, "points-ledger", "year=2025&kind=spend")
    found = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    assert [(row["姓名"], row["什么事"], row["分数"], row["计入"]) for row in found] == [
        ("甲0", "兑换", -21, "兑换"),
        ("甲1", "兑换", -5, "兑换"),
    ]
    assert {row["谁确认的"] for row in found} == {"王科长"}


def test_the_rankings_workbook_counts_places_as_in_competitions(client, staff):
    make_cycle(2025)
    for name, points in (("甲", 9), ("乙", 5), ("丙", 5), ("丁", 2)):
        awarded(make_retiree(name=name), points)
    rows = workbook(client, "points-ranking", "year=2025")
    place, earned = rows[0].index("名次"), rows[0].index("得分")
    assert [(row[place], row[earned]) for row in rows[1:]] == [(1, 9), (2, 5), (2, 5), (4, 2)]


@pytest.mark.parametrize("kind", ["points-ledger", "points-accounts", "points-ranking"])
def test_who_does_not_see_the_county_exports_no_points(client, kind):
    for role in (Role.RETIREE, Role.CONTACT, Role.AUDITOR):
        client.force_login(make_user(role=role))
        assert client.post(f"/exports/new/{kind}/").status_code == 403
