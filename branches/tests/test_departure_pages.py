"""The page of a departure: shown first, written once, and back to the roster one came from."""

import pytest

from branches.departures import depart
from branches.models import MissingPerson
from branches.tests.make import make_branch, make_membership, make_seat, make_secretary, written
from cadres.models import Retiree
from cadres.roles import Role
from cadres.tests.make import make_retiree, make_user
from cadres.tests.workbooks import people, roster_of

pytestmark = pytest.mark.django_db
DEATH = {"kind": "deceased", "on": "2025-06-10"}
SHOWN = {"shown": "deceased 2025-06-10"}


@pytest.fixture
def office(client):
    user = make_user(role=Role.OFFICE_STAFF)
    client.force_login(user)
    return user


@pytest.fixture
def person():
    branch = make_branch("甲支部")
    found = make_retiree(name="张三", political_status="member")
    make_membership(found, branch)
    make_seat(branch, found)
    make_user(retiree=found, username="zhangsan")
    return found


def address(person) -> str:
    return f"/departures/{person.pk}/"


def text(response) -> str:
    assert response.status_code == 200, response
    return response.content.decode()


def is_active(person) -> bool:
    return Retiree.objects.active().filter(pk=person.pk).exists()


def test_what_would_follow_is_shown_before_anything_is_written(client, office, person):
    page = text(client.get(address(person), DEATH))
    for said in ("书记一职空缺，支部没有书记了", "联系服务结束", "zhangsan", "确定登记去世"):
        assert said in page
    assert "确定登记" not in text(client.get(address(person), {"kind": "deceased"}))
    assert "确定登记" in text(client.post(address(person), DEATH))
    assert is_active(person)


def test_what_was_shown_is_written_once(client, office, person):
    page = text(client.post(address(person), DEATH | SHOWN, follow=True))
    assert "已登记张三去世" in page
    assert "状态</dt><dd>已去世" in page
    page = text(client.post(address(person), DEATH | SHOWN, follow=True))
    assert "已经登记去世（2025-06-10），不用再登记" in page


def test_another_day_than_was_shown_is_shown_first(client, office, person):
    page = text(client.post(address(person), DEATH | {"shown": "deceased 2025-06-09"}))
    assert "确定登记去世" in page
    assert is_active(person)


@pytest.mark.parametrize(
    ("filled", "sentence"),
    [
        ({"kind": "", "on": "2025-06-10"}, "请选择去世还是转出"),
        ({"kind": "active", "on": "2025-06-10"}, "列表中选择|选择一个有效的选项|不是"),
        ({"kind": "deceased", "on": ""}, "请填写日期"),
        ({"kind": "deceased", "on": "2999-01-01"}, "还没有到"),
        ({"kind": "deceased", "on": "1900-01-01", "shown": "deceased 1900-01-01"}, "日期之后还有"),
        ({"kind": "deceased", "on": "1900-01-01", "shown": "deceased 1900-01-01", "checked": "yes"},
         "早于出生"),
    ],
)  # fmt: skip
def test_bad_input_is_a_sentence_and_writes_nothing(client, office, person, filled, sentence):
    page = text(client.post(address(person), filled | {"words": "写了很久"}))
    assert any(words in page for words in sentence.split("|"))
    assert "写了很久" in page
    assert is_active(person)


def test_from_the_list_of_missing_people_one_comes_back_to_it(client, office):
    written(roster_of(*people(2)))
    batch = written(roster_of(*people(1)), scope="county")
    gone = Retiree.objects.exclude(name="张一").get()  # whose key is the first is the planner's
    filled = {"kind": "deceased", "on": "2026-03-02", "batch": batch.pk}
    assert batch.file_name in text(client.get(address(gone), filled))
    for _ in range(2):
        response = client.post(address(gone), filled | {"shown": "deceased 2026-03-02"})
        assert response.url == f"/imports/{batch.pk}/?show=missing#rows"
    assert MissingPerson.objects.get().ruling == "deceased"


def test_a_roster_that_does_not_miss_the_person_is_no_reason(client, office, person):
    batch = written(roster_of(*people(1)), scope="none")
    for key in (batch.pk, 999_999, "x", "9" * 30):
        response = client.get(address(person), DEATH | {"batch": key})
        assert response.context["batch"] is None
    client.post(address(person), DEATH | SHOWN | {"batch": batch.pk})
    assert not MissingPerson.objects.exists()


def test_a_mistake_is_taken_back_on_the_same_page(client, office, person):
    depart(retiree=person, kind="deceased", on=person.seats.get().since, by=office, is_checked=True)
    page = text(client.get(address(person)))
    assert "撤销这次登记" in page
    assert "看看会有哪些变化" not in page
    url = address(person) + "take-back/"
    assert "请写明为什么撤销" in text(client.post(url, {"reason": ""}))
    assert "恢复到原来的样子" in text(client.post(url, {"reason": "同名同姓"}, follow=True))
    assert is_active(person)
    assert "没有要撤销" in text(client.post(url, {"reason": "同名同姓"}))


def test_who_moved_away_comes_back_on_the_same_page(client, office, person):
    client.post(address(person), {"kind": "moved_away", "on": "2025-06-10",
                                  "shown": "moved_away 2025-06-10"})  # fmt: skip
    assert "登记转回" in text(client.get(address(person)))
    url = address(person) + "return/"
    page = text(client.post(url, {"on": "2025-06-01", "reason": "回来了"}))
    assert "不能早于转出" in page
    assert "回来了" in page
    page = text(client.post(url, {"on": "2025-09-01", "reason": "回来了"}, follow=True))
    assert "还没有支部联系服务" in page
    assert is_active(person)


@pytest.mark.parametrize("role", [Role.LEADER, Role.AUDITOR, Role.RETIREE, Role.CONTACT, ""])
def test_only_the_office_opens_it(client, person, role):
    client.force_login(make_user(role=role))
    _closed(client, person)


def test_a_secretary_is_asked_to_telephone(client, person):
    other = make_branch()
    mine = make_retiree(name="李四")
    make_membership(mine, other)
    client.force_login(make_secretary(other))
    _closed(client, mine)
    assert "请打办公室电话" in text(client.get(f"/people/{mine.pk}/"))


def _closed(client, person):
    for url in ("", "return/", "take-back/"):
        assert client.post(address(person) + url, DEATH | SHOWN).status_code == 403
    assert client.get(address(person), DEATH).status_code == 403
    assert client.get("/departures/999999/", DEATH).status_code == 403  # not even who exists
    assert is_active(person)


def test_ways_back_are_not_taken_by_reading(client, office, person):
    for url in ("return/", "take-back/"):
        assert client.get(address(person) + url).status_code == 405
