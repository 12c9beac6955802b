"""The result of a comparison as a workbook: its sheets, what is masked, who gets it."""

import io

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from branches.models import ImportBatch
from branches.tests.make import compared
from cadres.models import AccessEntry, Export
from cadres.roles import Role
from cadres.tests.make import make_id_number, make_retiree, make_user
from cadres.tests.workbooks import text_file, workbook
from fengjie_cadres.reports.exports import export_job, write

pytestmark = pytest.mark.django_db
NUMBERS = [make_id_number("1953-07-15", serial=serial) for serial in range(1, 8)]
PHONE = "13812345678"


@pytest.fixture
def staff(client):
    user = make_user(role=Role.OFFICE_STAFF)
    client.force_login(user)
    return user


def a_comparison(**fields) -> ImportBatch:
    make_retiree(name="张三", id_number=NUMBERS[0], phone="13899995678", rank="科员")
    make_retiree(name="李四", id_number=NUMBERS[1])
    make_retiree(name="孙七", phone=PHONE)
    content = text_file(
        [
            ["姓名", "身份证号", "联系电话", "职级", "参保状态", "家属电话"],
            ["张三", NUMBERS[0], PHONE, "四级调研员", "=1+1", "023-56551234"],
            ["李四", NUMBERS[1], None, None, "正常", None],
            ["赵六", NUMBERS[3], PHONE, None, None, None],
            ["孙七", "123", None, None, None, None],
        ]
    )
    return compared(content, **({"scope": "county", "source": "社保局名单"} | fields))


def opened(client, batch: ImportBatch):
    response = client.post(f"/comparisons/{batch.pk}/export/")
    assert response.status_code == 302
    export = Export.objects.first()
    export_job(export.job)
    export.refresh_from_db()
    return openpyxl.load_workbook(io.BytesIO(export.file.read()))


def cells(sheet) -> list[list]:
    """The rows from the headings on, without the running number."""
    return [[cell.value for cell in row][1:] for row in sheet.iter_rows(min_row=3)]


def table(sheet) -> list[dict]:
    head, *rows = cells(sheet)
    filled = [row for row in rows if any(row)]
    return [dict(zip(head, row, strict=True)) for row in filled]


def test_every_list_has_its_sheet(client, staff):
    book = opened(client, a_comparison())
    assert book.sheetnames == ["汇总", "两边不同", "两边一致", "只在表中", "只在我们这里", "看不清"]
    summary = {row["项目"]: row["数量"] for row in table(book["汇总"])}
    assert {name: number for name, number in summary.items() if number} == {
        "表中人员（行）": 4, "两边都有但不同": 1, "两边都有且一致": 1, "只在表中": 1,
        "只在我们这里": 1, "看不清的行": 1,
    }  # fmt: skip
    assert book["汇总"]["C9"].data_type == "n"
    differences = table(book["两边不同"])
    assert [
        (row["姓名"], row["项目"], row["我们登记的"], row["表中的"]) for row in differences
    ] == [
        ("张三", "职级", "科员", "四级调研员"),
        ("张三", "联系电话", "138****5678", "138****5678（不同）"),
    ]
    assert differences[0]["参保状态"] == "=1+1"
    assert [row["姓名"] for row in table(book["两边一致"])] == ["李四"]
    (there,) = table(book["只在表中"])
    assert (there["姓名"], there["出生年月"], there["联系电话"]) == (
        "赵六", "1953年7月15日", "138****5678",
    )  # fmt: skip
    assert [row["姓名"] for row in table(book["只在我们这里"])] == ["孙七"]
    (unclear,) = table(book["看不清"])
    assert "分不清是不是同一位" in unclear["为什么看不清"]


def test_numbers_are_masked_everywhere_and_no_cell_is_a_formula(client, staff):
    book = opened(client, a_comparison())
    everything = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value]
    text = "\n".join(str(cell.value) for cell in everything)
    for number in [*NUMBERS, PHONE, "56551234", "13899995678"]:
        assert number not in text
    assert all(cell.data_type != "f" for cell in everything)


def test_every_sheet_says_its_list_and_the_export_number(client, staff):
    book = opened(client, a_comparison())
    export = Export.objects.get()
    for sheet in book.worksheets[1:]:
        assert sheet["A1"].value.startswith("社保局名单：")
        assert sheet.freeze_panes == "C4"
    assert export.number in str(list(book["汇总"].values)[-1])
    assert export.filter_words == "名单：社保局名单；比对范围：全县在册"
    assert AccessEntry.objects.get().export == export


def test_a_list_of_deaths_has_their_dates(client, staff):
    make_retiree(name="张三", id_number=NUMBERS[0], status="deceased", died_on="2026-03-01")
    rows = [["姓名", "身份证号", "去世时间"], ["张三", NUMBERS[0], "2026.03"]]
    (row,) = table(opened(client, compared(workbook(rows)))["两边一致"])
    assert (row["状态"], row["表中去世时间"]) == ("已去世", "2026年3月")


def test_only_the_office_exports_a_comparison(client):
    batch = a_comparison()
    address = f"/exports/new/comparison/?batch={batch.pk}"
    client.force_login(make_user(role=Role.LEADER))
    assert client.get(address).status_code == 403
    assert client.post(address).status_code == 403
    client.force_login(make_user(role=Role.OFFICE_STAFF))
    assert client.get(address).status_code == 200
    for other in ("?batch=999999", "?batch=x", "", "?batch=９９"):
        assert client.get(f"/exports/new/comparison/{other}").status_code == 404
    assert client.post(address).status_code == 302
    export = Export.objects.get()
    export_job(export.job)
    export.refresh_from_db()
    assert export.state == "ready"


@pytest.mark.parametrize("name", ["社保局/[2026]:*?名单", "很" * 100, "'名单'", "=1+1"])
def test_a_lists_name_may_be_anything(client, staff, name):
    book = opened(client, a_comparison(source=name))
    assert book.sheetnames[0] == "汇总"
    export = Export.objects.get()
    assert client.post(f"/exports/{export.pk}/file/").status_code == 200


def test_a_workbook_takes_as_many_statements_for_30_rows_as_for_3(staff):
    counts = []
    for size in (3, 30):
        rows = []
        for i in range(size, 2 * size):
            number = make_id_number("1951-07-15", serial=i)
            make_retiree(name=f"赵{chr(0x4E00 + i)}", id_number=number)
            rows.append([f"赵{chr(0x4E00 + i)}", number, "科员"])
            rows.append([f"钱{chr(0x4E00 + i)}", make_id_number("1952-07-15", serial=i), None])
        batch = compared(workbook([["姓名", "身份证号", "职级"], *rows]), scope="county")
        export = Export.objects.create(
            kind="comparison", title="x", state="making", params={"batch": batch.pk}, asked_by=staff
        )
        with CaptureQueriesContext(connection) as captured:
            write(export)
        counts.append(sum("FETCH" not in query["sql"] for query in captured))
    assert counts[0] == counts[1]
