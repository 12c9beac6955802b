"""The page of one person at the desk, and of a new one."""

import datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from branches.tests.make import make_branch
from cadres.models import Retiree
from cadres.roles import Role
from cadres.tests.make import (
    make_community,
    make_id_number,
    make_retiree,
    make_township,
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


def posted(person=None, **changed) -> dict:
    """What the form sends when nobody touches it, and what is changed."""
    data = {
        "name": "张三", "sex": "", "ethnic_group": "", "birth_date": "", "work_started": "",
        "political_status": "masses", "party_joined": "", "retired_on": "",
        "retirement_kind": "ordinary", "unit": "", "former_post": "", "rank": "",
        "treatment": "", "new_phone": "", "new_second_phone": "", "new_emergency_phone": "",
        "new_id_number": "", "emergency_contact": "", "township": "", "community": "",
        "address": "", "moved_on": "", "lives_in_county": "on", "health": "", "skills": "",
        "remark": "",
    }  # fmt: skip
    if person:
        data["version"] = person.updated_at.isoformat()
        for name in set(data) & {f.name for f in Retiree._meta.fields} - {"lives_in_county"}:
            value = getattr(person, name)
            data[name] = getattr(value, "pk", value) or ""
        for prefix in ("memberships", "residences", "class_changes"):
            data |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    return data | changed


def save(client, person, **changed):
    """Sends the page of a person; the errors, or nothing when it was saved."""
    url = reverse("admin:cadres_retiree_change", args=[person.pk])
    response = client.post(url, posted(person, **changed))
    return _errors(response, person)


def add(client, **changed):
    response = client.post(reverse("admin:cadres_retiree_add"), posted(**changed))
    return _errors(response)


def _errors(response, person=None) -> dict:
    if response.status_code == 302:
        if person:
            person.refresh_from_db()
        return {}
    assert response.status_code == 200
    return response.context["adminform"].form.errors


def test_page_masks_numbers_and_shows_the_ledgers(client, staff):
    person = make_retiree(
        id_number=MAN, birth_date="1953-07-15", sex="M", phone="13812345678",
        second_phone="13900001111", emergency_phone="13700002222", address="滨河路1号",
    )  # fmt: skip
    page = client.get(reverse("admin:cadres_retiree_change", args=[person.pk])).content.decode()
    for shown in (f"{MAN[:4]}**************", "138****5678", "139****1111", "滨河路1号"):
        assert shown in page
    for shown in ("活动类别台账", "居住地台账", "与支部的关系", "1953.07.15"):
        assert shown in page
    for secret in (MAN, "13812345678", "13900001111", "13700002222"):
        assert secret not in page
    assert 'name="activity_class"' not in page


def test_page_saved_untouched_changes_nothing(client, staff):
    community = make_community()
    person = make_retiree(
        id_number=MAN, birth_date="1953-07-15", sex="M", phone="13812345678",
        township=community.township, community=community, address="滨河路1号",
    )  # fmt: skip
    before = Retiree.objects.values().get(pk=person.pk)
    assert save(client, person) == {}
    after = Retiree.objects.values().get(pk=person.pk)
    assert {**before, "updated_at": None} == {**after, "updated_at": None}
    assert person.residences.count() == 0


def test_extra_fields_of_a_post_change_nothing(client, staff):
    person = make_retiree(activity_class="A")
    assert save(client, person, activity_class="C", id_number=MAN, first_class="C") == {}
    assert (person.activity_class, person.id_number) == ("A", None)


def test_new_id_number_fills_birth_and_sex(client, staff):
    person = make_retiree(id_number=None, birth_date="1953-07", sex="")
    assert save(client, person, new_id_number=f"{MAN[:6]} {MAN[6:14]} {MAN[14:]}") == {}
    assert (person.id_number, person.birth_date, person.sex) == (MAN, "1953-07-15", "M")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (MAN[:17], "17 位"),
        (WRONG_DIGIT, "校验不通过"),
        ("512226195302300013", "出生日期不对"),
        ("5122221953071500ab", "不该有的字符"),
    ],
)
def test_new_id_number_that_is_wrong_is_a_sentence(client, staff, number, words):
    assert words in str(save(client, make_retiree(), new_id_number=number)["new_id_number"])


def test_new_id_number_of_somebody_else_is_a_sentence(client, staff):
    make_retiree(name="李四", id_number=MAN, birth_date="1953-07-15", sex="M")
    errors = save(client, make_retiree(id_number=None), new_id_number=MAN)
    assert "已登记在“李四”名下" in str(errors["new_id_number"])


def test_birth_or_sex_unlike_the_id_number_is_a_sentence(client, staff):
    person = make_retiree(id_number=MAN, birth_date="1953-07-15", sex="M")
    assert "不一致" in str(save(client, person, birth_date="1953.08")["birth_date"])
    assert "不一致" in str(save(client, person, sex="F")["sex"])
    assert save(client, person, birth_date="1953.07") == {}
    assert person.birth_date == "1953-07-15"


def test_new_phone_is_kept_cleaned_and_nothing_takes_it_away(client, staff):
    person = make_retiree(phone="13812345678", second_phone="13900001111")
    assert save(client, person, new_phone="139-8765-4321") == {}
    assert (person.phone, person.second_phone) == ("13987654321", "13900001111")
    assert save(client, person, new_second_phone="无") == {}
    assert person.second_phone == ""
    assert "位数不对" in str(save(client, person, new_phone="12345")["new_phone"])


@pytest.mark.parametrize("typed", ["1953.07", "1953年7月", "1953-7", "195307", "１９５３．７"])
def test_month_dates_are_taken_as_they_are_typed(client, staff, typed):
    person = make_retiree(id_number=None, birth_date="")
    assert save(client, person, birth_date=typed) == {}
    assert person.birth_date == "1953-07"


@pytest.mark.parametrize("typed", ["1953.13", "昨天", "1953.02.30", "2999.01", "53.7"])
def test_dates_that_cannot_be_are_a_sentence(client, staff, typed):
    assert save(client, make_retiree(), retired_on=typed)["retired_on"]


def test_dates_out_of_order_are_a_sentence(client, staff):
    person = make_retiree(id_number=None, birth_date="1953-07")
    errors = save(client, person, work_started="1950.01")
    assert "早于出生" in str(errors)


def test_move_on_the_page_keeps_the_ledger(client, staff):
    community = make_community()
    person = make_retiree(township=None, community=None, address="")
    assert save(client, person, community=community.pk, moved_on="2024-01-01") == {}
    assert (person.township, person.community) == (community.township, community)
    assert save(client, person, address="滨河路1号") == {}
    periods = list(person.residences.order_by("since").values_list("since", "until", "address"))
    today = timezone.localdate()
    assert periods == [
        (datetime.date(2024, 1, 1), today, ""),
        (today, None, "滨河路1号"),
    ]


def test_move_before_the_last_one_is_a_sentence(client, staff):
    person = make_retiree(township=None, community=None, address="")
    save(client, person, address="滨河路1号", moved_on="2024-01-01")
    errors = save(client, person, address="诗城路2号", moved_on="2023-01-01")
    assert "2024-01-01" in str(errors["moved_on"])


def test_community_of_another_township_is_a_sentence(client, staff):
    community, township = make_community(), make_township()
    errors = save(client, make_retiree(), community=community.pk, township=township.pk)
    assert "属于" in str(errors["community"])


def test_nobody_dies_or_moves_away_on_this_page(client, staff):
    """There is one way, which also ends what ends with it: branches/departures.py."""
    person = make_retiree()
    url = reverse("admin:cadres_retiree_change", args=[person.pk])
    assert reverse("branches:departure", args=[person.pk]) in client.get(url).content.decode()
    for changed in ({"status": "deceased", "died_on": "2024-05-01"}, {"status": "moved_away"}):
        assert save(client, person, **changed) == {}
        assert (person.status, person.died_on, person.moved_away_on) == ("active", None, None)


@pytest.mark.parametrize("name", ["", "张3", "张三<b>"])
def test_name_must_be_a_name(client, staff, name):
    assert save(client, make_retiree(), name=name)["name"]


# ---- a new person ---------------------------------------------------------------------------


def test_new_person_has_a_residence_a_class_and_one_serving_branch(client, staff):
    community = make_community(short_name="某某社区")
    make_branch("测试甲支部", township=community.township)
    near = make_branch("某某社区支部", township=community.township)
    assert add(client, community=community.pk, first_class="B", new_id_number=MAN) == {}
    person = Retiree.objects.get()
    assert (person.sex, person.birth_date, person.activity_class) == ("M", "1953-07-15", "B")
    assert person.class_changes.get().decided_by == staff
    assert person.residences.get().community == community
    assert [(m.kind, m.branch) for m in person.memberships.all()] == [("served", near)]


def test_new_party_member_joins_the_chosen_branch(client, staff):
    branch = make_branch()
    assert add(client, political_status="member", branch=branch.pk) == {}
    kinds = Retiree.objects.get().memberships.values_list("kind", "branch")
    assert sorted(kinds) == [("affiliated", branch.pk), ("served", branch.pk)]


def test_new_person_without_class_is_unclassed(client, staff):
    assert add(client) == {}
    person = Retiree.objects.get()
    assert (person.activity_class, person.class_changes.count()) == ("", 0)


def test_new_person_who_is_there_already_is_a_sentence(client, staff):
    assert add(client, birth_date="1953.07") == {}
    assert "已有姓名" in str(add(client, birth_date="1953.07"))
    assert add(client, new_id_number=WOMAN) == {}
    assert "已登记" in str(add(client, new_id_number=WOMAN))
    assert Retiree.objects.count() == 2


def test_race_for_an_id_number_is_a_sentence_not_an_error(client, staff, monkeypatch):
    make_retiree(name="李四", id_number=MAN, birth_date="1953-07-15", sex="M")
    person = make_retiree(id_number=None)
    monkeypatch.setattr("cadres.admin.forms.RetireeForm.clean_new_id_number", _unchecked)
    url = reverse("admin:cadres_retiree_change", args=[person.pk])
    response = client.post(url, posted(person, new_id_number=MAN), follow=True)
    assert "没有保存" in response.content.decode()


def _unchecked(form):
    return form.cleaned_data["new_id_number"]


def test_page_that_is_older_than_the_last_change_overwrites_nothing(client, staff):
    person = make_retiree(name="张三", skills="书法")
    opened = posted(person)
    save(client, person, skills="二胡")
    url = reverse("admin:cadres_retiree_change", args=[person.pk])
    errors = _errors(client.post(url, opened | {"remark": "旧页面"}), person)
    assert "别人改过" in str(errors["__all__"])
    person.refresh_from_db()
    assert (person.skills, person.remark) == ("二胡", "")
