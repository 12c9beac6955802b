"""Users as a workbook: no passwords, no whole phones, and no role that the form would not give."""

import io

import openpyxl
import pytest
from django.urls import reverse

from cadres.models import User
from cadres.resources import UserResource
from cadres.roles import Role
from cadres.tables.resource import Outcome, load, look
from cadres.tests.make import make_retiree, make_user, some_community
from cadres.tests.workbooks import saved, workbook

pytestmark = pytest.mark.django_db
HEADINGS = ["用户名", "姓名", "手机号", "角色", "所在村(社区)", "启用"]


def users(*rows: list) -> bytes:
    return workbook([HEADINGS, *rows])


def looked(content: bytes, by: User) -> Outcome:
    made = UserResource(acting=by)
    return look(resource=made, table=made.file_format().create_dataset(content))


def loaded(content: bytes, by: User) -> Outcome:
    made, seen = UserResource(acting=by), looked(content, by)
    table = made.file_format().create_dataset(content)
    return load(resource=made, table=table, expected=seen.fingerprint, by=by)


def words(content: bytes, by: User) -> str:
    (line,) = looked(content, by).lines
    return str(line.faults)


@pytest.fixture
def staff(db):
    return make_user(role=Role.OFFICE_STAFF)


@pytest.fixture
def head(db):
    return make_user(role=Role.OFFICE_HEAD)


def test_new_users_cannot_log_in_until_they_are_given_a_password(staff):
    loaded(users(["xinren", "新人", "13811112222", "工作人员、领导", None, None]), staff)
    user = User.objects.get(username="xinren")
    assert (user.name, user.phone, user.is_staff) == ("新人", "13811112222", True)
    assert user.must_change_password
    assert not user.has_usable_password()
    assert {g.name for g in user.groups.all()} == {"工作人员", "领导"}
    assert user.phone_digest


def test_export_holds_no_password_and_no_whole_phone(client, staff):
    make_user(username="yige", name="一个", phone="13811112222", retiree=make_retiree(name="本人"))
    client.force_login(staff)
    response = client.get(reverse("admin:cadres_user_export"), {"q": "yige"})
    book = openpyxl.load_workbook(io.BytesIO(response.content))
    rows = [[cell.value for cell in row] for row in book.active.iter_rows()]
    assert rows[0] == ["用户名", "姓名", "手机号", "角色", "所在村(社区)", "老同志本人", "启用"]
    assert rows[1][:3] == ["yige", "一个", "138****2222"]
    assert rows[1][5:] == ["本人", "是"]
    assert "13811112222" not in str(rows)
    assert "md5" not in str(rows)


def test_own_export_comes_back_unchanged(client, staff, head):
    make_user(phone="13811112222", role=Role.LEADER)
    make_user(role=Role.CONTACT, community=some_community())
    make_user(role=Role.RETIREE, retiree=make_retiree())
    client.force_login(staff)
    response = client.get(reverse("admin:cadres_user_export"))
    outcome = looked(response.content, staff)
    assert {line.kind for line in outcome.lines} == {"skip"}
    assert len(outcome.lines) == User.objects.count()


@pytest.mark.parametrize("role", ["负责人", "审计"])
def test_only_the_head_gives_the_high_roles(staff, head, role):
    content = users(["xinren", "新人", None, role, None, None])
    assert "只有负责人可以指定或取消" in words(content, staff)
    assert loaded(content, head).count("new") == 1


def test_only_the_head_takes_a_high_role_away(staff, head):
    auditor = make_user(role=Role.AUDITOR)
    content = users([auditor.username, None, None, "领导", None, None])
    assert "只有负责人" in words(content, staff)
    loaded(content, head)
    assert [g.name for g in auditor.groups.all()] == ["领导"]


def test_nobody_changes_the_own_roles(staff, head):
    for user in (staff, head):
        content = users([user.username, None, None, "工作人员、领导", None, None])
        assert "不能改自己的角色" in words(content, user)


def test_the_heads_account_is_not_the_staffs_to_change(staff, head):
    boss = make_user(is_superuser=True, is_staff=True)
    for user in (head, boss):
        content = users([user.username, "改名", None, None, None, None])
        assert "只有负责人能改" in words(content, staff)


def test_roles_follow_the_rules_of_the_form(staff):
    contact = users(["xinren", "新人", None, "村社区联络员", None, None])
    assert "请填写所在村(社区)" in words(contact, staff)
    place = some_community()
    said = f"{place.township.name}{place.short_name}"
    assert loaded(users(["x1", "新人", None, "村社区联络员", said, None]), staff).count("new")
    assert User.objects.get(username="x1").community == place
    retiree = users(["xinren", "新人", None, "老同志", None, None])
    assert "要指定是哪一位" in words(retiree, staff)
    assert "没有“支部书记”这个角色" in words(
        users(["xinren", "新人", None, "支部书记", None, None]), staff
    )


def test_a_role_at_the_desk_given_or_taken_opens_or_closes_it(head):
    user = make_user(role=Role.OFFICE_STAFF)
    loaded(users([user.username, None, None, "领导", None, None]), head)
    user.refresh_from_db()
    assert not user.is_staff
    loaded(users([user.username, None, None, "工作人员", None, None]), head)
    user.refresh_from_db()
    assert user.is_staff


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (["13811112222", "新人", None, None, None, None], "用户名不能是手机号"),
        (["xinren", None, None, None, None, None], "新增要填写姓名"),
        (["xinren", "新人", "138", None, None, None], "手机号是 11 位数字"),
        (["xinren", "新人", "138****2222", None, None, None], "手机号是 11 位数字"),
        (["xinren", "新人", "13899998888", None, None, None], "已经是别的用户的"),
        (["xinren", "新人", None, None, "火星村", None], "没有“火星村”这个村(社区)"),
        (["xinren", "新人", None, None, None, "也许"], "请填：是、否"),
    ],
)
def test_a_bad_cell_is_a_sentence(staff, row, said):
    make_user(phone="13899998888")
    assert said in words(users(row), staff)


def test_two_new_users_with_one_phone_are_refused(staff):
    rows = [[name, "新人", "13811112222", None, None, None] for name in ("x1", "x2")]
    assert [line.kind for line in looked(users(*rows), staff).lines] == ["new", "wrong"]


def test_nobody_closes_the_own_account(staff):
    assert "不能停用自己" in words(users([staff.username, None, None, None, None, "否"]), staff)


def test_other_columns_change_nothing(staff):
    """is_superuser, is_staff, a password: no column of ours."""
    user = make_user(username="yige")
    before = user.password
    content = workbook(
        [["用户名", "姓名", "超级用户", "is_staff", "密码"], ["yige", "改名", "是", "是", "x"]]
    )
    outcome = loaded(content, staff)
    assert outcome.unknown == ["超级用户", "is_staff", "密码"]
    user.refresh_from_db()
    assert (user.name, user.is_superuser, user.is_staff, user.password) == (
        "改名", False, False, before,
    )  # fmt: skip


def test_history_says_who_imported_and_holds_no_phone(client, staff):
    client.force_login(staff)
    content = users(["xinren", "新人", "13811112222", "领导", None, None])
    file = io.BytesIO(content)
    file.name = "用户.xlsx"
    page = client.post(reverse("admin:cadres_user_import"), {"file": file})
    assert "13811112222" not in page.content.decode()
    client.post(reverse("admin:cadres_user_process_import"), {"token": page.context["token"]})
    event = User.pgh_event_model.objects.filter(username="xinren").latest("pgh_id")
    assert event.pgh_context["user"] == staff.pk
    assert "13811112222" not in str(list(User.pgh_event_model.objects.values()))


def test_a_whole_workbook_saved_again_stays_the_same(client, staff):
    client.force_login(staff)
    book = openpyxl.load_workbook(
        io.BytesIO(client.get(reverse("admin:cadres_user_export")).content)
    )
    assert not looked(saved(book), staff).changes_something
