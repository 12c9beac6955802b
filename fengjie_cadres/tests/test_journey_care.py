"""Care and departures in a real browser: on a secretary's phone, at the office's desk, on paper."""

import re

import pytest

from branches.tests.make import make_branch, make_membership, make_seat, written
from cadres.models import CareRecord, Retiree
from cadres.roles import Role
from cadres.tests.make import make_care, make_retiree, make_user
from cadres.tests.workbooks import people, roster_of
from fengjie_cadres.tests.looks import MEASURES, WITH_AND_WITHOUT, faults

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "sheng-huo-2025"


@pytest.fixture
def staff(db):
    return make_user(role=Role.OFFICE_STAFF, password=PASSWORD, name="王科长")


@pytest.fixture
def branch(db):
    return make_branch("甲支部")


@pytest.fixture
def secretary(branch):
    person = make_retiree(name="支书")
    make_membership(person, branch)
    make_seat(branch, person)
    return make_user(retiree=person, password=PASSWORD)


@pytest.fixture
def person(branch):
    found = make_retiree(name="张三", birth_date="1940-07-15", phone="13812345678")
    make_membership(found, branch)
    return found


@pytest.mark.parametrize("javascript", WITH_AND_WITHOUT)
def test_a_secretary_enters_a_visit_on_a_phone(open_page, secretary, person, javascript):
    page = open_page(width=360, user=secretary, javascript=javascript)
    page.goto("/care/new/")
    page.fill("#search", "zs")
    page.click("text=查找")
    page.click("text=张三，1940年生")
    page.select_option("#id_kind", label="走访慰问")
    page.fill("#id_on", "2025-05-01")
    page.fill("#id_visitors", "支部书记")
    page.fill("#id_given", "慰问金 500 元")
    page.fill("#id_words", "精神很好")
    page.click("main button.wide")
    page.wait_for_selector("text=已登记张三的“走访慰问”")
    record = CareRecord.objects.get()
    assert (record.retiree, record.entered_by) == (person, secretary)
    assert record.details == "看望的人：支部书记；慰问：慰问金 500 元；精神很好"
    assert page.locator("#content >> text=精神很好").is_visible()


def test_a_field_that_does_not_fit_the_kind_is_out_of_the_way(open_page, secretary, person):
    page = open_page(width=360, user=secretary)
    page.goto(f"/care/new/?person={person.pk}&kind=birthday")
    assert not page.locator("#id_until").is_visible()
    page.select_option("#id_kind", label="住院")
    assert page.locator("#id_until").is_visible()
    assert not page.locator("#id_given").is_visible()
    page.fill("#id_until", "2025-05-01")
    page.select_option("#id_kind", label="走访慰问")
    assert page.locator("#id_until").is_visible()  # what is filled in never disappears


def test_a_festival_visit_is_entered_for_the_ticked(open_page, secretary, person, branch):
    for number in range(3):
        make_membership(make_retiree(name=f"老王{'甲乙丙'[number]}"), branch)
    page = open_page(width=360, user=secretary)
    page.goto("/care/new/")
    page.click("text=勾选甲支部的老同志")
    page.click("label:has-text('张三')")
    page.click("label:has-text('老王乙')")
    page.fill("#id_on", "2025-01-20")
    page.click("text=给勾选的人登记")
    page.wait_for_selector("text=已登记 2 人。")
    names = CareRecord.objects.values_list("retiree__name", flat=True)
    assert set(names) == {"张三", "老王乙"}


def test_a_death_from_the_missing_list_is_registered_and_the_branch_reads_it(
    open_page, staff, secretary, branch
):
    written(roster_of(*people(2)))
    gone = Retiree.objects.get(name=people(2)[1][0])
    gone.memberships.all().delete()
    make_membership(gone, branch)
    batch = written(roster_of(*people(1)), scope="county")

    page = open_page(user=staff)
    page.goto(f"/departures/{gone.pk}/?kind=deceased&batch={batch.pk}")
    page.fill("#id_on", "2026-03-02")
    page.click("text=看看会有哪些变化")
    page.wait_for_selector("text=登记以后会这样")
    assert page.locator("text=甲支部的联系服务结束").is_visible()
    page.click("text=确定登记去世")
    page.wait_for_url("**/imports/*/?show=missing*")
    assert page.locator(f"text=已登记{gone}去世").is_visible()
    row = page.locator("table").last.locator("tr", has_text=gone.name)
    assert "已去世" in row.inner_text()

    phone = open_page(width=360, user=secretary)
    phone.goto("/care/")
    assert phone.locator(f"text={gone}已于2026年3月2日去世").is_visible()
    assert phone.goto(f"/people/{gone.pk}/").status == 404


PAGES = [
    "/care/", "/care/?kind=visit", "/care/new/", "/care/new/?q=zs", "/care/new/?person={person}",
    "/care/new/?branch={branch}", "/care/{record}/", "/care/birthdays/?month=7", "/care/visits/",
    "/people/{person}/",
]  # fmt: skip
OFFICE_PAGES = ["/departures/{person}/", "/departures/{person}/?kind=deceased&on=2019-05-01"]


@pytest.mark.slow
@pytest.mark.parametrize(("who", "width"), [("staff", 1280), ("staff", 360), ("secretary", 360)])
def test_axe_finds_nothing_on_the_pages_of_care(
    open_page, request, secretary, person, branch, who, width
):
    user = request.getfixturevalue(who)
    addresses = _addresses(user, person, branch)
    page = open_page(width=width, user=user)
    findings = []
    for address in addresses if who == "secretary" else [*addresses, *_at_desk(person)]:
        page.goto(address)
        findings += faults(page)
    assert not findings, "\n".join(map(str, findings))


def _addresses(user, person, branch) -> list[str]:
    record = make_care(person, "hospital", place="县医院", words="摔伤", entered_by=user)
    keys = {"person": person.pk, "branch": branch.pk, "record": record.pk}
    return [address.format(**keys) for address in PAGES]


def _at_desk(person) -> list[str]:
    return [address.format(person=person.pk) for address in OFFICE_PAGES]


@pytest.mark.slow
def test_the_largest_text_fits_a_narrow_phone_on_the_pages_of_care(
    open_page, secretary, person, branch
):
    person.id_number = "512226194007159910"
    person.birth_date = "1940-07-15"
    person.save()
    page = open_page(width=320, user=secretary)
    page.click("text=特大字")
    for address in _addresses(secretary, person, branch):
        page.goto(address)
        assert page.evaluate(MEASURES)["wide"] <= 0, address


@pytest.mark.slow
def test_the_lists_print_a_sheet_for_each_branch(open_page, staff, person, tmp_path):
    other = make_retiree(name="李四", birth_date="1941-07")
    make_membership(other, make_branch("乙支部"))
    page = open_page(user=staff)
    for name, address in (("生日名单", "/care/birthdays/?month=7"), ("走访名单", "/care/visits/")):
        page.goto(address)
        assert page.locator("[data-print]").is_visible()
        file = tmp_path / "list.pdf"
        page.pdf(path=file, prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", file.read_bytes())) == 2, name
        page.emulate_media(media="print")
        printed = page.locator("body").inner_text()
        for said in (name, "甲支部", "张三", "乙支部", "李四"):
            assert said in printed
        for on_screen in ("查看", "退出", "办公室电话", "浏览器"):
            assert on_screen not in printed
        page.emulate_media(media="null")
