"""Whole numbers in a real browser: one is looked at, two hundred are taken home by two people."""

import io

import openpyxl
import pytest

from branches.tests.make import make_branch, make_membership, make_seat
from cadres.models import AccessEntry, Export, User
from cadres.roles import Role
from cadres.tests.make import make_id_number, make_retiree, make_user
from fengjie_cadres.tests.looks import WITH_AND_WITHOUT

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "sheng-huo-2025"
PHONE = "13812345678"
MANY = 205


def user(role: Role | str = "", **fields):
    return make_user(role=role, password=PASSWORD, **fields)


# ---- one number --------------------------------------------------------------------------------


@pytest.fixture
def person(db):
    branch = make_branch("甲支部")
    secretary = make_retiree(name="支书")
    make_seat(branch, secretary)
    user(retiree=secretary, username="shuji", name="支书")
    found = make_retiree(name="张三", phone=PHONE, id_number=make_id_number(serial=7))
    make_membership(found, branch)
    return found


@pytest.mark.parametrize("javascript", WITH_AND_WITHOUT)
def test_a_secretary_looks_up_a_phone_and_the_person_reads_who_did(open_page, person, javascript):
    from_branch = User.objects.get(username="shuji")
    page = open_page(width=360, user=from_branch, javascript=javascript)
    page.click("main >> text=张三")
    assert "138****5678" in page.inner_text("main")
    page.select_option("#id_secret", label="联系电话")
    page.fill("#id_reason", "通知他来开会")
    page.click("main button:has-text('查看')")
    assert PHONE in page.inner_text("[role=status]")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(person.get_absolute_url())
    assert PHONE not in page.content()
    assert AccessEntry.objects.count() == 1

    own = open_page(width=360, user=user(retiree=person), javascript=javascript)
    own.click("text=谁看过我的完整号码")
    shown = own.inner_text("main")
    for said in ("支书", "联系电话", "通知他来开会"):
        assert said in shown
    assert PHONE not in own.content()


# ---- all of them -------------------------------------------------------------------------------


@pytest.fixture
def numbers(db) -> set[str]:
    """More people than one person may take home in full."""
    numbers = [make_id_number("1953-07-15", serial=serial) for serial in range(MANY)]
    for number in numbers:
        make_retiree(id_number=number, phone=PHONE)
    return set(numbers)


def ask(page):
    page.goto("/people/")
    page.click("text=导出花名册")
    assert "另一位负责人同意" in page.inner_text("main")
    page.select_option("#id_is_full", label="完整的身份证号和电话")
    page.fill("#id_reason", "上报市局")
    page.fill("#id_password", PASSWORD)
    page.click("main button:has-text('导出')")
    assert "等另一位负责人同意" in page.inner_text("main")
    assert not page.locator("button:has-text('下载')").count()


def agree(page):
    page.goto("/exports/")
    page.click("main tbody a >> nth=0")
    assert "上报市局" in page.inner_text("main")
    page.click("text=同意导出")
    page.wait_for_selector("text=已同意，正在生成。")
    assert not page.locator("button:has-text('下载')").count()


def download(page) -> openpyxl.Workbook:
    with page.expect_download() as started:
        page.click("button:has-text('下载')")
    return openpyxl.load_workbook(io.BytesIO(started.value.path().read_bytes()))


def test_a_full_export_of_many_takes_two_people(open_page, numbers, worker):
    staff, head = user(Role.OFFICE_STAFF, name="王科长"), user(Role.OFFICE_HEAD, name="李局长")
    page = open_page(user=staff)
    ask(page)
    assert Export.objects.get().job is None
    asked_at = page.url
    agree(open_page(user=head))
    for _ in range(80):
        page.goto(asked_at)
        if page.locator("button:has-text('下载')").count():
            break
        page.wait_for_timeout(250)
    cells = [cell for row in download(page).active.iter_rows() for cell in row]
    found = {cell.value: cell for cell in cells if cell.value in numbers}
    assert found.keys() == numbers
    assert {(c.data_type, c.number_format) for c in found.values()} == {("s", "@")}
    assert sum(cell.value == PHONE for cell in cells) == MANY
    assert len(download(page).active["A"]) > MANY  # once more, from the same page
    assert list(AccessEntry.objects.order_by("id").values_list("kind", "user", "people")) == [
        ("full_export", staff.pk, MANY), ("download", staff.pk, MANY), ("download", staff.pk, MANY),
    ]  # fmt: skip


@pytest.mark.slow
def test_a_head_does_not_agree_to_the_own_export(open_page, numbers):
    head = user(Role.OFFICE_HEAD)
    page = open_page(user=head)
    ask(page)
    assert not page.locator("text=同意导出").count()
    token = page.locator("[name=csrfmiddlewaretoken]").first.get_attribute("value")
    address = page.url + "decide/"
    answer = page.request.post(
        address,
        form={"agreed": "yes", "csrfmiddlewaretoken": token},
        headers={"Referer": page.url},
    )
    assert "自己提出的导出，要由另一位负责人同意。" in answer.text()
    assert Export.objects.get().state == "waiting"
