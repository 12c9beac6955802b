"""What a hostile or hasty user tried at the desk, and must not get."""

import pytest
from django.urls import reverse

from cadres.models import User
from cadres.roles import Role
from cadres.tests.make import make_id_number, make_retiree, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    user = make_user(role=Role.OFFICE_STAFF)
    client.force_login(user)
    return user


@pytest.mark.parametrize(
    "lookup",
    ["id_number__startswith", "phone__startswith", "address__contains", "name__regex",
     "id_number_digest__startswith"],
)  # fmt: skip
def test_hidden_numbers_cannot_be_read_digit_by_digit_through_a_list(client, staff, lookup):
    make_retiree(id_number=make_id_number("1953-07-15"), phone="13812345678")
    address = reverse("admin:cadres_retiree_changelist")
    assert client.get(address, {lookup: "5"}).status_code in (302, 400)
    assert client.get(address, {"sex": "M"}).status_code == 200


def test_phones_of_users_cannot_be_read_digit_by_digit(client, staff):
    address = reverse("admin:cadres_user_changelist")
    assert client.get(address, {"phone__startswith": "1"}).status_code in (302, 400)


@pytest.mark.parametrize("value", ["abc", "\0", "-1", "9" * 30])
@pytest.mark.parametrize("model", ["branches_membership", "branches_committeeseat", "cadres_user"])
def test_a_person_that_is_no_number_is_no_error(client, staff, model, value):
    address = reverse(f"admin:{model}_add")
    assert client.get(address, {"retiree": value}).status_code == 200


def test_autocomplete_takes_any_text(client, staff):
    address = reverse("admin:autocomplete")
    where = {"app_label": "branches", "model_name": "membership", "field_name": "retiree"}
    assert client.get(address, where | {"term": "\0"}).status_code == 200


def test_a_stranger_with_an_odd_encoding_gets_a_sentence(client):
    client.raise_request_exception = False
    response = client.post(
        "/login/", b"x=1", content_type="application/x-www-form-urlencoded; charset=utf-16"
    )
    assert response.status_code == 400
    assert "没有看懂" in response.content.decode()


def reset(client, user):
    return client.get(reverse("admin:auth_user_password_change", args=[user.pk]))


def test_staff_set_no_password_of_somebody_at_the_desk(client, staff):
    assert reset(client, make_user(role=Role.OFFICE_STAFF)).status_code == 403
    assert reset(client, make_user(role=Role.OFFICE_HEAD)).status_code == 403
    assert reset(client, make_user(role=Role.LEADER)).status_code == 200
    assert reset(client, staff).url == reverse("admin:password_change")


def test_the_head_sets_passwords_of_staff(client):
    client.force_login(make_user(role=Role.OFFICE_HEAD))
    assert reset(client, make_user(role=Role.OFFICE_STAFF)).status_code == 200


def test_a_new_password_stands_in_the_history_without_its_text(client, staff):
    user = make_user(role=Role.LEADER)
    events = User.pgh_event_model.objects.filter(pgh_obj_id=user.pk)
    before = events.count()
    user.set_password("xin-mi-ma-2026")
    user.save()
    assert events.count() == before + 1
    assert "xin-mi-ma" not in str(list(events.values()))


def test_a_user_name_may_not_be_somebodys_phone(client, staff):
    filled = {"username": "13811112222", "name": "甲", "password1": "a-b-c-2026",
              "password2": "a-b-c-2026"}  # fmt: skip
    response = client.post(reverse("admin:cadres_user_add"), filled)
    assert "用户名不能是手机号" in response.content.decode()
    assert not User.objects.filter(username="13811112222").exists()


def test_the_demos_password_opens_nothing_outside_the_demo(client, settings):
    make_user(username="head9", password=settings.DEMO_PASSWORD)
    filled = {"username": "head9", "password": settings.DEMO_PASSWORD}
    settings.DEMO = False
    assert client.post("/login/", filled).status_code == 200
    settings.DEMO = True
    assert client.post("/login/", filled).status_code == 302


def test_a_users_phone_is_changed_without_being_shown(client, staff):
    user = make_user(username="li", name="李", phone="13811112222")
    make_user(name="王", phone="13899998888")
    address = reverse("admin:cadres_user_change", args=[user.pk])
    page = client.get(address).content.decode()
    assert "138****2222" in page
    assert "13811112222" not in page
    filled = {"username": "li", "name": "李", "is_active": "on"}
    for typed, said in (("13899998888", "已登记在“王”名下"), ("02356520000", "11 位")):
        assert said in client.post(address, filled | {"new_phone": typed}).content.decode()
    for typed, kept in (("", "13811112222"), ("138 3333 4444", "13833334444"), ("无", None)):
        assert client.post(address, filled | {"new_phone": typed}).status_code == 302
        user.refresh_from_db()
        assert user.phone == kept


def test_who_may_not_change_an_account_sees_no_field_for_a_new_phone(client, staff):
    head = make_user(role=Role.OFFICE_HEAD, phone="13811112222")
    page = client.get(reverse("admin:cadres_user_change", args=[head.pk])).content.decode()
    assert "138****2222" in page
    assert "13811112222" not in page
    assert "new_phone" not in page
