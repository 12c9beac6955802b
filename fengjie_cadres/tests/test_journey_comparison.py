"""The office compares a list of deaths with the record, in a real browser with a real worker."""

import io

import openpyxl
import pytest

from cadres.models import AccessEntry, Retiree
from cadres.roles import Role
from cadres.tests.make import make_id_number, make_retiree, make_user
from cadres.tests.workbooks import workbook
from fengjie_cadres.tests.conftest import NARROW_FIRST
from fengjie_cadres.tests.looks import WITH_AND_WITHOUT

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "sheng-huo-2025"
NUMBERS = [make_id_number("1943-07-15", serial=serial) for serial in range(1, 5)]
DEATHS = workbook(
    [
        ["奉节县2026年一季度去世人员名单"],
        ["序号", "死者姓名", "证件号码", "死亡日期", "户籍地", "申报人电话"],
        [1, "张三", NUMBERS[0], "2026.03.01", "朱衣镇", "13811112222"],
        [2, "李四", NUMBERS[1], "2026-01-05", "草堂镇", None],
        [3, "王五", NUMBERS[2], "2026-02-02", "永安街道", None],
    ]
)


@pytest.fixture
def staff(db):
    return make_user(role=Role.OFFICE_STAFF, password=PASSWORD)


@pytest.fixture
def county(db):
    make_retiree(name="张三", id_number=NUMBERS[0])
    make_retiree(name="李四", id_number=NUMBERS[1], status="deceased", died_on="2026-01-05")


def upload(page):
    page.goto("/")
    page.click("text=信息比对")
    page.click("text=比对一份名单")
    page.fill("#id_source", "民政局2026年一季度去世人员")
    page.set_input_files(
        "#id_file", {"name": "去世.xlsx", "mimeType": "application/octet-stream", "buffer": DEATHS}
    )
    page.click("text=上传并比对")


def arrive(page, place: str):
    """Waits for a job's result, pressing the link where no script does it."""
    for _ in range(80):
        if place in page.url:
            return
        page.wait_for_timeout(250)
        link = page.locator("text=看看办好了没有")
        if link.count():
            link.first.click()


@pytest.mark.parametrize("javascript", WITH_AND_WITHOUT)
def test_a_deaths_list_is_compared_and_taken_home_as_a_workbook(
    open_page, staff, county, worker, javascript
):
    page = open_page(user=staff, javascript=javascript)
    upload(page)
    arrive(page, "/comparisons/")
    tiles = page.locator(".tiles").inner_text().replace("\n", "")
    for words in ("表中3行", "两边都有但不同1人", "两边都有且一致1人", "只在表中1人"):
        assert words in tiles
    row = page.locator("tbody tr").inner_text()
    assert "张三" in row
    assert "2026年3月1日" in row
    assert "户籍地：朱衣镇" in row
    assert "13811112222" not in page.content()
    link = page.locator("text=去登记去世").get_attribute("href")
    assert link.endswith("/?kind=deceased&on=2026-03-01")
    page.click("text=两边都有且一致 1")
    assert "已去世" in page.locator("tbody tr").inner_text()

    page.click("text=导出 Excel")
    arrive(page, "/exports/")
    with page.expect_download() as started:
        page.click("button:has-text('下载')")
    book = openpyxl.load_workbook(io.BytesIO(started.value.path().read_bytes()))
    assert book.sheetnames[:3] == ["汇总", "两边不同", "两边一致"]
    shown = [[cell.value for cell in row] for row in book["两边不同"].iter_rows(min_row=4)]
    assert shown[0][1] == "张三"
    assert {"去世时间", "（空）", "2026年3月1日", "朱衣镇"} <= {*shown[0]}
    assert list(AccessEntry.objects.values_list("kind", flat=True)) == ["download", "export"]
    assert set(Retiree.objects.values_list("name", "status")) == {
        ("张三", "active"), ("李四", "deceased"),
    }  # fmt: skip


@pytest.mark.parametrize("width", NARROW_FIRST)
@pytest.mark.slow
def test_a_list_that_cannot_be_read_gets_a_sentence(open_page, staff, worker, width):
    page = open_page(user=staff, width=width)
    page.goto("/comparisons/new/")
    page.fill("#id_source", "随便写写")
    content = "随便,写写\n甲,乙\n".encode()
    page.set_input_files("#id_file", {"name": "x.csv", "mimeType": "text/csv", "buffer": content})
    page.click("text=上传并比对")
    page.wait_for_selector("text=没有找到表头", timeout=30_000)
    page.click("text=重新上传")
    assert page.url.endswith("/comparisons/new/")
