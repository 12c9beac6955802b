"""Staff asks for points by hand, the head agrees, the retiree reads it on a phone."""

import pytest

from cadres.roles import Role
from cadres.tests.make import make_user
from fengjie_cadres.tests.looks import MEASURES, faults
from points import ledger
from points.models import Posting
from points.tests.make import DAY, awarded, make_cycle, make_rich

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "sheng-huo-2025"


def user(role: Role, **fields):
    return make_user(role=role, password=PASSWORD, **fields)


def test_an_adjustment_is_asked_for_approved_and_read(open_page):
    person = make_rich(12, name="张三")
    page = open_page(user=user(Role.OFFICE_STAFF, name="王科长"))
    page.goto("/points/accounts/?q=张三")
    page.click("main table >> text=张三")
    page.click("text=手工加减积分")
    page.fill("#id_points", "3")
    page.fill("#id_reason", "漏记一次学习")
    page.click("main form button:has-text('提出')")
    page.wait_for_selector("text=已提出，等另一个人审批。")

    page = open_page(user=user(Role.OFFICE_HEAD, name="李局长"))
    page.goto("/points/approvals/")
    page.click("button:has-text('同意') >> nth=0")
    page.wait_for_selector("text=已同意，已记账。")

    page = open_page(width=360, user=user(Role.RETIREE, retiree=person), javascript=False)
    page.goto("/points/")
    shown = page.inner_text("main")
    assert "15 分" in shown
    assert "手工加分" in shown
    assert "漏记一次学习" in shown
    assert "王科长经办，李局长审核" in shown


@pytest.fixture
def rich_page(open_page):
    """A bankbook with every kind of note, opened by its owner."""
    person, cycle = make_rich(5, name="张三"), make_cycle()
    for number in range(17):
        ledger.award(source=f"a:{number}", retiree=person, code="study_meeting", on=DAY, by=None)
    ledger.spend(key="s:1", retiree=person, cycle=cycle, amount=35, by=None, memo="食用油一桶")
    ledger.reverse(source=Posting.objects.order_by("id").first().source, by=None)
    make_cycle(2024)
    awarded(person, 1, on=DAY.replace(year=2024))
    ledger.freeze(retiree=person, why="转出")
    ledger.award(source="late", retiree=person, code="training", on=DAY, by=None)
    return open_page(width=360, user=user(Role.RETIREE, retiree=person))


def test_the_bankbook_fits_a_phone_with_the_largest_text(rich_page):
    page = rich_page
    page.goto("/points/?year=2025")
    page.click("text=特大字")
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "30px"
    measured = page.evaluate(MEASURES)
    assert measured == {"wide": 0, "small": []}
    links = page.evaluate(
        """() => Array.from(document.querySelectorAll("main a"))
        .filter(a => a.getBoundingClientRect().height < 44).map(a => a.outerHTML)"""
    )
    assert links == []
    assert page.locator("[data-print]").bounding_box()["height"] >= 60
    assert faults(page) == []


@pytest.mark.parametrize("size", ["正常", "特大字"])
def test_the_bankbook_is_printed_in_large_type(rich_page, size):
    page = rich_page
    page.goto("/points/?year=2025")
    if size != "正常":
        page.click(f"text={size}")
    page.set_viewport_size({"width": 700, "height": 1000})  # an A4 sheet between its margins
    page.emulate_media(media="print")
    sizes = page.evaluate(
        """() => Array.from(document.querySelectorAll(".bankbook td, .facts dd, .balance p"))
        .map(one => parseFloat(getComputedStyle(one).fontSize))"""
    )
    assert len(sizes) > 20
    assert min(sizes) >= 18
    assert page.evaluate("document.documentElement.scrollWidth") <= 700


def test_the_bankbook_says_nothing_in_letters_or_codes(rich_page):
    rich_page.goto("/points/?year=2025")
    shown = rich_page.inner_text("main")
    assert not [letter for letter in shown if letter.isascii() and letter.isalpha()]
