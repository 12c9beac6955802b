"""The pages of care: entering, reading, mending, printing; who may, and what others see."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from branches.tests.make import make_branch, make_membership, make_secretary
from cadres.models import CareRecord
from cadres.roles import Role
from cadres.tests.make import make_care, make_retiree, make_user

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate()
LISTS = ["/care/", "/care/birthdays/", "/care/visits/"]
MISSING = 999_999


@pytest.fixture
def branch():
    return make_branch("甲支部")


@pytest.fixture
def person(branch):
    return served(branch, name="张三", birth_date="1946-07-15")


@pytest.fixture
def stranger():
    return served(make_branch("乙支部"), name="李四", birth_date="1946-07-20")


@pytest.fixture
def office(client):
    return logged_in(client, make_user(role=Role.OFFICE_STAFF, name="王科长"))


@pytest.fixture
def secretary(branch):
    return make_secretary(branch)


def served(branch, **fields):
    found = make_retiree(**fields)
    make_membership(found, branch)
    return found


def logged_in(client, user):
    client.force_login(user)
    return user


def text(response) -> str:
    assert response.status_code == 200, response
    return response.content.decode()


def enter(client, person, **fields):
    filled = {"kind": "visit", "on": "2025-05-01"} | fields
    return client.post(f"/care/new/?person={person.pk}", filled, follow=True)


# ---- entering -----------------------------------------------------------------------------------


def test_namesakes_are_told_apart_and_at_most_twenty_are_listed(client, office, branch):
    for year in range(1930, 1955):
        served(branch, name="王海", birth_date=f"{year}-01")
    page = client.get("/care/new/", {"q": "wh"})
    assert len(page.context["found"]) == 20
    assert "只列出前 20 位" in text(page)
    assert "1930年生，" in text(page)
    assert "甲支部" in text(page)


def test_those_who_left_are_not_found(client, office, branch):
    served(branch, name="王海", status="deceased", died_on=TODAY)
    assert "没有找到" in text(client.get("/care/new/", {"q": "王海"}))


def test_a_record_is_entered_and_read_on_the_persons_page(client, office, person):
    page = text(enter(client, person, visitors="局长", given="500 元", words="精神很好"))
    for said in ("已登记张三的“走访慰问”", "看望的人：局长；慰问：500 元；精神很好", "王科长"):
        assert said in page
    enter(client, person, visitors="局长", given="500 元", words="精神很好")
    assert CareRecord.objects.count() == 1


def test_what_was_typed_stays_beside_what_is_wrong(client, office, person):
    page = text(enter(client, person, on="2999-01-01", words="写了很久"))
    assert "还没有到" in page
    assert "写了很久" in page
    assert "请选择" in text(enter(client, person, kind="", words="写了很久"))
    assert "例如 2025-12-31" in text(enter(client, person, on="昨天"))
    assert not CareRecord.objects.exists()


def test_a_stay_in_hospital_proposes_a_review(client, office, person):
    page = text(enter(client, person, kind="hospital", place="县医院"))
    link = f'<a href="/people/{person.pk}/review/">住院了，复核一下活动类别</a>'
    assert link in page
    assert client.get(f"/people/{person.pk}/review/").status_code == 200
    assert link not in text(enter(client, person, kind="visit"))


def test_a_name_in_that_message_is_no_markup(client, office, branch):
    odd = served(branch, name="张<b>三</b>")
    page = text(enter(client, odd, kind="hospital"))
    assert "<b>三</b>" not in page


def test_a_death_leads_to_its_own_page_and_writes_nothing(client, office, person):
    response = client.post(f"/care/new/?person={person.pk}", {"kind": "death", "on": "2025-05-01"})
    assert response.url == f"/departures/{person.pk}/?kind=deceased&on=2025-05-01"
    assert not CareRecord.objects.exists()


def test_a_secretary_enters_no_death(client, secretary, person):
    logged_in(client, secretary)
    assert "请打办公室电话" in text(client.get(f"/care/new/?person={person.pk}"))
    assert "请" in text(enter(client, person, kind="death"))
    assert not CareRecord.objects.exists()


def test_the_ticked_people_of_a_branch_get_one_visit_each(client, office, branch, stranger):
    people = [served(branch, name=name) for name in ("甲", "乙", "丙")]
    make_care(people[0], on="2025-05-01")
    keys = [people[0].pk, people[1].pk, stranger.pk, "x", MISSING]
    filled = {"kind": "visit", "on": "2025-05-01", "given": "米面油", "person": keys}
    page = text(client.post(f"/care/new/?branch={branch.pk}", filled, follow=True))
    assert "已登记 1 人。这一天已经登记过、没有重复登记的：甲。" in page
    page = text(client.post(f"/care/new/?branch={branch.pk}", filled, follow=True))
    assert "已登记 0 人" in page
    assert set(CareRecord.objects.values_list("retiree__name", flat=True)) == {"甲", "乙"}


def test_nobody_ticked_is_a_sentence_and_ticks_stay_when_something_is_wrong(
    client, office, branch, person
):
    url = f"/care/new/?branch={branch.pk}"
    assert "请先勾选" in text(client.post(url, {"kind": "visit", "on": "2025-05-01"}))
    page = text(client.post(url, {"kind": "visit", "on": "", "person": [person.pk]}))
    assert f'value="{person.pk}" checked' in page
    assert "请在列表中选择" in text(client.post(url, {"kind": "hospital", "on": "2025-05-01"}))


def test_who_cannot_come_and_the_oldest_are_ticked_first(client, office, branch):
    for name, born, activity_class in (("甲", "1960-01", "A"), ("乙", "1960-01", "C"),
                                       ("丙", f"{TODAY.year - 85}-01", "A")):  # fmt: skip
        served(branch, name=name, birth_date=born, activity_class=activity_class)
    page = client.get(f"/care/new/?branch={branch.pk}")
    assert [person.name for person, _ in page.context["rows"]] == ["丙", "乙", "甲"]


# ---- who may ------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.RETIREE, Role.CONTACT, Role.AUDITOR, ""])
def test_who_sees_no_people_opens_none_of_it(client, person, role):
    logged_in(client, make_user(role=role))
    record = make_care(person)
    for url in [*LISTS, "/care/new/", f"/care/new/?person={person.pk}"]:
        assert client.get(url).status_code == 403, url
    assert client.post(f"/care/new/?person={person.pk}", {}).status_code == 403
    assert client.get(f"/care/{record.pk}/").status_code == 404
    assert client.post(f"/care/{record.pk}/void/", {"reason": "x"}).status_code == 404


def test_a_leader_reads_the_lists_and_enters_nothing(client, person):
    logged_in(client, make_user(role=Role.LEADER))
    record = make_care(person, words="肝病", place="医院", given="药", visitors="某人")
    for url in LISTS:
        assert client.get(url).status_code == 200
    for url in ("/care/new/", f"/care/new/?person={person.pk}", f"/care/{record.pk}/"):
        assert client.get(url).status_code == 403
        assert client.post(url, {"kind": "visit", "on": "2025-01-01"}).status_code == 403
    assert client.post(f"/care/{record.pk}/void/", {"reason": "x"}).status_code == 403


def test_a_leader_sees_that_there_is_care_but_not_its_words(client, person):
    logged_in(client, make_user(role=Role.LEADER))
    make_care(person, "hospital", words="肝病复发", place="西南医院", visitors="某局长")
    for url in ("/care/", f"/people/{person.pk}/", "/care/visits/"):
        page = text(client.get(url))
        for secret in ("肝病复发", "西南医院", "某局长"):
            assert secret not in page
    assert "有 1 条记录" in text(client.get(f"/people/{person.pk}/"))
    assert "张三" in text(client.get("/care/"))


def test_the_person_reads_the_own_care_and_enters_none(client, person):
    logged_in(client, make_user(retiree=person, role=Role.RETIREE))
    make_care(person, words="送了蛋糕")
    page = text(client.get(f"/people/{person.pk}/"))
    assert "送了蛋糕" in page
    assert "登记关爱" not in page


def _plain(response) -> str:
    lines = response.content.decode().splitlines()
    return "".join(x for x in lines if "csrfmiddlewaretoken" not in x and 'name="next"' not in x)


def test_care_of_another_branchs_people_does_not_exist_for_a_secretary(
    client, secretary, person, stranger
):
    logged_in(client, secretary)
    own, foreign = make_care(person, entered_by=secretary), make_care(stranger, words="秘密")
    assert client.get(f"/care/{own.pk}/").status_code == 200  # negative control
    assert client.get(f"/care/new/?person={person.pk}").status_code == 200
    pairs = [
        (f"/care/{foreign.pk}/", f"/care/{MISSING}/"),
        (f"/care/new/?person={stranger.pk}", f"/care/new/?person={MISSING}"),
        (f"/care/new/?branch={stranger.memberships.get().branch_id}", "/care/new/?branch=999999"),
    ]
    for real, missing in pairs:
        for send in (client.get, client.post):
            there, nowhere = send(real), send(missing)
            assert there.status_code == nowhere.status_code == 404, real
            assert _plain(there) == _plain(nowhere)
    void = client.post(f"/care/{foreign.pk}/void/", {"reason": "x"})
    nothing = client.post(f"/care/{MISSING}/void/", {"reason": "x"})
    assert void.status_code == nothing.status_code == 404
    assert _plain(void) == _plain(nothing)
    assert CareRecord.objects.count() == 2


@pytest.mark.parametrize(
    "url",
    [
        *LISTS,
        "/care/?q=李四",
        "/care/new/?q=李四",
        "/care/?branch={}",
        "/care/visits/?branch={}",
        "/care/birthdays/?month=7&branch={}",
    ],
)
def test_no_list_of_a_secretary_names_anybody_elses_people(
    client, secretary, person, stranger, url
):
    make_care(stranger, words="秘密")
    make_care(person)
    logged_in(client, secretary)
    page = text(client.get(url.format(stranger.memberships.get().branch_id)))
    assert "李四，" not in page
    assert f"/people/{stranger.pk}/" not in page
    assert "秘密" not in page
    logged_in(client, make_user(role=Role.OFFICE_STAFF))
    assert client.get(url.format(stranger.memberships.get().branch_id)).status_code == 200


def test_a_secretary_mends_the_own_records_alone(client, secretary, person):
    logged_in(client, secretary)
    others = make_care(person, entered_by=make_user())
    assert client.get(f"/care/{others.pk}/").status_code == 403
    assert client.post(f"/care/{others.pk}/void/", {"reason": "x"}).status_code == 403


@pytest.mark.parametrize("key", ["abc", "１", "-1", "99999999999999999999999", "1 or 1=1"])
def test_odd_keys_are_nobody(client, office, key):
    for name in ("person", "branch"):
        assert client.get("/care/new/", {name: key}).status_code in (200, 404)
    for url in LISTS:
        assert client.get(url, {"branch": key, "month": key, "year": key, "since": key, "q": key,
                                "why": key, "page": key}).status_code == 200  # fmt: skip


# ---- mending ------------------------------------------------------------------------------------


def test_the_day_of_leaving_hospital_is_entered_later(client, office, person):
    record = make_care(person, "hospital", "2025-05-01", place="县医院")
    page = text(client.get(f"/care/{record.pk}/"))
    assert "县医院" in page
    filled = {"kind": "hospital", "on": "2025-05-01", "until": "2025-05-20", "place": "县医院"}
    assert "已保存" in text(client.post(f"/care/{record.pk}/", filled, follow=True))
    record.refresh_from_db()
    assert record.until == datetime.date(2025, 5, 20)
    filled["until"] = "2025-04-01"
    assert "不能早于入院日期" in text(client.post(f"/care/{record.pk}/", filled))


def test_taking_back_asks_why_and_happens_once(client, office, person):
    record = make_care(person)
    url = f"/care/{record.pk}/void/"
    opened = client.get(url)
    assert opened.status_code == 405
    assert "要从页面上的按钮进入" in opened.content.decode()
    assert "请写明为什么撤销" in text(client.post(url, {"reason": " "}))
    assert "已撤销这一条" in text(client.post(url, {"reason": "登记错了人"}, follow=True))
    assert "已经撤销" in text(client.post(url, {"reason": "登记错了人"}, follow=True))
    assert client.get(f"/care/{record.pk}/").status_code == 404
    assert "还没有记录" in text(client.get(f"/people/{person.pk}/"))


def test_a_death_is_not_mended_here(client, office, branch):
    dead = served(branch, status="deceased", died_on=datetime.date(2025, 5, 1))
    record = make_care(dead, "death", "2025-05-01")
    assert client.get(f"/care/{record.pk}/").status_code == 403
    assert client.post(f"/care/{record.pk}/void/", {"reason": "x"}).status_code == 403


# ---- reading ------------------------------------------------------------------------------------


def test_the_list_is_narrowed_by_each_box(client, office, branch, person, stranger):
    make_care(person, "visit", "2025-05-01")
    make_care(stranger, "hardship", "2025-06-01")

    def names(**filled):
        return {record.retiree.name for record, _ in client.get("/care/", filled).context["rows"]}

    assert names() == {"张三", "李四"}
    assert names(kind="visit") == {"张三"}
    assert names(since="2025-05-02") == {"李四"}
    assert names(until="2025-05-31") == {"张三"}
    assert names(branch=branch.pk) == {"张三"}
    assert names(q="zs") == {"张三"}
    assert names(q="张三", kind="hardship") == set()


@pytest.mark.parametrize("url", ["/care/", "/care/birthdays/?month=7", "/care/visits/"])
def test_lists_ask_as_often_for_three_as_for_one(client, office, branch, url):
    counts = []
    for size in (1, 2):
        for _ in range(size):
            make_care(served(branch, birth_date="1946-07-01"))
        client.get(url)
        with CaptureQueriesContext(connection) as queries:
            client.get(url)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_birthdays_say_age_round_ones_and_unknown_days(client, office, branch):
    served(branch, name="月不详日", birth_date="1946-07")
    served(branch, name="十五号", birth_date="1945-07-15")
    greeted = served(branch, name="三号", birth_date="1950-07-03")
    served(branch, name="别的月", birth_date="1950-06-07")
    make_care(greeted, "birthday", f"{TODAY.year - 1}-07-03")
    page = client.get("/care/birthdays/", {"month": 7, "year": TODAY.year - 1})
    ((_, lines),) = page.context["sheets"]
    assert [line.person.name for line in lines] == ["三号", "十五号", "月不详日"]
    assert [line.words for line in lines] == ["7月3日", "7月15日", "日不详"]
    assert [line.is_done for line in lines] == [True, False, False]
    assert [line.age for line in lines] == [TODAY.year - 1 - year for year in (1950, 1945, 1946)]
    round_age = client.get("/care/birthdays/", {"month": 7, "year": TODAY.year})
    rounds = {
        line.age for _, lines in round_age.context["sheets"] for line in lines if line.is_round
    }
    assert all(age % 10 == 0 for age in rounds)


def test_a_round_birthday_is_marked(client, office, branch):
    served(branch, name="逢十的人", birth_date=f"{TODAY.year - 80}-07-03")
    assert "80岁（逢十）" in text(client.get("/care/birthdays/", {"month": 7}))


def test_lists_are_a_sheet_for_each_branch(client, office, branch, person, stranger):
    served(branch, name="不用看", birth_date="1960-01")
    make_care(served(branch, name="刚看过", birth_date="1960-01"), on=TODAY.isoformat())
    sheets = client.get("/care/visits/").context["sheets"]
    assert [name for name, _ in sheets] == ["甲支部", "乙支部"]
    names = [line.person.name for line in sheets[0][1]]
    assert names == ["张三", "不用看"]  # more reasons first; who was visited just now is not there
    only_old = client.get("/care/visits/", {"why": "old"}).context["sheets"]
    assert [[line.person.name for line in lines] for _, lines in only_old] == [["张三"], ["李四"]]


def test_printed_lists_mask_phones(client, office, branch):
    served(branch, name="张三", birth_date="1946-07-15", phone="13812345678")
    for url in ("/care/birthdays/?month=7", "/care/visits/"):
        page = text(client.get(url))
        assert "138****5678" in page
        assert "13812345678" not in page


def test_who_left_is_on_no_list_to_visit(client, office, branch):
    served(branch, name="逝者", birth_date="1930-07-01", status="deceased", died_on=TODAY)
    for url in ("/care/birthdays/?month=7", "/care/visits/"):
        assert "逝者" not in text(client.get(url))
