"""The workbooks of the year's end say what their pages say, to the same people."""

import datetime
import io

import openpyxl
import pytest
import time_machine

from branches.models import Branch
from branches.tests.make import make_branch, make_membership, make_secretary
from cadres.models import AccessEntry, Export, Job
from cadres.roles import Role
from cadres.tests.make import make_retiree, make_user
from fengjie_cadres.reports.exports import export_job
from points import commendations, ledger
from points.models import Account
from points.tests.make import awarded, make_cycle

pytestmark = pytest.mark.django_db
CALLS = "/exports/new/points-calls/?cycle=2025"
KINDS = ["points-rollover", "points-calls", "ranking-groups", "commendations"]


@pytest.fixture
def year():
    cycle = make_cycle(2025, redeem_until=datetime.date(2026, 1, 31), carry_percent=50)
    people = [make_retiree(name=f"甲{n}", phone="13812345678") for n in range(3)]
    make_membership(people[0], make_branch("诗城党支部"))
    with time_machine.travel("2025-12-01 10:00 +0800"):
        for person, points in zip(people, (10, 7, 4), strict=True):
            awarded(person, points)
    ledger.freeze(retiree=people[2], why="去世")
    return cycle


def rows(client, kind: str, query: str = "") -> list[list]:
    """The rows below the headings of a workbook's first sheet."""
    client.force_login(make_user(role=Role.OFFICE_STAFF))
    assert client.post(f"/exports/new/{kind}/?cycle=2025{query}").status_code == 302
    return opened(Export.objects.latest("pk"))


def opened(export: Export) -> list[list]:
    export_job(export.job or Job(params={"export": export.pk}))
    export.refresh_from_db()
    sheet = openpyxl.load_workbook(io.BytesIO(export.file.read())).worksheets[0]
    lines = [[cell.value for cell in line][1:] for line in sheet.iter_rows()]  # without 序号
    start = next(i for i, line in enumerate(lines) if "姓名" in line or "名次" in line)
    return lines[start + 1 :]


def named(found: list[list], column: int = 0) -> list[list]:
    return [line for line in found if str(line[column]).startswith("甲")]


def test_who_carries_and_who_loses(client, year):
    found = named(rows(client, "points-rollover"))
    assert [line[3:7] for line in found] == [[10, 0, 5, 5], [7, 0, 3, 4], [4, 0, 0, 0]]
    assert found[2][7] == "已冻结：去世"
    assert len(named(rows(client, "points-rollover", "&show=losing"))) == 2
    assert len(named(rows(client, "points-rollover", "&q=甲1"))) == 1


def test_whom_to_call_by_branch_with_masked_phones(client, year):
    found = named(rows(client, "points-calls"), 1)
    assert sorted(line[:5] for line in found) == [
        ["没有联系服务的支部", "甲1", "138****5678", 7, 4],
        ["诗城党支部", "甲0", "138****5678", 10, 5],
    ]


def test_a_branch_is_exported_alone(client, year):
    branch = Branch.objects.get(name="诗城党支部")
    for key, name in ((branch.pk, "甲0"), ("none", "甲1")):
        found = named(rows(client, "points-calls", f"&branch={key}"), 1)
        assert [line[1] for line in found] == [name]
        assert Export.objects.latest("pk").people == 1
    page = client.get("/points/rollover/2025/calls/").content.decode()
    for key in (branch.pk, "none"):
        assert f"/exports/new/points-calls/?cycle=2025&amp;branch={key}" in page


def test_full_phones_are_asked_for_with_a_reason_and_the_password(client, year):
    staff = make_user(role=Role.OFFICE_STAFF, password="sheng-huo-2025")
    client.force_login(staff)
    assert "完整的电话" in client.get(CALLS).content.decode()
    refused = client.post(CALLS, {"is_full": "yes", "password": "sheng-huo-2025"})
    assert "请写明用途" in refused.content.decode()
    refused = client.post(CALLS, {"is_full": "yes", "reason": "催办", "password": "x"})
    assert refused.status_code == 200
    assert not Export.objects.exists()
    filled = {"is_full": "yes", "reason": "打电话催办", "password": "sheng-huo-2025"}
    assert client.post(CALLS, filled).status_code == 302
    assert AccessEntry.objects.get().kind == "full_export"
    found = named(opened(Export.objects.get()), 1)
    assert {line[2] for line in found} == {"13812345678"}


def test_a_secretary_exports_the_calls_of_the_branch_masked(client, year):
    client.force_login(make_secretary(Branch.objects.get(name="诗城党支部")))
    page = client.get(CALLS).content.decode()
    assert "完整的电话" not in page
    assert "共 <strong>1</strong> 人" in page
    client.post(CALLS + "&branch=none", {"is_full": "yes", "reason": "x"})
    assert named(opened(Export.objects.latest("pk")), 1) == []
    client.post(CALLS, {"is_full": "yes", "reason": "x"})
    assert not Export.objects.filter(is_full=True).exists()
    found = named(opened(Export.objects.latest("pk")), 1)
    assert [line[1:3] for line in found] == [["甲0", "138****5678"]]
    assert client.get("/exports/new/points-rollover/?cycle=2025").status_code == 403


def test_who_was_commended(client, year):
    staff, head = make_user(), make_user(name="李局长")
    threshold = commendations.set_threshold(
        cycle=year, kind="certificate", points=5, amount=None, by=head
    )
    accounts = list(
        Account.objects.of_members().filter(balance__gte=5).values_list("pk", flat=True)
    )
    made = commendations.propose(threshold=threshold, accounts=accounts, by=staff)
    commendations.decide(found=made, agreed=True, by=head)
    found = named(rows(client, "commendations", "&kind=certificate"), 1)
    assert [[*line[:2], line[4], line[6]] for line in found] == [
        ["奉老证〔2025〕第 001 号", "甲0", 10, "李局长"],
        ["奉老证〔2025〕第 002 号", "甲1", 7, "李局长"],
    ]


def test_branches_and_areas(client, year):
    found = [line for line in rows(client, "ranking-groups") if line[1] == "诗城党支部"]
    assert found == [[1, "诗城党支部", 10, 10, 1, 1]]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("role", [Role.RETIREE, Role.CONTACT, Role.AUDITOR])
def test_others_have_none_of_them(client, year, kind, role):
    client.force_login(make_user(role=role))
    assert client.get(f"/exports/new/{kind}/?cycle=2025").status_code == 403


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_year_nothing_is_in_it(client, year, kind):
    client.force_login(make_user(role=Role.OFFICE_STAFF))
    for query in ("", "?cycle=x", "?cycle=99999999999999999999"):
        assert client.get(f"/exports/new/{kind}/{query}").status_code == 200
