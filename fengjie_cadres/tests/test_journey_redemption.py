"""A retiree reserves on a phone; a clerk serves at the till by keyboard; slip and list on paper."""

import datetime
import re

import pytest
from django.utils import timezone

from branches.tests.make import make_branch, make_membership, make_seat
from cadres.roles import Role
from cadres.tests.make import make_retiree, make_user
from fengjie_cadres.tests.looks import MEASURES, WITH_AND_WITHOUT, faults
from points import redemption
from points.days import form_key
from points.models import Redemption, RedemptionDay, Reward
from points.tests.make import make_cycle, make_day, make_picture, make_rich, make_stock

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "sheng-huo-2025"


@pytest.fixture
def person(db):
    return make_rich(100, name="张三")


@pytest.fixture
def retiree(person):
    return make_user(role=Role.RETIREE, retiree=person, password=PASSWORD)


@pytest.fixture
def staff(db):
    return make_user(role=Role.OFFICE_STAFF, password=PASSWORD, name="王科长")


@pytest.fixture
def day(db):
    found = make_day(timezone.localdate() + datetime.timedelta(days=3), cycle=make_cycle())
    for name, points, brought in (("香皂", 10, 9), ("大米5公斤", 50, 3), ("电热水壶", 210, 2)):
        make_stock(found, name, points, brought=brought)
    Reward.objects.filter(name="大米5公斤").update(picture=make_picture())
    return found


def reserved(day, person, by, name="香皂") -> Redemption:
    stock = day.stocks.get(reward__name=name)
    key = form_key(user=by, retiree=person, day=day)
    return redemption.reserve(key=key, day=day, retiree=person, basket={stock.pk: 1}, by=by)


@pytest.mark.parametrize("javascript", WITH_AND_WITHOUT)
def test_a_retiree_reserves_and_cancels_on_a_phone(open_page, retiree, person, day, javascript):
    page = open_page(width=360, user=retiree, javascript=javascript)
    page.click("text=看有什么物品，预约")
    assert "您有 100 分" in page.inner_text("main")
    page.click("text=选物品，预约")
    page.select_option("select[aria-label='香皂几份'], label:has-text('香皂') + select", "2")
    if javascript:
        assert page.inner_text("[data-sum]") == "一共 20 分，还剩 80 分。"
    page.click("text=选好了，下一步")
    assert "约好以后还剩 80 分" in page.inner_text("main")
    page.click("text=确定预约")
    page.wait_for_selector("text=约好了：香皂 2 份，用 20 分。")
    page.go_back()  # to the confirmation: it is done, and says so
    page.wait_for_selector("text=约好了：香皂 2 份，用 20 分。")
    assert Redemption.objects.count() == 1
    page.click("text=取消预约")
    page.click("text=确定取消")
    page.wait_for_selector("text=已取消，退回 20 分。")
    assert "您有 100 分" in page.inner_text("main")


def pages_of(person, day, made) -> list[str]:
    own = f"/points/people/{person.pk}/reserve/"
    return ["/", "/points/", own, f"{own}?day={day.pk}", f"/points/redemptions/{made.pk}/cancel/"]


@pytest.mark.parametrize("size", [pytest.param("标准字", marks=pytest.mark.slow), "特大字"])
def test_a_retirees_pages_fit_a_phone_and_say_nothing_in_letters(
    open_page, retiree, person, day, size
):
    made = reserved(day, person, retiree)
    page = open_page(width=360, user=retiree)
    page.click(f"text={size}")
    for address in pages_of(person, day, made):
        page.goto(address)
        assert page.evaluate(MEASURES) == {"wide": 0, "small": []}, address
        shown = page.inner_text("main")
        assert not [letter for letter in shown if letter.isascii() and letter.isalpha()], address
        assert faults(page) == []
        small = page.evaluate(
            """() => Array.from(document.querySelectorAll("main a.tel, main a.button"))
            .filter(a => a.getBoundingClientRect().height < 44).map(a => a.outerHTML)"""
        )
        assert small == [], address
    page.goto(f"/points/people/{person.pk}/reserve/?day={day.pk}")
    page.locator("select").first.select_option("1")
    page.click("text=选好了，下一步")
    page.wait_for_selector("text=约好以后还剩")
    assert page.evaluate(MEASURES) == {"wide": 0, "small": []}
    assert faults(page) == []


def test_a_secretary_reserves_for_somebody_on_a_phone(open_page, person, day):
    branch, own = make_branch("甲支部"), make_retiree(name="支书")
    make_membership(own, branch)
    make_membership(person, branch)
    make_seat(branch, own)
    user = make_user(retiree=own, password=PASSWORD)
    page = open_page(width=360, user=user)
    page.click("text=支部书记") if page.locator("button:has-text('支部书记')").count() else None
    page.click("text=代老同志预约兑换")
    page.fill("#search", "zs")
    page.click("text=查找")
    page.click("text=张三，1953年生")
    page.click("text=选物品，预约")
    page.locator("select").first.select_option("1")
    page.click("text=选好了，下一步")
    page.click("text=确定预约")
    page.wait_for_selector("text=约好了：香皂 1 份")
    made = Redemption.objects.get()
    assert (made.retiree, made.reserved_by) == (person, user)
    assert page.evaluate(MEASURES)["wide"] <= 0


# ---- the till ----------------------------------------------------------------------------------


class Clerk:
    """Presses keys and counts them; never touches the mouse. Begins when the page has put the
    cursor somewhere, and waits in vain on a page which does not."""

    def __init__(self, page):
        self.page, self.presses = page, 0

    def press(self, *keys: str) -> None:
        self.page.wait_for_load_state("load")
        self.page.locator(":focus").wait_for(state="attached")
        for key in keys:
            self.page.keyboard.press(key)
            self.presses += 1
            if key == "Enter":
                self.page.wait_for_load_state("load")


@pytest.fixture
def at_till(open_page, staff, person, day):
    """The till of a day, which has come, in a county with some more people."""
    RedemptionDay.objects.update(date=timezone.localdate(), closes_at=datetime.time.max)
    day.refresh_from_db()
    for name in ("李四", "王五", "赵六"):
        make_rich(60, name=name)

    def opened(javascript: bool = True) -> Clerk:
        page = open_page(user=staff, javascript=javascript)
        page.goto(f"/points/days/{day.pk}/till/")
        return Clerk(page)

    return opened


def test_two_articles_by_number_keys_in_at_most_twenty_presses(at_till):
    clerk = at_till()
    clerk.press("z", "s", "Enter")
    clerk.page.wait_for_selector("text=积分 100 分")
    clerk.press("1", "2", "Enter")
    clerk.page.wait_for_selector("text=奉节县时间银行兑换单")
    made = Redemption.objects.get()
    assert (made.points, made.state) == (60, "collected")
    shown = clerk.page.inner_text("main")
    for said in (made.number, "张三", "香皂", "大米5公斤", "兑换后结余：40 分", "领取人签字"):
        assert said in shown
    clerk.press("Enter")
    clerk.page.wait_for_url("**/till/")
    assert clerk.presses <= 20
    assert clerk.page.evaluate("document.activeElement.id") == "search"
    assert "上一位：张三" in clerk.page.inner_text("main")


def test_whose_points_and_how_many_stay_in_sight_while_keys_are_pressed(at_till, day):
    for number in range(7):
        make_stock(day, f"物品{number}", 5, brought=9)
    clerk = at_till()
    clerk.press("z", "s", "Enter")
    clerk.page.wait_for_selector("text=积分 100 分")
    for keys, seen in (((), ["[data-till] h2"]), (("1", "2"), ["[data-till] h2", "[data-sum]"])):
        clerk.press(*keys)
        for what in seen:
            place = clerk.page.locator(what).bounding_box()
            assert place["y"] >= 0, what
            assert place["y"] + place["height"] <= 801, what  # of 800, rounded


def test_two_articles_with_tab_and_without_javascript(at_till):
    clerk = at_till(javascript=False)
    clerk.press("z", "s", "Enter")
    clerk.page.wait_for_selector("text=积分 100 分")
    clerk.press("2", "Tab", "1", "Enter")
    clerk.page.wait_for_selector("text=奉节县时间银行兑换单")
    assert Redemption.objects.get().points == 70
    clerk.press("Enter")
    clerk.page.wait_for_url("**/till/")
    assert clerk.presses <= 20


def test_the_first_of_several_is_taken_with_enter_and_the_reserved_handed_out(
    at_till, person, day, staff
):
    make_rich(30, name="张生")
    made = reserved(day, person, staff)
    clerk = at_till()
    clerk.press("z", "s", "Enter")
    clerk.page.wait_for_selector("text=是哪一位？")
    clerk.press("Enter")  # who has reserved stands first
    clerk.page.wait_for_selector("text=领预约的：香皂×1")
    clerk.press("Enter")
    clerk.page.wait_for_selector("text=奉节县时间银行兑换单")
    made.refresh_from_db()
    assert (made.state, made.ended_by) == ("collected", staff)


def test_what_was_keyed_wrong_is_cleared_and_the_last_one_undone(at_till, person):
    clerk = at_till()
    clerk.press("z", "s", "Enter")
    clerk.page.wait_for_selector("text=积分 100 分")
    clerk.press("3", "1")
    clerk.page.wait_for_selector("text=合计 220 分，积分不够")
    clerk.press("Backspace", "1", "Enter")
    clerk.page.wait_for_selector("text=奉节县时间银行兑换单")
    clerk.page.click("text=撤销（十分钟内）")
    clerk.page.click("text=确定撤销")
    clerk.page.wait_for_selector("text=已取消，退回 10 分。")
    assert clerk.page.url.endswith("/till/")
    assert Redemption.objects.get().state == "cancelled"


# ---- paper -------------------------------------------------------------------------------------


def test_slip_and_list_print_on_paper(open_page, staff, person, day, tmp_path):
    make_membership(person, make_branch("甲支部"))
    other = make_rich(60, name="李四")
    make_membership(other, make_branch("乙支部"))
    made, _ = reserved(day, person, staff), reserved(day, other, staff)
    page = open_page(user=staff)
    listed = ("签领表", "甲支部", "张三", "香皂×1", "乙支部", "签字")
    for address, pages, wanted in (
        (f"/points/days/{day.pk}/list/", 2, listed),
        (f"/points/redemptions/{made.pk}/slip/", 1, (made.number, "张三", "香皂", "领取人签字")),
    ):
        page.goto(address)
        assert page.locator("[data-print]").is_visible()
        file = tmp_path / "paper.pdf"
        page.pdf(path=file, prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", file.read_bytes())) == pages, address
        page.emulate_media(media="print")
        printed = page.locator("body").inner_text()
        for said in wanted:
            assert said in printed
        for on_screen in ("查看", "退出", "办公室电话", "浏览器"):
            assert on_screen not in printed
        page.emulate_media(media="null")


@pytest.mark.slow
def test_the_offices_pages_have_no_faults(open_page, staff, person, day):
    reserved(day, person, staff)
    reward = Reward.objects.exclude(picture="").get()
    home = f"/points/days/{day.pk}"
    addresses = [
        "/points/days/", "/points/days/new/", f"{home}/", f"{home}/edit/", f"{home}/stock/",
        f"{home}/finish/", f"{home}/call-off/", f"{home}/list/?show=points", f"{home}/paper/",
        f"{home}/till/", f"{home}/till/?q=zs", f"{home}/till/?q=x", "/points/redemptions/",
        f"/points/redemptions/{Redemption.objects.get().pk}/slip/?till=1",
        f"/points/people/{person.pk}/reserve/?day={day.pk}", "/points/reserve/?q=zs",
        "/admin/points/reward/", f"/admin/points/reward/{reward.pk}/change/",
    ]  # fmt: skip
    RedemptionDay.objects.update(date=timezone.localdate(), closes_at=datetime.time.max)
    for width in (1280, 360):
        page = open_page(width=width, user=staff)
        found = []
        for address in addresses:
            page.goto(address)
            found += faults(page)
        assert not found, "\n".join(map(str, found))
