"""`manage.py createoffice`: the first two accounts, and the way back in for who is locked out."""

import io

import pytest
from django.core.management import call_command
from django.db import connection

from cadres import two_step
from cadres.models import User
from cadres.roles import Role, has_role
from cadres.tests.make import make_user
from cadres.throttle import is_closed
from fengjie_cadres.tests.test_two_step import with_phone

pytestmark = pytest.mark.django_db
NAMES = {
    "head_username": "ju", "head_name": "李局长", "staff_username": "ke", "staff_name": "王科长",
}  # fmt: skip


def createoffice(**options) -> tuple[int, str, str]:
    """Exit code, what was printed, what was complained about."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("createoffice", stdout=out, stderr=err, **options)
    except SystemExit as end:
        return end.code, out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def passwords(printed: str) -> list[str]:
    return [line.rpartition(" ")[2] for line in printed.splitlines() if "一次性密码 " in line]


def test_head_and_staff_are_made_with_passwords_shown_once(client):
    code, printed, _ = createoffice(**NAMES)
    head, staff = User.objects.get(username="ju"), User.objects.get(username="ke")
    assert code == 0
    assert has_role(head, Role.OFFICE_HEAD)
    assert has_role(staff, Role.OFFICE_STAFF)
    assert head.is_staff
    assert head.must_change_password
    assert staff.must_change_password
    first, second = passwords(printed)
    assert first != second
    assert client.post("/login/", {"username": "ju", "password": first}).status_code == 302
    assert client.get("/").url == "/password/"
    assert first not in str(list(User.pgh_event_model.objects.values()))


def test_the_accounts_say_in_the_history_where_they_come_from():
    createoffice(**NAMES)
    events = User.pgh_event_model.objects.filter(username="ju")
    assert events.latest("pgh_id").pgh_context["command"] == "createoffice"


def test_it_works_in_the_role_of_the_application():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("cadres_app",)
    assert createoffice(**NAMES)[0] == 0


def test_a_second_time_is_refused_and_changes_nothing():
    createoffice(**NAMES)
    code, printed, error = createoffice(**NAMES | {"head_username": "x", "staff_username": "y"})
    assert (code, printed) == (1, "")
    assert "已经有负责人了" in error
    assert User.objects.count() == 2


def test_a_disabled_head_is_no_head():
    make_user(role=Role.OFFICE_HEAD, is_active=False)
    assert createoffice(**NAMES)[0] == 0


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"staff_username": "ju"}, "不同的用户名"),
        ({"head_username": "13800001111"}, "不能是手机号"),
        ({"head_username": "taken"}, "已经有了"),
        ({"head_username": "a b"}, "不能有空格"),
        ({"head_username": "  "}, "都要填"),
        ({"staff_name": "　"}, "都要填"),
        ({"staff_username": "x" * 61}, "都要填"),
    ],
)
def test_names_that_cannot_be_are_a_sentence_and_nothing_is_made(wrong, sentence):
    make_user(username="taken")
    code, _, error = createoffice(**NAMES | wrong)
    assert code == 1
    assert sentence in error
    assert User.objects.count() == 1


def test_what_was_not_given_is_asked_for(monkeypatch):
    answers = iter(["ju", "李局长"])
    monkeypatch.setattr("builtins.input", lambda *args: next(answers))
    given = {name: NAMES[name] for name in ("staff_username", "staff_name")}
    code, printed, asked = createoffice(**given)
    assert code == 0
    assert asked == "负责人的用户名：负责人的姓名："
    assert len(passwords(printed)) == 2


def test_an_end_in_the_middle_of_the_questions_makes_nothing(monkeypatch):
    def end(*args):
        raise EOFError

    monkeypatch.setattr("builtins.input", end)
    assert createoffice()[0] == 2
    assert not User.objects.exists()


def test_reset_lets_a_locked_out_head_in_again(client):
    head = make_user(role=Role.OFFICE_HEAD, username="ju")
    with_phone(head)
    for _ in range(5):
        client.post("/login/", {"username": "ju", "password": "wrong"})
    code, printed, _ = createoffice(reset="ju")
    assert code == 0
    assert not is_closed("ju")
    assert two_step.device_of(head) is None
    (password,) = passwords(printed)
    assert client.post("/login/", {"username": "ju", "password": password}).url == "/"
    assert client.get("/people/").url == "/password/"
    event = User.pgh_event_model.objects.filter(must_change_password=True).earliest("pgh_id")
    assert event.pgh_context["command"] == "createoffice"


@pytest.mark.parametrize("who", ["leader", "off", "nobody"])
def test_reset_is_for_active_users_of_the_office_only(who):
    leader = make_user(role=Role.LEADER, username="leader")
    make_user(role=Role.OFFICE_STAFF, username="off", is_active=False)
    before = leader.password
    code, printed, error = createoffice(reset=who)
    assert (code, printed) == (1, "")
    assert "没有叫" in error
    leader.refresh_from_db()
    assert leader.password == before
