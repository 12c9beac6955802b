"""Passwords that somebody else chose, changing one's own, and the password again."""

import pytest
from django.test import Client
from django.urls import reverse

from branches.models import ImportBatch
from branches.tests.make import written
from cadres.models import Export, User
from cadres.roles import Role
from cadres.tests.make import PASSWORD, make_retiree, make_user
from cadres.tests.workbooks import person, roster_of
from cadres.throttle import is_closed
from fengjie_cadres import demo

pytestmark = pytest.mark.django_db
NEW = "yi-ge-xin-de-2026"


def change(client, old=PASSWORD, new=NEW, again=None):
    filled = {"old_password": old, "new_password": new, "new_password_again": again or new}
    return client.post("/password/", filled)


def text(response) -> str:
    return response.content.decode()


@pytest.fixture
def staff():
    return make_user(role=Role.OFFICE_STAFF, username="wang", name="王科长")


# ---- a first password ----------------------------------------------------------------------------


@pytest.mark.parametrize("role", [*Role, ""])
def test_a_first_password_has_to_be_changed_before_anything_else(client, role):
    user = make_user(role=role, must_change_password=True)
    client.force_login(user)
    for address in ("/", "/people/", "/imports/", "/admin/", "/access/", "/two-step/", "/resume/"):
        assert client.get(address).url == "/password/", address
    assert client.post("/imports/new/", {}).url == "/password/"
    assert client.post("/role/", {"role": "x"}).url == "/password/"
    assert "请先换成自己的密码" in text(client.get("/password/"))
    assert change(client).url == "/"
    assert client.get("/").status_code == 200
    user.refresh_from_db()
    assert not user.must_change_password


def test_what_stays_open_with_a_first_password(client):
    client.force_login(make_user(must_change_password=True))
    for address in ("/privacy/", "/healthz"):
        assert client.get(address).status_code == 200
    assert client.post("/text-size/", {"size": "size-24", "next": "/password/"}).url == "/password/"
    assert client.post("/still-here/").status_code == 204
    assert client.post("/logout/").url == "/login/"


def test_a_password_of_ones_own_changes_nothing_else(client, staff):
    """The negative control: without the mark every page is open."""
    client.force_login(staff)
    assert client.get("/people/").status_code == 200


def test_a_new_user_of_the_desk_gets_a_first_password(client, staff):
    client.force_login(staff)
    filled = {"username": "chen", "name": "陈", "password1": NEW, "password2": NEW}
    assert client.post(reverse("admin:cadres_user_add"), filled).status_code == 302
    assert User.objects.get(username="chen").must_change_password


def test_a_reset_password_is_a_first_password_again(client, staff):
    leader = make_user(role=Role.LEADER)
    client.force_login(staff)
    address = reverse("admin:auth_user_password_change", args=[leader.pk])
    filled = {"password1": NEW, "password2": NEW, "set-password": "1"}
    assert client.post(address, filled).status_code == 302
    leader.refresh_from_db()
    assert leader.must_change_password
    assert leader.check_password(NEW)


def test_an_ordinary_change_of_a_user_marks_nothing(client):
    head = make_user(role=Role.OFFICE_HEAD)
    leader = make_user(role=Role.LEADER, username="zhang", name="张")
    client.force_login(head)
    filled = {"username": "zhang", "name": "张部长", "is_active": "on",
              "groups": [leader.groups.get().pk]}  # fmt: skip
    address = reverse("admin:cadres_user_change", args=[leader.pk])
    assert client.post(address, filled).status_code == 302
    leader.refresh_from_db()
    assert leader.name == "张部长"
    assert not leader.must_change_password


@pytest.mark.slow
def test_the_demos_log_ins_are_not_marked(settings):
    settings.DEMO = True
    demo.load()
    assert not User.objects.filter(must_change_password=True).exists()


# ---- one's own -----------------------------------------------------------------------------------


def test_changing_ends_the_other_sessions_and_not_this_one(client, staff):
    elsewhere = Client()
    for browser in (client, elsewhere):
        browser.force_login(staff)
    assert change(client).url == "/"
    assert client.get("/people/").status_code == 200
    assert "/login/" in elsewhere.get("/people/").url
    staff.refresh_from_db()
    assert staff.check_password(NEW)


@pytest.mark.parametrize(
    ("filled", "sentence"),
    [
        ({"old": "wrong"}, "密码不对"),
        ({"old": ""}, "请填写现在的密码"),
        ({"new": ""}, "请填写新密码"),
        ({"new": PASSWORD}, "要和现在的不一样"),
        ({"again": "something-else"}, "两遍新密码不一样"),
        ({"new": "x1"}, "太短"),
        ({"new": "12345678901"}, "全是数字"),
        ({"new": "password1"}, "太常见"),
        ({"new": "wang-wang"}, "太像"),
        ({"new": "138-0000-1111-x"}, "太像"),
    ],
)
def test_a_password_that_will_not_do_is_a_sentence(client, filled, sentence):
    user = make_user(username="wang-wang", phone="13800001111")
    client.force_login(user)
    page = change(client, **filled)
    assert page.status_code == 200
    assert sentence in text(page)
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_the_demos_password_is_nobodys_outside_the_demo(client, staff, settings):
    client.force_login(staff)
    settings.DEMO = False
    assert "太常见" in text(change(client, new=settings.DEMO_PASSWORD))


def test_the_rules_stand_on_the_page_in_words(client, staff):
    client.force_login(staff)
    page = text(client.get("/password/"))
    for words in ("至少 8 个字符", "全是数字", "常用的密码", "用户名、姓名、手机号"):
        assert words in page


def test_the_desk_has_no_page_of_its_own_for_it(client, staff):
    client.force_login(staff)
    assert client.get("/admin/password_change/").url == "/password/"
    assert client.post("/admin/password_change/", {"old_password": PASSWORD}).url == "/password/"
    assert client.get("/admin/password_change/done/").url == "/"


def test_the_history_says_who_changed_it(client, staff):
    client.force_login(staff)
    change(client)
    event = User.pgh_event_model.objects.filter(pgh_obj_id=staff.pk).latest("pgh_id")
    assert event.pgh_context["user"] == staff.pk
    assert NEW not in str(event.__dict__)


def test_reading_the_page_changes_nothing(client, staff):
    client.force_login(staff)
    before = User.objects.values().get(pk=staff.pk)
    client.get("/password/")
    assert User.objects.values().get(pk=staff.pk) == before


# ---- the password again --------------------------------------------------------------------------


def full_export(client, password):
    filled = {"is_full": "yes", "reason": "上报", "password": password}
    return client.post("/exports/new/roster/", filled)


def test_a_password_cannot_be_guessed_in_an_open_session(client, staff):
    make_retiree()
    client.force_login(staff)
    for _ in range(4):
        assert "密码不对" in text(full_export(client, "wrong"))
    assert not is_closed("wang")
    page = text(full_export(client, "wrong"))
    assert "请过十五分钟再试" in page
    assert 'value="上报"' in page
    assert "请过十五分钟再试" in text(full_export(client, PASSWORD))
    assert "请过十五分钟再试" in text(change(client))
    assert not Export.objects.exists()
    assert Client().post("/login/", {"username": "wang", "password": PASSWORD}).status_code == 429


def test_a_right_password_again_does_the_act(client, staff):
    make_retiree()
    client.force_login(staff)
    assert full_export(client, PASSWORD).status_code == 302
    assert Export.objects.get().is_full


def test_a_box_left_empty_is_no_try(client, staff):
    make_retiree()
    client.force_login(staff)
    for _ in range(6):
        assert "请填写您的登录密码" in text(full_export(client, ""))
    assert full_export(client, PASSWORD).status_code == 302


def test_undoing_an_import_asks_for_the_password(client, staff):
    batch = written(roster_of(person()))
    client.force_login(staff)
    address = f"/imports/{batch.pk}/undo/"
    assert 'name="password"' in text(client.get(batch.get_absolute_url()))
    for filled, sentence in (({}, "请填写您的登录密码"), ({"password": "wrong"}, "密码不对")):
        page = text(client.post(address, filled, follow=True))
        assert sentence in page
        assert '<details class="undo" id="undo" open>' in page
        assert ImportBatch.objects.get().state == "written"
    assert "已整批撤销" in text(client.post(address, {"password": PASSWORD}, follow=True))
    assert ImportBatch.objects.get().state == "undone"
