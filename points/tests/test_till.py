"""The till and the paper of a day."""

import datetime
import re
import uuid

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from branches.tests.make import make_branch, make_membership
from cadres.roles import Role
from cadres.tests.make import make_id_number, make_user
from points import ledger, redemption
from points.audit import audit
from points.models import Cycle, Redemption, RedemptionDay, Transfer
from points.tests.make import balance, make_day, make_rich, make_stock

pytestmark = pytest.mark.django_db
TODAY = datetime.date(2025, 6, 16)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(datetime.datetime(2025, 6, 16, 2, tzinfo=datetime.UTC), tick=False):
        yield


@pytest.fixture
def person():
    return make_rich(100, name="张三", phone="13812345678", id_number=make_id_number("1953-07-15"))


@pytest.fixture
def day():
    return make_day(TODAY)


@pytest.fixture
def rice(day):
    return make_stock(day, "大米", 50, brought=3, per_person=1)


@pytest.fixture
def soap(day):
    return make_stock(day, "肥皂", 10, brought=9)


@pytest.fixture
def staff(client):
    user = make_user(role=Role.OFFICE_STAFF, name="王科长")
    client.force_login(user)
    return user


def reserve(day, person, stock, by, quantity=1) -> Redemption:
    return redemption.reserve(
        key=uuid.uuid4(), day=day, retiree=person, basket={stock.pk: quantity}, by=by
    )


def text(response) -> str:
    return response.content.decode()


def till(day) -> str:
    return f"/points/days/{day.pk}/till/"


def key_of(page: str) -> str:
    return re.search(r'name="key" value="([^"]+)"', page)[1]


def opened(client, day, person) -> dict:
    """The form of a person, as it stands."""
    page = text(client.get(f"{till(day)}?person={person.pk}"))
    return {"person": person.pk, "key": key_of(page)}


# ---- finding -----------------------------------------------------------------------------------


def test_somebody_is_found_by_name_pinyin_initials_number_and_phone(client, staff, day, person):
    make_rich(5, name="李四")
    for words in ("张三", "zhangsan", "zs", "ZS", person.id_number[-4:], "138 1234 5678"):
        page = text(client.get(till(day), {"q": words}))
        assert 'data-has="100"' in page, words
    for number in (person.id_number, person.phone, person.id_number[-4:]):
        assert number not in text(client.get(till(day), {"q": "zs"}))
    assert "没有找到“王五”" in text(client.get(till(day), {"q": "王五"}))


def test_who_has_reserved_stands_first(client, staff, day, soap, person):
    other = make_rich(50, name="张生")
    reserve(day, other, soap, staff)
    page = text(client.get(till(day), {"q": "zs"}))
    assert page.index("张生") < page.index("张三")
    assert "有预约" in page


def test_whose_initials_are_just_these_stands_before_longer_names(client, staff, day):
    make_rich(5, name="张飒")
    for _ in range(21):
        make_rich(5, name="张三丰")
    make_rich(5, name="张宗")
    page = text(client.get(till(day), {"q": "zs"}))
    assert page.index("张飒") < page.index("张三丰")
    assert "只列出前 20 位" in page


def test_the_empty_till_names_nobody(client, staff, day, rice, person):
    reserve(day, person, rice, staff)
    assert "张三" not in text(client.get(till(day)))


# ---- handing out -------------------------------------------------------------------------------


def test_two_articles_are_handed_out_once(client, staff, day, rice, soap, person):
    sent = opened(client, day, person) | {f"s{rice.pk}": "1", f"s{soap.pk}": "2"}
    first = client.post(till(day), sent)
    assert client.post(till(day), sent).url == first.url  # a double click
    made = Redemption.objects.get()
    assert (made.state, made.points, balance(person)) == ("collected", 70, 30)
    page = text(client.get(first.url))
    assert "下一位" in page
    assert "<strong>30</strong> 分" in page
    ledger.spend(key="x:1", retiree=person, cycle=day.cycle, amount=30, by=staff)
    assert "<strong>30</strong> 分" in text(client.get(first.url))  # as it was then


def test_a_second_tab_says_that_it_did_nothing(client, staff, day, rice, soap, person):
    sent = opened(client, day, person)
    client.post(till(day), sent | {f"s{rice.pk}": "1"})
    page = text(client.post(till(day), sent | {f"s{soap.pk}": "1"}, follow=True))
    assert "这一次没有另办" in page
    assert (Redemption.objects.count(), balance(person)) == (1, 50)


def test_somebody_else_collects_with_name_and_relation(client, staff, day, rice, person):
    sent = opened(client, day, person) | {f"s{rice.pk}": "1", "collector": "李四"}
    page = text(client.post(till(day), sent))
    assert "代领要写明" in page
    assert 'value="李四"' in page
    assert not Redemption.objects.exists()
    page = text(client.post(till(day), sent | {"relation": "儿子"}, follow=True))
    assert "代领人：<strong>李四</strong>（儿子）" in page


@pytest.mark.parametrize(
    ("typed", "said"),
    [("2", "每人限 1 份"), ("", "请先选"), ("x", "请填整数"), ("-1", "不能小于零")],
)
def test_what_cannot_be_handed_out_stays_typed(client, staff, day, rice, soap, person, typed, said):
    sent = opened(client, day, person) | {f"s{rice.pk}": typed}
    page = text(client.post(till(day), sent))
    assert said in page
    if typed:
        assert f'name="s{rice.pk}" value="{typed}"' in page
    assert not Redemption.objects.exists()


def test_what_was_reserved_is_collected_once(client, staff, day, rice, soap, person):
    made = reserve(day, person, rice, staff)
    sent = opened(client, day, person) | {"redemption": made.pk}
    page = text(client.post(till(day), sent | {f"s{soap.pk}": "1"}))
    assert "请先领预约的" in page
    for _ in range(2):
        assert client.post(till(day), sent).url == f"/points/redemptions/{made.pk}/slip/?till=1"
    made.refresh_from_db()
    assert (made.state, made.ended_by) == ("collected", staff)


def test_enter_alone_hands_out_what_is_reserved(client, staff, day, rice, person):
    made = reserve(day, person, rice, staff)
    sent = opened(client, day, person) | {"collector": "李四", "relation": "邻居"}
    client.post(till(day), sent)
    made.refresh_from_db()
    assert (made.state, made.collector) == ("collected", "李四")


def test_somebody_elses_reservation_is_not_collected(client, staff, day, rice, person):
    made = reserve(day, make_rich(60, name="李四"), rice, staff)
    sent = opened(client, day, person)
    for key in (made.pk, 99999999, "x"):
        assert "没有这张预约单" in text(client.post(till(day), sent | {"redemption": key}))
    made.refresh_from_db()
    assert made.state == "reserved"


def test_the_last_one_can_be_undone_for_ten_minutes(client, staff, day, rice, person):
    client.post(till(day), opened(client, day, person) | {f"s{rice.pk}": "1"})
    made = Redemption.objects.get()
    assert f"/points/redemptions/{made.pk}/cancel/?till=1" in text(client.get(till(day)))
    response = client.post(f"/points/redemptions/{made.pk}/cancel/?till=1")
    assert response.url == till(day)
    assert balance(person) == 100
    page = text(client.get(f"/points/redemptions/{made.pk}/slip/"))
    assert '<p class="stamp">作废</p>' in page
    for said in ("领取人签字", "兑换后结余"):
        assert said not in page
    with time_machine.travel("2025-06-16 10:11 +0800", tick=False):
        assert "撤销" not in text(client.get(till(day)))


def test_two_tills_and_one_balance(client, staff, day, soap, person):
    """The second clerk's page still shows the points that the first has spent."""
    sent = opened(client, day, person) | {f"s{soap.pk}": "8"}
    other = make_user(role=Role.OFFICE_HEAD)
    client.force_login(other)
    second = opened(client, day, person) | {f"s{soap.pk}": "1"}
    client.force_login(staff)
    client.post(till(day), sent)
    client.force_login(other)
    assert client.post(till(day), second).status_code == 302
    third = opened(client, day, person) | {f"s{soap.pk}": "3"}
    assert "肥皂已兑完" in text(client.post(till(day), third))
    assert balance(person) == 10


def test_operators_work_on_the_day_itself(client, day, rice, person):
    operator = make_user(role=Role.CONTACT)
    day.operators.add(operator)
    other = make_day(TODAY, place="别处")
    client.force_login(operator)
    assert client.get(till(other)).status_code == 404
    assert "兑换台" in text(client.get(f"/points/days/{day.pk}/"))
    sent = opened(client, day, person) | {f"s{rice.pk}": "1"}
    slip = client.post(till(day), sent).url
    assert "大米" in text(client.get(slip))
    for address in ("edit", "stock", "finish", "call-off"):
        assert client.get(f"/points/days/{day.pk}/{address}/").status_code == 403
    with time_machine.travel("2025-06-17 10:00 +0800", tick=False):
        client.force_login(operator)
        page = text(client.get(till(day), {"q": "zs"}))
        assert "在兑换日当天" in page
        assert "张三" not in page
        assert client.get(f"/points/days/{day.pk}/paper/").status_code == 403
        assert client.get(slip).status_code == 404
        assert client.post(slip.replace("slip", "cancel")).status_code == 404


def test_before_its_day_the_till_and_the_paper_stay_shut_for_the_office_too(
    client, staff, rice, person
):
    day = make_day(TODAY + datetime.timedelta(days=14), place="别处")
    soap = make_stock(day, "肥皂", 10, brought=9)
    made = reserve(day, person, soap, staff)
    sent = {"person": person.pk, "key": uuid.uuid4(), f"s{soap.pk}": 1}
    for page in (
        text(client.get(till(day), {"q": "zs"})),
        text(client.post(till(day), sent)),
        text(client.post(till(day), {**sent, "redemption": made.pk})),
    ):
        assert "兑换台在兑换日当天（2025年6月30日）才打开" in page
        assert "张三" not in page
    sent = {"row": made.pk, f"r{made.pk}-state": "collected"}
    assert "还没有到" in text(client.post(f"/points/days/{day.pk}/paper/", sent))
    page = text(client.get(f"/points/days/{day.pk}/"))
    assert "/till/" not in page
    assert "/paper/" not in page
    assert Redemption.objects.get().state == "reserved"


def test_an_article_beyond_the_last_key_is_handed_out_by_hand(client, staff, day, person):
    stocks = [make_stock(day, f"物品{number}", 1, brought=3) for number in range(35)]
    sent = opened(client, day, person)
    page = text(client.get(f"{till(day)}?person={person.pk}"))
    assert page.count("<kbd>") == 33
    assert "<kbd></kbd>" not in page
    client.post(till(day), sent | {f"s{stocks[-1].pk}": "2"})
    assert f'name="s{stocks[-1].pk}"' in page
    assert Redemption.objects.get().lines.get().stock == stocks[-1]


# ---- paper -------------------------------------------------------------------------------------


def sheet(client, day, **asked) -> str:
    return text(client.get(f"/points/days/{day.pk}/list/", asked))


def test_the_list_of_a_day_stands_branch_by_branch(client, staff, day, rice, person):
    make_membership(person, make_branch("甲支部"))
    other = make_rich(20, name="李四")
    make_membership(other, make_branch("乙支部"))
    reserve(day, person, rice, staff)
    page = sheet(client, day)
    assert "甲支部" in page
    assert "大米×1" in page
    assert "李四" not in page
    page = sheet(client, day, show="points")
    assert page.count('<section class="paper">') == 2
    assert "李四" in page
    assert page.count("<td>") >= 2
    page = sheet(client, day, show="all", branch=str(other.memberships.first().branch_id))
    assert "李四" in page
    assert "张三" not in page
    assert sheet(client, day, show="x", branch="y" * 30)


def paper(client, day, **typed):
    """The page of the paper as it stands, with something typed into it."""
    address = f"/points/days/{day.pk}/paper/"
    page = text(client.get(address))
    names = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    rows = [value for name, value in names if name == "row"]
    sent = {name: value for name, value in names if name not in ("row", "csrfmiddlewaretoken")}
    return client.post(address, {**sent, "row": rows, **typed}, follow=True), sent | {"row": rows}


def test_paper_is_typed_back_good_rows_written_bad_ones_kept(client, staff, day, rice, soap):
    people = [make_rich(60, name=name) for name in ("甲一", "乙二", "丙三", "丁四")]
    one, two, three = (reserve(day, person, soap, staff) for person in people[:3])
    typed = {
        f"r{one.pk}-state": "collected", f"r{one.pk}-collector": "李四",
        f"r{one.pk}-relation": "妻", f"r{two.pk}-state": "collected",
        f"r{two.pk}-collector": "王五",
        "n0-who": "丁四", "n0-stock": rice.pk, "n0-quantity": "1",
        "n1-who": "丁四", "n1-stock": soap.pk, "n1-quantity": "2",
        "n2-who": "没有这人", "n2-stock": soap.pk, "n2-quantity": "1",
        "n3-who": "甲一", "n3-stock": soap.pk, "n3-quantity": "",
    }  # fmt: skip
    response, _ = paper(client, day, **typed)
    page = text(response)
    assert "已记下 2 行。" in page
    assert "有 4 行没有记下" in page
    for said in ("代领要写明代领人", "积分不够，现有 10 分", "没有找到“没有这人”", "都要填"):
        assert said in page
    for kept in ("王五", "没有这人"):
        assert f'value="{kept}"' in page
    states = [Redemption.objects.get(pk=each.pk).state for each in (one, two, three)]
    assert states == ["collected", "reserved", "reserved"]
    assert Redemption.objects.get(retiree=people[3]).state == "collected"
    assert balance(people[3]) == 10
    assert audit().is_clean


def test_paper_sent_twice_is_written_once(client, staff, day, soap, person):
    made = reserve(day, person, soap, staff)
    typed = {f"r{made.pk}-state": "collected", "n0-who": "张三", "n0-stock": soap.pk,
             "n0-quantity": "1"}  # fmt: skip
    response, sent = paper(client, day, **typed)
    assert "没有记下" not in text(response)
    page = text(client.post(f"/points/days/{day.pk}/paper/", {**sent, **typed}, follow=True))
    assert "已记下" not in page
    assert "有 2 行以前已经记下" in page
    assert (Redemption.objects.count(), balance(person)) == (2, 80)


def test_paper_gone_back_to_and_changed_is_not_told_as_written(client, staff, day, rice, soap):
    person = make_rich(100, name="甲一")
    row = {"n0-who": "甲一", "n0-stock": soap.pk, "n0-quantity": "1"}
    response, sent = paper(client, day, **row)
    assert "已记下 1 行" in text(response)
    address = f"/points/days/{day.pk}/paper/"
    said = "已经办过：肥皂（已领取），这一次没有另办。还要记的，请另填一个空行。"
    for change in ({"n0-stock": rice.pk}, {"n0-quantity": "3"}):
        page = text(client.post(address, {**sent, **row, **change}))
        assert said in page
        assert "已记下" not in page
    redemption.cancel(redemption=Redemption.objects.get(), by=staff, is_office=True)
    assert "肥皂（已取消），这一次没有另办" in text(client.post(address, {**sent, **row}))
    assert (Redemption.objects.count(), balance(person)) == (1, 100)
    other = {"n1-who": "甲一", "n1-stock": rice.pk, "n1-quantity": "1"}
    assert "已记下 1 行" in text(client.post(address, {**sent, **other}, follow=True))
    assert balance(person) == 50


def test_late_paper_undone_and_typed_again_says_so(client, staff, day, soap, person):
    made = reserve(day, person, soap, staff)
    with time_machine.travel("2025-06-18 10:00 +0800", tick=False):
        client.force_login(staff)
        redemption.finish(day=day, by=None)
        typed = {f"r{made.pk}-state": "collected"}
        assert "已记下 1 行" in text(paper(client, day, **typed)[0])
        late = Redemption.objects.get(state="collected")
        redemption.cancel(redemption=late, by=staff, is_office=True)
        page = text(paper(client, day, **typed)[0])
    assert "肥皂（已取消），这一次没有另办" in page
    assert "已记下" not in page
    assert balance(person) == 100


def test_conflicts_of_paper_are_named(client, staff, day, rice, soap):
    taken, cancelled = make_rich(60, name="甲一"), make_rich(60, name="乙二")
    one, two = reserve(day, taken, soap, staff), reserve(day, cancelled, soap, staff)
    address = f"/points/days/{day.pk}/paper/"
    client.get(address)
    redemption.collect(redemption=one, by=make_user(name="赵六"))
    redemption.cancel(redemption=two, by=staff, is_office=True)
    for _ in range(3):
        redemption.serve(
            key=uuid.uuid4(), day=day, retiree=make_rich(60), basket={rice.pk: 1}, by=staff
        )
    page = text(client.post(address, {
        "row": [one.pk, two.pk], f"r{one.pk}-state": "collected", f"r{two.pk}-state": "collected",
        "n0-key": uuid.uuid4(), "n0-who": "甲一", "n0-stock": rice.pk, "n0-quantity": 1,
    }))  # fmt: skip
    for said in ("已由赵六登记领走", "已经取消，积分已退", "大米已兑完"):
        assert said in page
    assert balance(taken) == 50


def test_namesakes_are_told_apart_by_their_number(client, staff, day, soap):
    one = make_rich(60, name="甲一", id_number=make_id_number("1950-01-01"))
    make_rich(60, name="甲一", id_number=make_id_number("1951-01-01"))
    typed = {"n0-stock": soap.pk, "n0-quantity": "1"}
    response, _ = paper(client, day, **typed, **{"n0-who": "甲一"})
    assert "有几位" in text(response)
    paper(client, day, **typed, **{"n0-who": f"甲一 {one.id_number[-4:]}"})
    assert Redemption.objects.get().retiree == one


def test_paper_that_comes_after_the_day_was_finished(client, staff, day, soap, person):
    made = reserve(day, person, soap, staff, quantity=2)
    with time_machine.travel("2025-06-18 10:00 +0800", tick=False):
        client.force_login(staff)
        redemption.finish(day=day, by=None)
        assert balance(person) == 100
        assert "现在不能兑换" in text(
            client.post(till(day), opened(client, day, person) | {f"s{soap.pk}": "1"})
        )
        response, sent = paper(client, day, **{f"r{made.pk}-state": "collected"})
        assert "已记下 1 行" in text(response)
        assert f"r{made.pk}-state" not in text(response)  # it has a slip of its own
        again = {**sent, f"r{made.pk}-state": "collected"}
        page = text(client.post(f"/points/days/{day.pk}/paper/", again, follow=True))
        late = Redemption.objects.get(state="collected")
        assert "已记下" not in page
        assert f"有 1 行以前已经记下（单号 {late.number}），这一次没有另记。" in page
    assert balance(person) == 80
    assert sorted(Redemption.objects.values_list("state", flat=True)) == ["collected", "lapsed"]
    assert RedemptionDay.objects.get().status == "done"
    assert audit().is_clean


def test_paper_of_the_last_day_counts_for_that_day(client, staff, day, soap, person):
    """Typed back the morning after, when nothing can be redeemed any more."""
    Cycle.objects.update(ends_on=TODAY, redeem_until=TODAY)
    with time_machine.travel("2025-06-17 09:00 +0800", tick=False):
        client.force_login(staff)
        typed = {"n0-stock": soap.pk, "n0-quantity": "1", "n0-who": "张三"}
        response, _ = paper(client, day, **typed)
    assert "已记下 1 行" in text(response)
    assert Transfer.objects.get(kind="spend").occurred_on == TODAY


# ---- how little is asked for -------------------------------------------------------------------


@pytest.mark.parametrize(
    "page",
    ["days/", "days/{day}/", "days/{day}/till/?q=z", "days/{day}/till/?person={person}",
     "days/{day}/list/", "days/{day}/list/?show=points", "days/{day}/paper/", "redemptions/",
     "reserve/?q=z", "people/{person}/reserve/", "people/{person}/reserve/?day={day}"],
)  # fmt: skip
def test_three_cost_as_many_queries_as_one(client, staff, day, rice, soap, person, page):
    def asked() -> int:
        with CaptureQueriesContext(connection) as found:
            address = "/points/" + page.format(day=day.pk, person=person.pk)
            assert client.get(address).status_code == 200
        return len(found)

    make_membership(person, make_branch())
    make_rich(60, name="张甲")
    reserve(day, person, soap, staff)
    asked()
    first = asked()
    for number in range(3):
        other = make_rich(60, name=f"张{number}")
        make_membership(other, make_branch())
        reserve(day, other, soap, staff)
        reserve(day, person, soap, staff)
        make_stock(day, f"新物品{number}", 5, brought=3)
        make_day(TODAY, place=f"别处{number}")
    assert asked() <= first
