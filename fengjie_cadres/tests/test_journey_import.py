"""The office brings its rosters in, in a real browser with a real worker."""

import io
from pathlib import Path

import openpyxl
import pytest

from branches.models import ImportBatch, ImportState, Membership
from cadres.models import ClassChange, Retiree
from cadres.roles import Role
from cadres.tests.make import make_user
from fengjie_cadres import demo

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MESSY = Path(__file__).parents[2] / "branches" / "tests" / "data" / "roster_messy.xlsx"
PASSWORD = "sheng-huo-2025"


@pytest.fixture
def staff(db):
    return make_user(role=Role.OFFICE_STAFF, password=PASSWORD)


def upload(page, path: Path | dict):
    page.goto("/imports/new/")
    page.set_input_files("#id_file", path)
    page.click("text=上传并预览")


def preview(page):
    page.wait_for_url("**/imports/*/", timeout=30_000)
    return {
        line.split("\n")[0]: int(line.split("\n")[1])
        for line in page.locator(".tiles li").all_inner_texts()
    }


def test_the_county_roster_is_imported_by_page_and_a_second_time_changes_nothing(
    open_page, staff, worker
):
    page = open_page(user=staff)
    upload(page, demo.ROSTER)
    assert preview(page) == {
        "人员": 1878, "新增": 1878, "更新": 0, "不变": 0, "拒绝": 0, "没在表里": 0,
    }  # fmt: skip
    assert not Retiree.objects.exists()
    page.click("text=确认写入")
    page.wait_for_selector("text=已经写入。", timeout=30_000)
    assert Retiree.objects.count() == 1878
    assert ClassChange.objects.count() == 1878
    assert Membership.objects.filter(kind="served").count() == 1878

    upload(page, demo.ROSTER)
    assert preview(page)["不变"] == 1878


def test_a_messy_roster_is_mended_and_sent_again_and_undone(open_page, staff, worker, tmp_path):
    page = open_page(user=staff)
    upload(page, MESSY)
    counts = preview(page)
    assert (counts["新增"], counts["拒绝"]) == (48, 12)
    assert page.locator("text=第 7 行").is_visible()
    page.click("text=确认写入")
    page.wait_for_selector("text=已经写入。", timeout=30_000)

    with page.expect_download() as started:
        page.click("text=下载拒绝的行")
    mended = tmp_path / "mended.xlsx"
    mended.write_bytes(mend(started.value.path().read_bytes()))
    upload(page, mended)
    counts = preview(page)
    # the second row of the same person, alone now, is an update of the first
    assert [counts[k] for k in ("人员", "新增", "更新", "拒绝")] == [12, 1, 1, 10]

    first = ImportBatch.objects.get(state=ImportState.WRITTEN)
    page.goto(first.get_absolute_url())
    page.click("summary:has-text('撤销这一批')")
    page.fill(".undo input[type=password]", PASSWORD)
    page.click("text=确定撤销")
    page.wait_for_selector("text=已整批撤销")
    assert not Retiree.objects.exists()


def mend(book: bytes) -> bytes:
    """Writes the unit of the row whose unit nobody knows."""
    opened = openpyxl.load_workbook(io.BytesIO(book))
    for row in opened.active.iter_rows():
        for cell in row:
            if cell.value == "县火星探测局":
                cell.value = "县教委"
    saved = io.BytesIO()
    opened.save(saved)
    return saved.getvalue()


def test_the_import_works_without_javascript(open_page, staff, worker):
    page = open_page(user=staff, javascript=False)
    upload(page, MESSY)
    for _ in range(60):
        if "/imports/" in page.url:
            break
        page.wait_for_timeout(250)
        page.click("text=看看办好了没有")
    assert preview(page)["新增"] == 48
    page.click("text=确认写入")
    for _ in range(60):
        if "/imports/" in page.url:
            break
        page.wait_for_timeout(250)
        page.click("text=看看办好了没有")
    assert page.locator("text=已经写入。").is_visible()
    assert Retiree.objects.count() == 48


@pytest.mark.slow
def test_the_same_confirm_in_two_tabs_writes_once(open_page, staff, worker):
    page = open_page(user=staff)
    upload(page, MESSY)
    preview(page)
    second = page.context.new_page()
    second.goto(page.url)
    page.click("text=确认写入")
    second.click("text=确认写入")
    second.wait_for_selector("text=已经写入。", timeout=30_000)
    page.wait_for_selector("text=已经写入。", timeout=30_000)
    assert Retiree.objects.count() == 48
    assert ImportBatch.objects.filter(state=ImportState.WRITTEN).count() == 1


PAGE = b"<html><table><tr><td>x</td></tr></table></html>"
PICTURE = b"\x89PNG\r\n\x1a\n\x00\x00"


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        pytest.param("名册.xls", PAGE, "这是网页格式的文件", marks=pytest.mark.slow),
        pytest.param("名册.xlsx", PICTURE, "这不是 Excel 或 CSV 文件", marks=pytest.mark.slow),
        ("名册.csv", "随便,写写\n甲,乙\n".encode(), "没有找到表头"),
    ],
    ids=["web page", "picture", "no heading"],
)
def test_a_file_that_is_no_roster_gets_a_sentence(
    open_page, staff, worker, name, content, sentence
):
    page = open_page(user=staff)
    upload(page, {"name": name, "mimeType": "application/octet-stream", "buffer": content})
    page.wait_for_selector(f"text={sentence}", timeout=30_000)
    assert not Retiree.objects.exists()
    upload(page, MESSY)  # the worker is alive
    assert preview(page)["新增"] == 48


@pytest.mark.slow
def test_an_upload_without_a_file_keeps_what_was_typed(open_page, staff):
    page = open_page(user=staff)
    page.goto("/imports/new/")
    page.eval_on_selector("form.box", "form => form.noValidate = true")
    page.select_option("#id_scope", "county")
    page.click("text=上传并预览")
    assert page.locator("#errors").inner_text().endswith("请选择名册文件。")
    assert page.input_value("#id_scope") == "county"
    assert not ImportBatch.objects.exists()
