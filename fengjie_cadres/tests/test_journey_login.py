"""Logging in as people do it: the slip with a first password, the long lunch, the second step."""

import io

import pytest
from django.core.management import call_command
from django.urls import reverse

from branches.tests.make import make_secretary
from cadres.models import Unit
from cadres.roles import Role
from cadres.tests.make import PASSWORD, make_user
from fengjie_cadres.tests.conftest import WIDTHS
from fengjie_cadres.tests.looks import WITH_AND_WITHOUT, faults
from fengjie_cadres.tests.test_two_step import digits, with_phone

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NEW = "yi-ge-xin-de-2026"


@pytest.fixture
def staff(transactional_db):
    return make_user(role=Role.OFFICE_STAFF, username="wang", name="王科长")


def log_in(page, username, password=PASSWORD):
    page.fill("#id_username", username)
    page.fill("#id_password", password)
    page.click("main button")


@pytest.mark.parametrize("javascript", WITH_AND_WITHOUT)
def test_from_the_printed_password_to_the_home_page(open_page, javascript):
    out = io.StringIO()
    names = {"head_username": "ju", "head_name": "李局长"}
    call_command("createoffice", stdout=out, **names, staff_username="ke", staff_name="王科长")
    slip = out.getvalue().splitlines()[0].rpartition(" ")[2]
    page = open_page(width=360, javascript=javascript)
    page.goto("/login/")
    log_in(page, "ju", slip)
    assert page.locator("h1").inner_text() == "请先换成自己的密码"
    page.goto("/people/")
    assert page.url.endswith("/password/")
    page.fill("#id_old_password", slip)
    page.fill("#id_new_password", NEW)
    page.fill("#id_new_password_again", NEW)
    page.click("text=改密码")
    assert page.locator("h1").inner_text() == "李局长，您好"
    page.click("text=退出")
    log_in(page, "ju", NEW)
    assert page.locator("h1").inner_text() == "李局长，您好"


@pytest.mark.parametrize("javascript", WITH_AND_WITHOUT)
def test_a_form_sent_after_a_long_lunch_is_not_lost(open_page, staff, settings, javascript):
    page = open_page(user=staff, javascript=javascript)
    page.goto("/admin/cadres/unit/add/")
    page.fill("#id_name", "午饭前填的单位")
    page.select_option("#id_nature", index=1)
    page.fill("#id_sector", "党群")
    page.select_option("#id_unit_level", index=1)
    page.fill("#id_aliases-0-name", "别的叫法")
    settings.IDLE_MINUTES = 0
    page.click("input[name=_save]")
    settings.IDLE_MINUTES = 30
    assert page.locator("text=您离开了一会儿，请重新登录，填的内容还在").is_visible()
    assert not Unit.objects.filter(name="午饭前填的单位").exists()
    log_in(page, "wang")
    assert page.locator("text=办公桌的“单位”").is_visible()
    page.click("text=继续提交")
    page.wait_for_url("**/admin/cadres/unit/")
    unit = Unit.objects.get(name="午饭前填的单位")
    assert unit.aliases.get().name == "别的叫法"


def test_somebody_else_at_the_machine_does_not_see_it(open_page, staff, settings):
    make_user(role=Role.OFFICE_STAFF, username="li")
    page = open_page(user=staff)
    page.goto("/admin/cadres/unit/add/")
    page.fill("#id_name", "午饭前填的单位")
    page.eval_on_selector("#unit_form", "form => form.noValidate = true")
    settings.IDLE_MINUTES = 0
    page.click("input[name=_save]")
    settings.IDLE_MINUTES = 30
    log_in(page, "li")
    assert page.locator("h1").inner_text().endswith("您好")
    page.goto("/resume/")
    assert "午饭前" not in page.content()


@pytest.mark.parametrize("address", ["/exports/", "/admin/cadres/unit/add/"])
def test_two_minutes_before_the_end_a_page_warns(open_page, staff, address):
    page = open_page(user=staff)
    page.clock.install()
    page.goto(address)
    warning = page.locator("[data-idle]")
    page.clock.fast_forward("27:50")
    assert warning.is_hidden()
    page.clock.fast_forward("00:15")
    page.clock.run_for(6000)
    assert warning.is_visible()
    with page.expect_response("**/still-here/") as answer:
        page.click("text=继续使用")
    assert answer.value.status == 204
    page.wait_for_selector("[data-idle]", state="hidden")
    page.clock.fast_forward("27:00")
    page.clock.run_for(6000)
    assert warning.is_hidden()
    page.clock.fast_forward("03:00")
    page.clock.run_for(6000)
    assert "登录已经结束" in warning.inner_text()
    assert page.locator("text=继续使用").is_hidden()


def test_nothing_pops_up_for_a_retiree(open_page, transactional_db):
    page = open_page(user=make_user(role=Role.RETIREE))
    page.clock.install()
    page.reload()
    page.clock.fast_forward("31:00")
    assert page.locator("[data-idle]").count() == 0


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
def test_the_pages_are_fit_for_everybody(open_page, staff, width):
    secretary = make_secretary()
    found = []

    def look(page, name):
        found.extend((name, *fault) for fault in faults(page))

    page = open_page(width=width, user=staff)
    for name in ("password", "two-step"):
        page.goto(reverse(name))
        look(page, name)
    page.fill("#id_password", PASSWORD)
    page.click("text=开始")
    look(page, "two-step begun")
    phone = with_phone(staff)
    page.goto("/two-step/")
    look(page, "two-step on")
    page.evaluate("document.querySelector('[data-idle]').hidden = false")
    look(page, "warning")
    page.click("text=退出")
    log_in(page, "wang")
    look(page, "two-step-check")
    page.fill("#id_code", digits(phone))
    page.click("main button")
    page = open_page(width=min(width, 720), user=secretary)
    for size in ("标准字", "特大字"):
        page.click(f"text={size}")
        look(page, f"switch {size}")
        page.goto("/password/")
        look(page, f"password {size}")
        page.goto("/")
    assert not found, "\n".join(map(str, found))


def test_a_secretary_switches_to_the_page_of_the_person(open_page, transactional_db):
    page = open_page(width=360, user=make_secretary(), javascript=False)
    pressed = "header button[aria-pressed=true]"
    assert page.locator(pressed).inner_text() == "支部书记"
    page.click("header >> text=老同志")
    assert page.locator(pressed).inner_text() == "老同志"


def test_the_head_lets_in_who_lost_the_phone(open_page, staff):
    with_phone(staff)
    head = make_user(role=Role.OFFICE_HEAD)
    page = open_page(user=head)
    page.goto(reverse("admin:cadres_user_change", args=[staff.pk]))
    page.click("text=手机丢了")
    assert not faults(page)
    page.fill("#id_password", PASSWORD)
    page.click("input[type=submit]")
    page.wait_for_selector("text=现在用密码就能登录")
