"""The office says what unknown names mean, and mends a small table in Excel, in a real browser."""

import io

import openpyxl
import pytest

from branches.models import ImportBatch
from cadres.models import Retiree, Unit, UnitAlias
from cadres.roles import Role
from cadres.tests.make import make_user, some_unit
from cadres.tests.workbooks import people, roster_of, workbook
from fengjie_cadres.tests.conftest import NARROW_FIRST
from fengjie_cadres.tests.looks import WITH_AND_WITHOUT

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "sheng-huo-2025"
UNKNOWN = "县火星探测局"
HEADINGS = ["名称", "别名", "性质", "行业", "层级"]
CHANGED = ["奉节县财政局", None, None, "改了的行业", None]
NEW = ["奉节县新设局", "新设局", "机关", "农业", "县级"]
SAME = ["奉节县教育委员会", None, None, None, None]
WRONG = ["奉节县错局", None, "企业", "农业", "县级"]


@pytest.fixture
def staff(db):
    return make_user(role=Role.OFFICE_STAFF, password=PASSWORD)


def send(page, content: bytes, name: str = "表.xlsx"):
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    page.set_input_files("#id_file", file)
    page.click("text=上传并预览")


def arrive(page, place: str):
    """Waits for a job's result, pressing the link where no script does it."""
    for _ in range(80):
        if place in page.url and "names" not in page.url:
            return
        page.wait_for_timeout(250)
        link = page.locator("text=看看办好了没有")
        if link.count():
            link.first.click()


@pytest.mark.parametrize("javascript", WITH_AND_WITHOUT)
def test_an_unknown_name_is_mapped_in_the_preview_and_known_ever_after(
    open_page, staff, worker, javascript
):
    page = open_page(user=staff, javascript=javascript)
    page.goto("/imports/new/")
    send(page, roster_of(*people(2, 原工作单位=UNKNOWN)))
    arrive(page, "/imports/")
    page.locator("a", has_text="对应").first.click()
    page.locator("main select").select_option(label=some_unit().name)
    page.click("text=存下，重新读取这份表")
    arrive(page, "/imports/")
    page.click("text=确认写入")
    arrive(page, "/imports/")
    assert page.locator("text=已经写入。").is_visible()
    assert UnitAlias.objects.get(name=UNKNOWN).unit == some_unit()
    assert set(Retiree.objects.values_list("unit", flat=True)) == {some_unit().pk}

    page.goto("/imports/new/")
    send(page, roster_of(*people(3, 原工作单位=UNKNOWN)))
    arrive(page, "/imports/")
    later = ImportBatch.objects.latest("pk")
    assert (later.unchanged, later.created, later.rejected) == (2, 1, 0)


@pytest.mark.parametrize("javascript", WITH_AND_WITHOUT)
def test_a_table_with_a_wrong_row_is_mended_and_written(open_page, staff, javascript):
    page = open_page(user=staff, javascript=javascript)
    page.goto("/admin/cadres/unit/")
    page.click("text=导入 Excel")
    send(page, workbook([HEADINGS, CHANGED, NEW, SAME, WRONG]))
    assert "新增 1 行，更新 1 行，不变 1 行，不对 1 行" in page.inner_text(".import-counts")
    first = page.locator(".results tbody tr").first.inner_text()
    assert "第 5 行" in first
    assert "没有“企业”这个性质" in first
    assert not page.locator("text=确认写入").count()

    send(page, workbook([HEADINGS, CHANGED, NEW, SAME]))
    assert page.locator("text=这是预览，还没有写入").is_visible()
    assert not Unit.objects.filter(name="奉节县新设局").exists()
    page.click("text=确认写入")
    assert page.locator("text=已写入：新增 1，更新 1，不变 1。").is_visible()
    assert some_unit("奉节县财政局").sector == "改了的行业"
    assert UnitAlias.objects.get(name="新设局").unit.name == "奉节县新设局"


@pytest.mark.slow
def test_an_exported_table_comes_back_unchanged(open_page, staff):
    page = open_page(user=staff)
    page.goto("/admin/branches/branch/")
    with page.expect_download() as started:
        page.click("text=导出 Excel")
    content = started.value.path().read_bytes()
    book = openpyxl.load_workbook(io.BytesIO(content))
    page.click("text=导入 Excel")
    send(page, content, started.value.suggested_filename)
    assert page.locator("text=和系统里的一样，没有要改的。").is_visible()
    assert f"不变 {book.active.max_row - 1} 行" in page.inner_text(".import-counts")


@pytest.mark.parametrize("width", NARROW_FIRST)
@pytest.mark.slow
def test_the_preview_fits_the_window(open_page, staff, width):
    page = open_page(user=staff, width=width)
    page.goto("/admin/cadres/unit/import/")
    send(page, workbook([HEADINGS, CHANGED, NEW, SAME, WRONG]))
    page.wait_for_selector(".import-counts")
    for box in ("document.documentElement", "document.querySelector('.results')"):
        assert page.evaluate(f"{box}.scrollWidth - {box}.clientWidth") <= 0
    assert page.locator("label.button").bounding_box()["height"] >= 44
