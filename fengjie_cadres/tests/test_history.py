"""变动历史: the auditor reads who changed what, and of a person's data only that it changed."""

import datetime

import pghistory
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from branches.tests.make import make_branch
from cadres.changes import PER_PAGE
from cadres.models import Retiree
from cadres.roles import Role
from cadres.tests.make import make_care, make_retiree, make_unit, make_user
from fengjie_cadres import history_views

pytestmark = pytest.mark.django_db


@pytest.fixture
def auditor(client):
    client.force_login(make_user(role=Role.AUDITOR))


@pytest.fixture
def clerk():
    return make_user(role=Role.OFFICE_STAFF, name="王科长")


def shown(client, **asked) -> str:
    response = client.get("/history/", asked)
    assert response.status_code == 200
    return response.content.decode()


def renamed(unit, name: str, by) -> None:
    with pghistory.context(user=by.pk):
        unit.name = name
        unit.save()


def test_the_auditor_reads_who_changed_what(client, auditor, clerk):
    renamed(make_unit("旧单位"), "新单位", by=clerk)
    page = shown(client, about="cadres.unit")
    assert "王科长" in page
    assert "旧单位 → 新单位" in page


def test_what_is_gone_is_named_still(client, auditor):
    unit = make_unit("撤销的局")
    unit.delete()
    page = shown(client, about="cadres.unit")
    assert "删除" in page
    assert "撤销的局" in page


def sick(client) -> str:
    """The page after somebody's health and stay in hospital were written down."""
    person = make_retiree(name="冉启明", health="ill", skills="二胡")
    person.skills = "书法"
    person.save()
    make_care(person, place="县医院", words="摔了一跤")
    return shown(client) + shown(client, about="cadres.carerecord")


def test_of_a_person_only_that_something_changed(client, auditor):
    page = sick(client)
    assert "冉启明" in page
    assert "已更改" in page
    for told in ("二胡", "书法", "县医院", "摔了一跤", "住院"):
        assert told not in page


def test_without_the_classification_it_would_be_told(client, auditor, monkeypatch):
    monkeypatch.setattr(history_views, "hides_of", lambda model: lambda column: False)
    assert "书法" in sick(client)


@pytest.mark.parametrize("role", [Role.LEADER, Role.RETIREE, Role.CONTACT, None])
def test_nobody_else_reads_it(client, role):
    client.force_login(make_user(role=role) if role else make_user())
    assert client.get("/history/").status_code == 403


def test_by_user_and_by_day(client, auditor, clerk):
    other = make_user(role=Role.OFFICE_HEAD, name="李主任")
    one, two = make_unit("甲局"), make_unit("丙局")
    renamed(one, "乙局", by=clerk)
    renamed(two, "丁局", by=other)
    page = shown(client, about="cadres.unit", who=clerk.pk)
    assert "甲局 → 乙局" in page
    assert "丙局 → 丁局" not in page
    long_ago = datetime.date(2020, 1, 1)
    assert "没有符合条件的变动" in shown(client, about="cadres.unit", until=long_ago)
    assert "丁局" in shown(client, about="cadres.unit", since=long_ago)


@pytest.mark.parametrize(
    "asked",
    [
        {"about": "auth.user"},
        {"about": "cadres.accessentry"},
        {"who": "x"},
        {"who": "99999999999999999999"},
        {"since": "2025-02-30"},
        {"page": "-1"},
    ],
)
def test_nonsense_is_passed_over(client, auditor, asked):
    make_retiree(name="冉启明")
    assert "冉启明" in shown(client, **asked)


def test_the_last_of_a_page_is_compared_with_what_was_before(client, auditor, clerk):
    unit = make_unit("第零局")
    for i in range(PER_PAGE):
        renamed(unit, f"第{i + 1}局", by=clerk)
    assert "第零局 → 第1局" in shown(client, about="cadres.unit")
    assert "第零局" in shown(client, about="cadres.unit", page=2)


def test_queries_do_not_follow_the_records(client, auditor):
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            shown(client, about="branches.branch")
        return len(asked)

    make_branch("甲支部")
    few = queries()
    for name in "乙丙丁戊己":
        make_branch(f"{name}支部")
    assert queries() == few


def test_everything_that_has_a_history_can_be_asked_for(client, auditor):
    make_retiree()
    kinds = history_views.tracked_models()
    assert next(iter(kinds.values())) is Retiree
    assert len(kinds) > 30
    for about in kinds:
        assert shown(client, about=about)
