"""历史 shows what the database itself recorded, in words and without personal numbers."""

import datetime

import pghistory
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from branches.tests.make import make_branch, make_membership, make_seat
from cadres.masking import digest
from cadres.models import Retiree
from cadres.roles import Role
from cadres.tests.make import (
    make_care,
    make_class_change,
    make_id_number,
    make_residence,
    make_retiree,
    make_review,
    make_unit,
    make_user,
)

pytestmark = pytest.mark.django_db
ID_NUMBER = make_id_number()


@pytest.fixture
def staff(client):
    user = make_user(role=Role.OFFICE_STAFF, name="王科长")
    client.force_login(user)
    return user


def history(client, obj) -> str:
    url = reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_history", args=[obj.pk])
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def change(person, **fields):
    for name, value in fields.items():
        setattr(person, name, value)
    person.save()


def test_history_names_who_and_what_with_labels(client, staff):
    person = make_retiree(political_status="masses", retired_on="2013-07")
    with pghistory.context(user=staff.pk, url="/"):
        change(person, political_status="member", retired_on="2014-08", lives_in_county=False)
    page = history(client, person)
    assert "王科长" in page
    assert "<del>群众</del> → <ins>中共党员</ins>" in page
    assert "<del>2013年7月</del> → <ins>2014年8月</ins>" in page
    assert "长期在奉居住" in page
    assert "<del>是</del> → <ins>否</ins>" in page


def test_history_says_that_a_number_changed_but_not_to_what(client, staff):
    person = make_retiree(birth_date="", phone="13812345678")
    change(person, id_number=ID_NUMBER, phone="13987654321", address="滨河路1号")
    page = history(client, person)
    assert "身份证号" in page
    assert "已更改" in page
    for secret in (ID_NUMBER, "13987654321", "13812345678", "滨河路1号", digest(ID_NUMBER)):
        assert secret not in page


def test_history_names_units_old_and_new(client, staff):
    old, new = make_unit("旧单位"), make_unit("新单位")
    person = make_retiree(unit=old)
    change(person, unit=new)
    assert "<del>旧单位</del> → <ins>新单位</ins>" in history(client, person)


def test_history_says_a_command_in_words(client, staff):
    person = make_retiree()
    with pghistory.context(command="import_roster"):
        change(person, skills="书法")
    page = history(client, person)
    assert "名册导入" in page
    assert "import_roster" not in page


def test_history_of_a_bulk_update_is_there_too(client, staff):
    person = make_retiree()
    Retiree.objects.filter(pk=person.pk).update(skills="二胡")
    assert "二胡" in history(client, person)


def test_history_shows_what_became_of_parts(client, staff):
    unit = make_unit()
    unit.aliases.create(name="已删的别名").delete()
    page = history(client, unit)
    assert "已删的别名" in page
    assert "删除" in page


def test_history_of_a_person_shows_all_that_is_recorded_beside_the_row(client, staff):
    person = make_retiree()
    make_residence(person)
    make_class_change(person, "B")
    day = datetime.date(2025, 6, 1)
    make_review(person, day, reason="身体硬朗")
    care = make_care(person, words="写错的话")
    care.words = "改好的话"
    care.save()
    person.absences.create(since=day, until=datetime.date(2025, 7, 1))
    branch = make_branch()
    make_membership(person, branch)
    make_seat(branch, person)
    page = history(client, person)
    for part in ("居住地", "转出期间", "活动类别变动", "支部关系", "支委任职"):
        assert f">{part}</h2>" in page
    assert "身体硬朗" in page
    assert "<del>写错的话</del> → <ins>改好的话</ins>" in page
    make_care(make_retiree(name="别人"), words="别人的话")
    assert "别人的话" not in history(client, person)


def test_history_of_a_user_says_which_role_was_given_and_taken(client, staff):
    user = make_user(role=Role.LEADER)
    user.groups.clear()
    page = history(client, user)
    assert "用户角色" in page
    assert page.count("领导") == 2


def test_history_of_many_entries_comes_in_pages(client, staff):
    person = make_retiree()
    for number in range(35):
        change(person, remark=f"第{number}次")
    first = history(client, person)
    assert "<del>第33次</del> → <ins>第34次</ins>" in first
    assert "第3次" not in first
    url = reverse("admin:cadres_retiree_history", args=[person.pk])
    assert "<del>第2次</del> → <ins>第3次</ins>" in client.get(url, {"page": 2}).content.decode()
    assert client.get(url, {"page": "x"}).status_code == 200


def test_history_asks_the_same_number_of_questions_at_any_length(client, staff):
    units = [make_unit(name=f"单位{n}") for n in range(4)]
    person = make_retiree(unit=units[0])
    change(person, unit=units[1])
    history(client, person)  # fills the cache of content types
    before = _queries(client, person)
    for unit in units:
        change(person, unit=unit)
    assert _queries(client, person) == before


def _queries(client, person) -> int:
    with CaptureQueriesContext(connection) as queries:
        history(client, person)
    return len(queries)


def test_history_is_closed_to_those_who_may_not_see_the_person(client):
    client.force_login(make_user(role=Role.RETIREE))
    url = reverse("admin:cadres_retiree_history", args=[make_retiree().pk])
    assert client.get(url).status_code in (302, 403)


def test_units_are_found_by_alias_once(client, staff):
    unit = make_unit("测试学校", aliases=("某某校", "县某某校"))
    for _ in range(3):
        make_retiree(unit=unit)
    page = client.get(reverse("admin:cadres_unit_changelist"), {"q": "某某校"})
    found = page.context["cl"].result_list
    assert [(u.name, u.people) for u in found] == [(unit.name, 3)]
