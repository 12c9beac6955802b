"""关心关爱台账: what is in it, and for whom without the words."""

import datetime

import pytest

from branches.tests.make import make_branch, make_membership, make_secretary
from cadres.models import Export
from cadres.roles import Role
from cadres.tests.make import make_care, make_retiree, make_user
from fengjie_cadres.tests.test_exports import asked, opened, table

pytestmark = pytest.mark.django_db


@pytest.fixture
def branch():
    return make_branch("甲支部")


@pytest.fixture
def care(branch):
    """Two records of a person of the branch, one of somebody else."""
    person = make_retiree(name="张三", birth_date="1945-03", phone="13812345678")
    make_membership(person, branch)
    make_care(
        person, "hospital", "2025-03-10", until=datetime.date(2025, 3, 24), words="=1+1",
        place="县医院", visitors="书记", entered_by=make_user(name="王科长"),
    )  # fmt: skip
    make_care(person, "visit", "2025-01-10", given="500 元")
    make_care(make_retiree(name="李四"), "visit", "2025-02-10")


def rows(export) -> list[list]:
    return table(opened(export))[1:-2]


def test_the_ledger_holds_what_the_list_shows_by_date(client, care):
    export = asked(client, make_user(role=Role.OFFICE_STAFF), kind="care-ledger")
    found = rows(export)
    assert [row[1:3] for row in found] == [
        ["2025-01-10", "张三"], ["2025-02-10", "李四"], ["2025-03-10", "张三"],
    ]  # fmt: skip
    assert [value or None for value in found[2][4:]] == [
        79, "奉节县教育委员会", "甲支部", None, "住院", "县医院", "书记", None, "=1+1",
        "2025-03-24", "王科长",
    ]  # fmt: skip
    assert export.people == 2
    assert "13812345678" not in str(found)


def test_its_filter_is_the_lists(client, care):
    staff = make_user(role=Role.OFFICE_STAFF)
    export = asked(client, staff, kind="care-ledger", query="?kind=visit&since=2025-02-01&q=李四")
    assert [row[2] for row in rows(export)] == ["李四"]
    assert export.filter_words == "种类：走访慰问；从哪天：2025-02-01；搜索：李四"


def test_a_secretary_gets_the_own_people_with_the_words(client, care, branch):
    export = asked(client, make_secretary(branch), kind="care-ledger")
    assert {row[2] for row in rows(export)} == {"张三"}
    assert "县医院" in str(rows(export))


def test_a_leader_gets_no_words(client, care):
    found = rows(asked(client, make_user(role=Role.LEADER), kind="care-ledger"))
    assert len(found) == 3
    for secret in ("县医院", "书记", "500 元", "=1+1", "2025-03-24"):
        assert secret not in str([row[9:] for row in found])


def test_numbers_in_full_are_not_to_be_had_in_it(client, care):
    staff = make_user(role=Role.OFFICE_STAFF, password="sheng-huo-2025")
    asked(client, staff, kind="care-ledger", is_full="yes", reason="x", password="sheng-huo-2025")
    assert Export.objects.get().is_full is False


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.RETIREE, Role.CONTACT])
def test_who_sees_no_lists_gets_no_ledger(client, role):
    client.force_login(make_user(role=role))
    assert client.post("/exports/new/care-ledger/").status_code == 403
