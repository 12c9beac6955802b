"""Pages of redemption: who may do what, what they say, and that bad input writes nothing."""

import datetime
import re
import uuid

import pytest
import time_machine
from django.urls import reverse

from branches.tests.make import make_branch, make_membership, make_secretary
from cadres.models import Retiree
from cadres.roles import Role
from cadres.tests.make import make_retiree, make_user
from points import days, redemption
from points.models import DayStock, Redemption, RedemptionDay, Reward
from points.tests.make import balance, make_cycle, make_day, make_rich, make_stock

pytestmark = pytest.mark.django_db
TODAY = datetime.date(2025, 6, 16)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(datetime.datetime(2025, 6, 16, 2, tzinfo=datetime.UTC), tick=False):
        yield


@pytest.fixture
def person():
    return make_rich(100, name="张三")


@pytest.fixture
def day():
    return make_day(TODAY + datetime.timedelta(days=3))


@pytest.fixture
def rice(day):
    return make_stock(day, "大米", 50, brought=1)


@pytest.fixture
def staff(client):
    user = make_user(role=Role.OFFICE_STAFF, name="王科长")
    client.force_login(user)
    return user


def as_retiree(client, person):
    user = make_user(role=Role.RETIREE, retiree=person)
    client.force_login(user)
    return user


def hidden(page: str, name: str) -> str:
    return re.search(rf'name="{name}" value="([^"]*)"', page)[1]


def text(response) -> str:
    return response.content.decode()


def wish(client, person, day, basket: dict, is_sure: bool = False):
    """The form of the basket as it stands, looked at once more or sent; and what it says."""
    address = reverse("points:reserve", args=[person.pk])
    key = hidden(text(client.get(f"{address}?day={day.pk}")), "key")
    sent = {"day": day.pk, "key": key, **{f"s{pk}": n for pk, n in basket.items()}}
    if is_sure:
        return client.post(address, sent), sent
    return client.get(address, {**sent, "look": 1}), sent


# ---- from one end to the other -----------------------------------------------------------------


def test_the_office_opens_a_day_a_retiree_reserves_the_till_hands_out(client, staff, person):
    response = client.post(
        "/points/days/new/",
        {"date": "2025-06-19", "opens_at": "09:00", "closes_at": "16:30", "place": "老年大学"},
    )
    day = RedemptionDay.objects.get()
    assert response.url == f"/points/days/{day.pk}/stock/"
    assert (day.status, day.cycle.year) == ("planned", 2025)
    soap = Reward.objects.get(name="香皂")
    prices = {f"r{r.pk}-points": r.points for r in Reward.objects.all()}
    client.post(f"/points/days/{day.pk}/stock/", {**prices, f"r{soap.pk}-brought": "5"})
    stock = DayStock.objects.get()
    assert (stock.reward, stock.brought, stock.points) == (soap, 5, 10)
    client.post(f"/points/days/{day.pk}/open/")
    day.refresh_from_db()
    assert day.status == "open"

    as_retiree(client, person)
    assert '<span class="keep">6月19日</span> <span class="keep">星期四</span>' in text(
        client.get("/")
    )
    asked, sent = wish(client, person, day, {stock.pk: 2})
    page = text(asked)
    assert "一共 <strong>20</strong> 分，<br>约好以后还剩 <strong>80</strong> 分" in page
    assert not Redemption.objects.exists()
    done = client.post(f"/points/people/{person.pk}/reserve/", sent, follow=True)
    assert "约好了：香皂 2 份，用 20 分。" in text(done)

    made = Redemption.objects.get()
    with time_machine.travel("2025-06-19 10:00 +0800", tick=False):
        client.force_login(staff)
        page = text(client.get(f"/points/days/{day.pk}/till/?q=zs"))
        assert '<strong data-has="80">80</strong> 分' in page
        sent = {"person": person.pk, "key": hidden(page, "key"), "redemption": made.pk}
        slip = client.post(f"/points/days/{day.pk}/till/", sent, follow=True)
    assert slip.redirect_chain == [(f"/points/redemptions/{made.pk}/slip/?till=1", 302)]
    page = text(slip)
    for said in (made.number, "张三", "香皂", "80</strong> 分", "王科长", "领取人签字"):
        assert said in page
    made.refresh_from_db()
    assert (made.state, made.ended_by, balance(person)) == ("collected", staff, 80)


# ---- days --------------------------------------------------------------------------------------


def test_in_january_the_old_year_may_be_chosen(client, staff):
    old = make_cycle(2025, redeem_until=datetime.date(2026, 1, 31))
    make_cycle(2026)
    typed = {"opens_at": "09:00", "closes_at": "16:30", "place": "老年大学"}
    with time_machine.travel("2026-01-05 10:00 +0800", tick=False):
        client.force_login(staff)
        client.post("/points/days/new/", {**typed, "date": "2026-01-10"})
        assert RedemptionDay.objects.get().cycle.year == 2026
        response = client.post(
            "/points/days/new/", {**typed, "date": "2026-02-03", "cycle": old.pk, "place": "乙"}
        )
        assert "2025 年的积分只能兑换到 2026年1月31日" in text(response)
        client.post(
            "/points/days/new/", {**typed, "date": "2026-01-30", "cycle": old.pk, "place": "乙"}
        )
        assert RedemptionDay.objects.get(place="乙").cycle == old


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"date": "2025-06-15"}, "日期不能早于今天"),
        ({"date": "明天"}, "日期不对"),
        ({"date": "2031-01-01"}, "没有可用的积分周期"),
        ({"closes_at": "08:00"}, "结束时间应在开始时间之后"),
        ({"opens_at": "早上"}, "时间不对"),
        ({"place": ""}, "请填写地点"),
        ({"operators": "999999"}, "请在列表中选择经办人"),
        ({"cycle": "999999"}, "请在列表中选择年度"),
    ],
)
def test_a_day_typed_wrong_keeps_what_was_typed_and_writes_nothing(client, staff, wrong, said):
    make_cycle()
    typed = {"date": "2025-06-19", "opens_at": "09:00", "closes_at": "16:30", "place": "老年大学"}
    response = client.post("/points/days/new/", {**typed, **wrong, "status": "open"})
    assert response.status_code == 200
    assert said in text(response)
    if "place" not in wrong:
        assert 'value="老年大学"' in text(response)
    assert not RedemptionDay.objects.exists()


def test_a_second_day_at_the_same_place_is_said_plainly(client, staff, day):
    typed = {"date": day.date, "opens_at": "09:00", "closes_at": "16:30", "place": day.place}
    assert "这一天在这个地点已有一场" in text(client.post("/points/days/new/", typed))


def test_extra_fields_change_nothing(client, staff, day):
    typed = {"date": "2025-06-20", "opens_at": "09:00", "closes_at": "16:30", "place": "新"}
    other = make_cycle(2026)
    more = {"status": "done", "cycle": other.pk, "pk": 7, "taken": 9}
    client.post(f"/points/days/{day.pk}/edit/", {**typed, **more})
    now = RedemptionDay.objects.get(pk=day.pk)
    assert (now.place, now.status, now.cycle) == ("新", "open", day.cycle)


def test_a_day_that_is_over_is_not_changed(client, staff, person, day, rice):
    typed = {"date": "2025-06-20", "opens_at": "09：30", "closes_at": "16:30", "place": "新"}
    redemption.reserve(key=uuid.uuid4(), day=day, retiree=person, basket={rice.pk: 1}, by=staff)
    page = text(client.post(f"/points/days/{day.pk}/edit/", typed, follow=True))
    assert "已有 1 单预约" in page
    assert "09:30" in page
    redemption.call_off(day=day, by=staff)
    page = text(client.post(f"/points/days/{day.pk}/edit/", {**typed, "place": "再改"}))
    assert "这一场已取消，不能再改" in page
    assert RedemptionDay.objects.get().place == "新"
    prices = {f"r{r.pk}-points": r.points for r in Reward.objects.all()}
    assert "不能再改" in text(client.post(f"/points/days/{day.pk}/stock/", prices))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"brought": "0"}, "已约出 1 份"),
        ({"brought": "-1"}, "不能小于零"),
        ({"brought": "一"}, "请填整数"),
        ({"brought": "5", "per_person": "0"}, "要大于零"),
        ({"brought": "5", "points": ""}, "请填积分"),
    ],
)
def test_stock_typed_wrong_changes_nothing(client, staff, person, day, rice, typed, said):
    redemption.reserve(key=uuid.uuid4(), day=day, retiree=person, basket={rice.pk: 1}, by=staff)
    prices = {f"r{r.pk}-points": r.points for r in Reward.objects.all()}
    soap = Reward.objects.get(name="香皂")
    row = {f"r{rice.reward_id}-{name}": value for name, value in typed.items()}
    response = client.post(
        f"/points/days/{day.pk}/stock/", {**prices, f"r{soap.pk}-brought": "77", **row}
    )
    assert said in text(response)
    assert 'value="77"' in text(response)
    assert DayStock.objects.get().brought == 1


def test_a_day_without_stock_does_not_open(client, staff, day):
    RedemptionDay.objects.update(status="planned")
    client.post(f"/points/days/{day.pk}/open/")
    assert RedemptionDay.objects.get().status == "planned"
    assert "请先填这一场带来哪些物品" in text(client.get(f"/points/days/{day.pk}/"))


def test_ending_and_calling_off_ask_once_more(client, staff, person, day, rice):
    redemption.reserve(key=uuid.uuid4(), day=day, retiree=person, basket={rice.pk: 1}, by=staff)
    assert "还有 <strong>1</strong> 单" in text(client.get(f"/points/days/{day.pk}/finish/"))
    response = client.post(f"/points/days/{day.pk}/finish/", follow=True)
    assert "兑换日还没有到" in text(response)
    assert "已有 <strong>1</strong> 单" in text(client.get(f"/points/days/{day.pk}/call-off/"))
    assert RedemptionDay.objects.get().status == "open"
    for words in ("退回了 1 单", "退回了 0 单"):  # the second time does nothing
        response = client.post(f"/points/days/{day.pk}/call-off/", follow=True)
        assert words in text(response)
    assert (RedemptionDay.objects.get().status, balance(person)) == ("cancelled", 100)


def test_a_day_on_which_somebody_was_served_offers_no_calling_off(client, person, rice, staff):
    day = rice.day
    with time_machine.travel("2025-06-19 10:00 +0800", tick=False):
        client.force_login(staff)
        assert "call-off" in text(client.get(f"/points/days/{day.pk}/"))
        asked = {"day": day, "retiree": person, "basket": {rice.pk: 1}, "by": staff}
        redemption.serve(key=uuid.uuid4(), **asked)
        assert "call-off" not in text(client.get(f"/points/days/{day.pk}/"))
        page = text(client.get(f"/points/days/{day.pk}/call-off/"))
    assert "已经有人领取（<strong>1</strong> 单），不能取消，只能结束。" in page
    assert "还没有人预约" not in page
    assert '<form method="post"><input' not in page


def test_the_night_after_ends_a_day(person, day, rice, staff):
    redemption.reserve(key=uuid.uuid4(), day=day, retiree=person, basket={rice.pk: 1}, by=staff)
    assert days.finish_past(today=day.date) == 0
    with time_machine.travel(day.date + datetime.timedelta(days=1), tick=False):
        assert days.finish_past(today=day.date + datetime.timedelta(days=1)) == 1
    assert (Redemption.objects.get().state, balance(person)) == ("lapsed", 100)


def test_one_day_that_cannot_be_ended_does_not_hold_up_the_others(day, monkeypatch):
    other = make_day(day.date, place="别处")

    def finish(*, day, by):
        if day == other:
            raise redemption.RefusedError("不行")
        return redemption.finish(day=day, by=by)

    monkeypatch.setattr(days, "finish", finish)
    with time_machine.travel(day.date + datetime.timedelta(days=1), tick=False):
        assert days.finish_past(today=day.date + datetime.timedelta(days=1)) == 1
    day.refresh_from_db()
    assert day.status == "done"


# ---- reserving ---------------------------------------------------------------------------------


def test_sent_twice_or_in_two_tabs_it_is_one_reservation(client, person, day):
    soap = make_stock(day, "肥皂", 10, brought=9)
    as_retiree(client, person)
    _, first = wish(client, person, day, {soap.pk: 1})
    _, second = wish(client, person, day, {soap.pk: 1})  # another tab
    address = reverse("points:reserve", args=[person.pk])
    for sent in (first, first, second):
        page = text(client.post(address, sent, follow=True))
        assert "约好了：肥皂 1 份，用 10 分。" in page
    page = text(client.post(address, {**second, f"s{soap.pk}": 3}, follow=True))
    assert "已经办过：肥皂（已预约），这一次没有另办。要约请再选一次。" in page
    assert (Redemption.objects.count(), balance(person)) == (1, 90)
    _, third = wish(client, person, day, {soap.pk: 1})  # a new wish after seeing the first
    client.post(address, {**third})
    assert Redemption.objects.count() == 2


def test_a_form_whose_reservation_was_cancelled_says_so(client, person, day):
    soap = make_stock(day, "肥皂", 10, brought=9)
    as_retiree(client, person)
    _, sent = wish(client, person, day, {soap.pk: 2}, is_sure=True)
    client.post(f"/points/redemptions/{Redemption.objects.get().pk}/cancel/")
    address = reverse("points:reserve", args=[person.pk])
    for again in (client.post(address, sent, follow=True),
                  client.get(address, {**sent, "look": 1}, follow=True)):  # fmt: skip
        assert "肥皂×2（已取消），这一次没有另办" in text(again)
    assert (Redemption.objects.count(), balance(person)) == (1, 100)


@pytest.mark.parametrize("is_sure", [False, True])
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("0", "请先选要兑换的物品"),
        ("2", "大米只剩 1 份"),
        ("-1", "不能小于零"),
        ("很多", "请填整数"),
        ("100", "最多 99 份"),
    ],
)
def test_a_basket_that_cannot_be_had_is_said_and_kept(
    client, person, day, rice, typed, said, is_sure
):
    as_retiree(client, person)
    response, _ = wish(client, person, day, {rice.pk: typed}, is_sure)
    page = text(response)
    assert said in page
    assert f'<option value="{typed}" selected>' in page
    assert not Redemption.objects.exists()
    assert balance(person) == 100


def test_sold_out_and_not_enough_points_are_said_before_choosing(client, person, day, rice, staff):
    make_stock(day, "电热水壶", 210, brought=3)
    redemption.reserve(
        key=uuid.uuid4(), day=day, retiree=make_rich(50), basket={rice.pk: 1}, by=staff
    )
    as_retiree(client, person)
    page = text(client.get(f"/points/people/{person.pk}/reserve/?day={day.pk}"))
    assert "已兑完" in page
    assert "积分不够" in page
    response, _ = wish(client, person, day, {rice.pk: 1}, is_sure=True)
    assert "大米已兑完" in text(response)


def test_a_secretary_reserves_for_the_served_and_both_names_stay(client, person, day, rice):
    branch = make_branch()
    make_membership(person, branch)
    other = make_rich(100, name="李四")
    make_membership(other, make_branch())
    user = make_secretary(branch)
    client.force_login(user)
    assert "张三" in text(client.get("/points/reserve/?q=zs"))
    assert "李四，" not in text(client.get("/points/reserve/?q=ls"))
    _, sent = wish(client, person, day, {rice.pk: 1})
    client.post(f"/points/people/{person.pk}/reserve/", sent)
    made = Redemption.objects.get()
    assert (made.retiree, made.reserved_by) == (person, user)
    assert "代约" in text(client.get(f"/points/people/{person.pk}/reserve/"))
    for address in (f"/points/people/{other.pk}/reserve/", "/points/people/99999999/reserve/"):
        assert client.get(address).status_code == 404
        assert client.post(address, sent).status_code == 404


def test_a_retiree_reserves_for_nobody_else_and_cancels_nobody_elses(client, person, day, rice):
    other = make_rich(100, name="李四")
    made = redemption.reserve(
        key=uuid.uuid4(), day=day, retiree=other, basket={rice.pk: 1}, by=make_user()
    )
    as_retiree(client, person)
    mine = (f"redemptions/{made.pk}/cancel", f"redemptions/{made.pk}/slip", f"days/{day.pk}")
    for address in (*mine, f"people/{other.pk}/reserve", f"days/{day.pk}/till"):
        missing = re.sub(r"\d+", "99999999", address)
        seen, none = client.get(f"/points/{address}/"), client.get(f"/points/{missing}/")
        assert (seen.status_code, none.status_code) == (404, 404)
        bodies = [
            re.sub(r'csrfmiddlewaretoken" value="\w+"', "", text(answer).replace(asked, ""))
            for answer, asked in ((seen, address), (none, missing))
        ]
        assert bodies[0] == bodies[1]
    assert client.post(f"/points/redemptions/{made.pk}/cancel/").status_code == 404
    assert balance(other) == 50


def test_a_leader_looks_and_does_not_touch(client, person, day, rice):
    made = redemption.reserve(
        key=uuid.uuid4(), day=day, retiree=person, basket={rice.pk: 1}, by=make_user()
    )
    client.force_login(make_user(role=Role.LEADER))
    for address in ("days", f"days/{day.pk}", f"days/{day.pk}/list", "redemptions",
                    f"redemptions/{made.pk}/slip"):  # fmt: skip
        assert client.get(f"/points/{address}/").status_code == 200
    for address in (f"people/{person.pk}/reserve", f"redemptions/{made.pk}/cancel",
                    f"days/{day.pk}/till", f"days/{day.pk}/edit", f"days/{day.pk}/stock",
                    f"days/{day.pk}/finish", f"days/{day.pk}/call-off", f"days/{day.pk}/paper",
                    f"days/{day.pk}/open", "days/new"):  # fmt: skip
        assert client.post(f"/points/{address}/", {"redemption": made.pk}).status_code == 403
    made.refresh_from_db()
    assert made.state == "reserved"


def test_cancelling_asks_once_more_and_gives_back(client, person, day, rice):
    as_retiree(client, person)
    _, sent = wish(client, person, day, {rice.pk: 1})
    client.post(f"/points/people/{person.pk}/reserve/", sent)
    made = Redemption.objects.get()
    page = text(client.get(f"/points/people/{person.pk}/reserve/"))
    assert "到6月18日为止都可以取消" in page
    assert "十分钟" not in page
    assert "取消预约" in page
    assert "50 分退回给您" in text(client.get(f"/points/redemptions/{made.pk}/cancel/"))
    assert balance(person) == 50
    for _ in range(2):
        done = client.post(f"/points/redemptions/{made.pk}/cancel/", follow=True)
        assert "已取消，退回 50 分。" in text(done)
    assert balance(person) == 100


def test_reserved_on_the_day_itself_the_ten_minutes_are_said(client, person, day, rice):
    with time_machine.travel("2025-06-19 09:30 +0800", tick=False):
        as_retiree(client, person)
        wish(client, person, day, {rice.pk: 1}, is_sure=True)
        page = text(client.get(f"/points/people/{person.pk}/reserve/"))
    assert "刚约的，十分钟内可以取消。" in page
    assert "取消预约" in page


def test_a_day_that_is_over_is_offered_nowhere(client, person, day, rice):
    address = f"/points/people/{person.pk}/reserve/"
    with time_machine.travel("2025-06-19 16:31 +0800", tick=False):
        as_retiree(client, person)
        for shown in ("/", "/points/", address):
            assert "6月19日" not in text(client.get(shown))
        sent = {"day": day.pk, f"s{rice.pk}": 1, "key": uuid.uuid4()}
        assert "这一场现在不能预约" in text(client.post(address, sent, follow=True))
    assert not Redemption.objects.exists()


def test_who_has_moved_away_is_offered_nothing(client, person, day, rice, staff):
    Retiree.objects.filter(pk=person.pk).update(status="moved_away", moved_away_on=TODAY)
    sentence = "这位同志已不在册，账户由负责人处理。"
    assert "代为预约兑换" not in text(client.get(f"/points/people/{person.pk}/"))
    for query in ("", f"?day={day.pk}"):
        page = text(client.get(f"/points/people/{person.pk}/reserve/{query}"))
        assert sentence in page
        assert "6月19日" not in page
        assert "选物品" not in page


def test_on_the_day_the_retiree_reads_whom_to_call(client, person, day, rice):
    as_retiree(client, person)
    _, sent = wish(client, person, day, {rice.pk: 1})
    client.post(f"/points/people/{person.pk}/reserve/", sent)
    made = Redemption.objects.get()
    with time_machine.travel("2025-06-19 09:30 +0800", tick=False):
        as_retiree_again = make_user(role=Role.OFFICE_STAFF)
        client.force_login(made.reserved_by)
        assert "取消预约" not in text(client.get(f"/points/people/{person.pk}/reserve/"))
        done = client.post(f"/points/redemptions/{made.pk}/cancel/", follow=True)
        assert "请打办公室电话" in text(done)
        client.force_login(as_retiree_again)
        client.post(f"/points/redemptions/{made.pk}/cancel/")
    assert balance(person) == 100


@pytest.mark.parametrize("status", ["planned", "done", "cancelled"])
def test_a_day_that_is_not_open_is_not_offered(client, person, day, rice, status):
    RedemptionDay.objects.update(status=status)
    as_retiree(client, person)
    address = f"/points/people/{person.pk}/reserve/"
    assert "现在没有可以预约的日子" in text(client.get(address))
    assert "这一场现在不能预约" in text(client.get(f"{address}?day={day.pk}"))
    for day_pk in (day.pk, 99999999, "x", "1" * 40):
        sent = {"day": day_pk, f"s{rice.pk}": 1, "key": uuid.uuid4()}
        assert client.post(address, sent).status_code == 302
    assert not Redemption.objects.exists()


def test_who_has_no_record_reserves_nothing(client):
    client.force_login(make_user(role=Role.CONTACT))
    assert client.get("/points/reserve/").status_code == 403
    assert client.get(f"/points/people/{make_retiree().pk}/reserve/").status_code == 404
