"""The people's list at the desk: columns, filters, search; nobody is deleted."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from branches.tests.make import make_branch, make_membership
from cadres.models import Retiree
from cadres.roles import Role
from cadres.tests.make import (
    make_area,
    make_id_number,
    make_retiree,
    make_township,
    make_unit,
    make_user,
)

pytestmark = pytest.mark.django_db
LIST = "admin:cadres_retiree_changelist"
MAN = make_id_number("1953-07-15", sex="M", serial=1)
WOMAN = make_id_number("1953-07-15", sex="F", serial=1)
WRONG_DIGIT = MAN[:17] + ("0" if MAN[17] != "0" else "1")


@pytest.fixture
def staff(client):
    user = make_user(role=Role.OFFICE_STAFF)
    client.force_login(user)
    return user


def names(client, **query) -> list[str]:
    response = client.get(reverse(LIST), query)
    assert response.status_code == 200
    return [person.name for person in response.context["cl"].result_list]


def test_list_shows_what_is_needed_and_masks_the_phone(client, staff):
    unit, township = make_unit("县某某局"), make_township(name="某某街道")
    person = make_retiree(
        name="张三", unit=unit, township=township, phone="13812345678", id_number=MAN,
        birth_date="1953-07-15", sex="M", activity_class="",
    )  # fmt: skip
    make_membership(person, make_branch("某某社区离退休干部党支部"))
    page = client.get(reverse(LIST)).content.decode()
    for shown in ("张三", "男", "县某某局", "某某社区党支部", "未分类", "某某街道", "在册"):
        assert shown in page
    assert "138****5678" in page
    assert "13812345678" not in page
    assert MAN not in page


def test_list_is_ordered_by_pinyin(client, staff):
    for name in ("周一", "安二", "单三"):
        make_retiree(name=name)
    assert names(client) == ["安二", "单三", "周一"]


def test_list_asks_the_same_number_of_questions_for_one_and_for_fifty(client, staff):
    def add(number):
        person = make_retiree(name=f"张{number}", unit=make_unit(name=f"单位{number}"))
        make_membership(person, make_branch())

    def queries():
        with CaptureQueriesContext(connection) as asked:
            client.get(reverse(LIST))
        return len(asked)

    add(0)
    client.get(reverse(LIST))
    for_one = queries()
    for number in range(1, 50):
        add(number)
    assert queries() == for_one


def _two_people():
    area, other = make_area(), make_area()
    here, there = make_township(area=area), make_township(area=other)
    school = make_unit(sector="教育", unit_level="县级")
    hall = make_unit(sector="乡镇街道", unit_level="乡镇级")
    today = timezone.localdate()
    one = make_retiree(
        name="甲", township=here, unit=school, activity_class="A", rank="科员级", sex="M",
        birth_date=f"{today.year - 65}-01-01", political_status="member",
    )  # fmt: skip
    make_retiree(
        name="乙", township=there, unit=hall, activity_class="", rank="县处级正职", sex="F",
        birth_date=f"{today.year - 95}-01-01", political_status="masses",
        status="deceased", died_on=today,
    )  # fmt: skip
    branch = make_branch()
    make_membership(one, branch)
    return {"area": area, "township": here, "unit": school, "branch": branch}


@pytest.mark.parametrize(
    ("box", "value"),
    [
        ("activity_class", "A"),
        ("township", None),
        ("area", None),
        ("branch", None),
        ("unit", None),
        ("sector", "教育"),
        ("unit_level", "县级"),
        ("rank", "科员级"),
        ("sex", "M"),
        ("age", "60-69"),
        ("political_status", "member"),
        ("status", "active"),
    ],
)
def test_filter_narrows_the_list(client, staff, box, value):
    made = _two_people()
    assert names(client) == ["甲", "乙"]
    assert names(client, **{box: value or made[box].pk}) == ["甲"]


def test_filter_finds_the_unclassed_and_the_oldest(client, staff):
    _two_people()
    assert names(client, activity_class="none") == ["乙"]
    assert names(client, age="90-") == ["乙"]


@pytest.mark.parametrize("value", ["99999", "x", "\0", "'", "-1", ""])
@pytest.mark.parametrize("box", ["township", "age", "branch", "status", "rank"])
def test_filter_ignores_what_is_no_choice(client, staff, box, value):
    _two_people()
    assert names(client, **{box: value}) == ["甲", "乙"]


def test_branch_filter_leaves_out_who_was_served_once(client, staff):
    person, branch = make_retiree(), make_branch()
    make_membership(person, branch, until=datetime.date(2021, 1, 1))
    assert names(client, branch=branch.pk) == []


def test_filters_stay_when_searching_and_paging_and_the_word_when_filtering(client, staff):
    township = make_township()
    for number in range(51):
        make_retiree(name=f"王{chr(0x4E00 + number)}", township=township)
    page = client.get(reverse(LIST), {"township": township.pk, "q": "王"}).content.decode()
    assert f'<option value="{township.pk}" selected>' in page
    assert 'name="q" value="王"' in page
    assert f"q=%E7%8E%8B&amp;township={township.pk}" in page
    assert "清除筛选" in page
    assert "筛选" in page
    assert len(names(client, township=township.pk, q="王", p=2)) == 1


@pytest.mark.parametrize(
    "words",
    ["单三", "三", "shan", "shansan", "ss", "dansan", MAN[-4:], "13812345678", f"单 {MAN[-4:]}"],
)
def test_search_finds_by_name_pinyin_initials_last_four_and_phone(client, staff, words):
    make_retiree(name="单三", id_number=MAN, birth_date="1953-07-15", sex="M", phone="13812345678")
    make_retiree(name="李四")
    assert names(client, q=words) == ["单三"]


@pytest.mark.parametrize("words", ["1381234", MAN[-3:], MAN[:4], "19530715"])
def test_search_does_not_tell_numbers_piece_by_piece(client, staff, words):
    make_retiree(name="单三", id_number=MAN, birth_date="1953-07-15", sex="M", phone="13812345678")
    assert names(client, q=words) == []


@pytest.mark.parametrize("words", ["'", "\\", ":*", "&|!", "x" * 5000, "王\0", "' OR 1=1 --", "()"])
def test_search_takes_odd_words(client, staff, words):
    make_retiree(name="王五")
    assert client.get(reverse(LIST), {"q": words}).status_code == 200
    suggestions = {"app_label": "branches", "model_name": "membership", "field_name": "retiree"}
    url = reverse("admin:autocomplete")
    assert client.get(url, {**suggestions, "term": words}).status_code == 200


def test_nobody_can_be_deleted(client, staff):
    person = make_retiree()
    staff.is_superuser = staff.is_staff = True
    staff.save()
    url = reverse("admin:cadres_retiree_delete", args=[person.pk])
    assert client.post(url, {"post": "yes"}).status_code == 403
    client.post(reverse(LIST), {"action": "delete_selected", "_selected_action": person.pk})
    assert Retiree.objects.filter(pk=person.pk).exists()


@pytest.mark.parametrize("role", [Role.LEADER, Role.CONTACT, Role.RETIREE, Role.AUDITOR])
def test_others_do_not_reach_the_desk(client, role):
    client.force_login(make_user(role=role))
    assert client.get(reverse(LIST)).status_code in (302, 403)
