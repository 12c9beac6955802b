"""The comparison's pages: who may open them, what they say, what they leave alone."""

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from branches import comparison
from branches.models import ImportBatch, ImportState, Purpose, StagedRow
from branches.roster import ImportRefusedError, UndoRefusedError, confirm, empty_old_imports, undo
from branches.roster import write as write_roster
from branches.tests.make import compared, listed, make_secretary, staged
from cadres.cleaning import read_phone
from cadres.models import Export, Job
from cadres.roles import Role
from cadres.tests.hostile import FILES
from cadres.tests.make import make_id_number, make_retiree, make_user
from cadres.tests.workbooks import person, roster_of, workbook

pytestmark = pytest.mark.django_db
NUMBERS = [make_id_number("1953-07-15", serial=serial) for serial in range(1, 8)]
DEATHS = ["姓名", "身份证号", "去世时间", "户籍地址", "家属电话"]


@pytest.fixture
def staff(client):
    user = make_user(role=Role.OFFICE_STAFF)
    client.force_login(user)
    return user


def deaths() -> bytes:
    """A deaths list of one still on record, one registered, one unknown, one without a name."""
    make_retiree(name="张三", id_number=NUMBERS[0], phone="13812345678")
    make_retiree(name="李四", id_number=NUMBERS[1], status="deceased", died_on="2026-01-05")
    make_retiree(name="王五", id_number=NUMBERS[2])
    return workbook(
        [
            ["2026年去世人员名单"],
            DEATHS,
            ["张三", NUMBERS[0], "2026.03.01", "朱衣镇人和街1号", "138 1111 2222"],
            ["李四", NUMBERS[1], "2026年1月", "草堂镇", None],
            ["赵六", NUMBERS[3], "2026-02-02", None, None],
            [None, NUMBERS[2], "2026-02-03", None, None],
        ]
    )


def page_of(client, batch: ImportBatch, **asked) -> str:
    response = client.get(f"/comparisons/{batch.pk}/", asked)
    assert response.status_code == 200
    return response.content.decode()


def upload(client, content: bytes = b"", **filled):
    file = SimpleUploadedFile("去世13812345678.xlsx", content or workbook([DEATHS, ["张三", "x"]]))
    return client.post(
        "/comparisons/new/", {"source": "民政局", "scope": "none", "file": file} | filled
    )


ADDRESSES = ["", "new/", "{pk}/", "{pk}/export/"]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    "role", ["secretary", Role.LEADER, Role.AUDITOR, Role.RETIREE, Role.CONTACT, ""]
)
def test_only_the_office_may(client, role, address):
    batch = compared(deaths())
    client.force_login(make_secretary() if role == "secretary" else make_user(role=role))
    address = "/comparisons/" + address.format(pk=batch.pk)
    assert client.get(address).status_code == 403
    assert client.post(address, {"source": "x", "scope": "none"}).status_code == 403
    assert not Export.objects.exists()
    assert ImportBatch.objects.count() == 1


def test_an_upload_goes_to_its_progress_page_and_keeps_the_lists_name(client, staff):
    response = upload(client, source=" 民政局2026年去世人员 ")
    batch = ImportBatch.objects.get()
    assert response.url == batch.job.get_absolute_url()
    assert (batch.purpose, batch.file_name) == (Purpose.COMPARE, "民政局2026年去世人员")
    assert batch.notes == {"file": "去世138****.xlsx"}
    assert batch.job.kind == "comparison"


def test_the_same_upload_twice_is_one(client, staff):
    content = deaths()
    assert upload(client, content).url == upload(client, content).url
    assert ImportBatch.objects.count() == Job.objects.count() == 1
    upload(client, content, source="另一份")
    assert ImportBatch.objects.count() == 2


@pytest.mark.parametrize(
    ("filled", "words"),
    [
        ({"source": ""}, "请写明这是谁的、什么名单。"),
        ({"source": "  "}, "请写明这是谁的、什么名单。"),
        ({"source": "民政局\0"}, "看不见的字符"),
        ({"file": ""}, "请选择名单文件。"),
        ({"scope": "other"}, "请在列表中选择。"),
        ({"file": SimpleUploadedFile("x.xlsx", b"x" * 5_300_000)}, "文件超过 5 MB"),
    ],
)
def test_what_is_missing_is_said_and_what_was_typed_stays(client, staff, filled, words):
    response = upload(client, **({"source": "民政局的名单"} | filled))
    page = response.content.decode()
    assert response.status_code == 200
    assert words in page
    if "source" not in filled:
        assert 'value="民政局的名单"' in page
    assert not ImportBatch.objects.exists()


def test_a_full_disk_is_a_sentence(client, staff, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FileSystemStorage, "_save", full)
    assert "服务器没能存下这个文件" in upload(client).content.decode()
    assert not ImportBatch.objects.exists()


@pytest.mark.parametrize(
    "name", ["encrypted_xlsx", "random_bytes", "html_named_xls", "laughs_in_the_workbook"]
)
def test_a_hostile_file_gets_its_sentence(client, staff, name):
    make, codes = FILES[name]
    batch = listed(make())
    with pytest.raises(comparison.read.WorkbookRefusedError) as refusal:
        comparison.compare(batch=batch)
    batch.refresh_from_db()
    assert refusal.value.code in codes
    assert batch.state == ImportState.REFUSED
    assert batch.refusal in page_of(client, batch)


def test_a_list_without_a_heading_says_what_a_list_needs(client, staff):
    batch = listed(workbook([["随便", "写写"], ["甲", "乙"]]))
    with pytest.raises(comparison.read.WorkbookRefusedError):
        comparison.compare(batch=batch)
    batch.refresh_from_db()
    assert "还至少有一列认得的内容" in page_of(client, batch)


def test_a_list_under_way_leads_to_its_progress_page(client, staff):
    batch = listed(deaths(), by=staff, in_background=True)
    assert client.get(f"/comparisons/{batch.pk}/").url == batch.job.get_absolute_url()


def test_a_deaths_list_says_who_is_still_on_record(client, staff):
    batch = compared(deaths())
    assert [batch.rows, batch.updated, batch.unchanged, batch.created, batch.rejected] == [
        4, 1, 1, 1, 1,
    ]  # fmt: skip
    page = page_of(client, batch)  # first of all what differs
    one = StagedRow.objects.get(batch=batch, name="张三").retiree
    assert f'href="/departures/{one.pk}/?kind=deceased&amp;on=2026-03-01"' in page
    assert f'href="/people/{one.pk}/"' in page
    assert "（空） → <ins>2026年3月1日</ins>" in page
    assert "户籍地址：朱衣镇人和街1号" in page
    page = page_of(client, batch, show="unchanged")
    assert "已去世" in page
    assert "2026年1月" in page
    assert "/departures/" not in page
    assert "2026年2月2日" in page_of(client, batch, show="created")
    page = page_of(client, batch, show="rejected")
    assert "没有填姓名" in page
    assert "（系统里：王五）" in page


@pytest.mark.parametrize("show", ["updated", "unchanged", "created", "ours", "rejected", "x"])
def test_no_list_shows_a_number_in_full(client, staff, show):
    page = page_of(client, compared(deaths(), scope="county"), show=show)
    for number in [*NUMBERS, "13812345678", read_phone("138 1111 2222"), "138 1111 2222"]:
        assert number not in page


def test_namesakes_of_somebody_unknown_are_linked(client, staff):
    other = make_retiree(name="赵六", birth_date="1944-01")
    batch = compared(workbook([["姓名", "出生年月"], ["赵六", "1953.07"]]))
    page = page_of(client, batch)
    assert f'href="/people/{other.pk}/"' in page
    assert "1944年1月" in page


@pytest.mark.parametrize("words", ["张", "张三", "zhang", "zs", "ZS"])
def test_a_search_finds_people_in_every_list(client, staff, words):
    batch = compared(deaths(), scope="county")
    page = page_of(client, batch, q=words)
    assert "两边都有但不同 1" in page
    assert "两边都有且一致 0" in page
    assert "李四" not in page


def test_a_search_finds_who_is_only_here(client, staff):
    make_retiree(name="孙七")
    batch = compared(deaths(), scope="county")
    assert "孙七" in page_of(client, batch, q="sunqi", show="ours")
    assert "孙七" not in page_of(client, batch, q="x\0y", show="ours")


def test_a_long_result_is_paged_and_keeps_list_and_words(client, staff):
    batch = compared(
        workbook([["姓名", "性别"], *[[f"赵{chr(0x4E00 + i)}", "男"] for i in range(60)]])
    )
    page = page_of(client, batch, show="created", q="zhao")
    assert "第 1 页，共 2 页" in page
    assert "?show=created&amp;q=zhao&amp;page=2" in page


def test_imports_and_comparisons_do_not_know_each_other(client, staff):
    roster, batch = staged(roster_of(person())), compared(deaths())
    assert "测试名单" not in client.get("/imports/").content.decode()
    assert "测试名单" not in client.get("/admin/branches/importbatch/").content.decode()
    assert "名册.xlsx" not in client.get("/comparisons/").content.decode()
    assert client.get(f"/imports/{batch.pk}/").status_code == 404
    assert client.post(f"/imports/{batch.pk}/rejected.xlsx").status_code == 404
    for verb in ("confirm", "discard", "undo"):
        assert client.post(f"/imports/{batch.pk}/{verb}/").status_code == 404
    assert client.get(f"/comparisons/{roster.pk}/").status_code == 404
    assert client.post(f"/comparisons/{roster.pk}/export/").status_code == 404
    batch.refresh_from_db()
    assert batch.state == ImportState.STAGED


def test_a_comparison_is_neither_written_nor_undone(staff):
    batch = compared(deaths())
    with pytest.raises(ImportRefusedError):
        confirm(batch=batch, by=staff)
    with pytest.raises(ImportRefusedError):
        write_roster(batch=batch, by=staff)
    with pytest.raises(UndoRefusedError):
        undo(batch=batch, by=staff)
    assert not Job.objects.exists()


def test_a_result_is_asked_for_once_while_it_is_made(client, staff):
    batch = compared(deaths(), by=staff)
    address = f"/comparisons/{batch.pk}/export/"
    assert client.post(address).url == client.post(address).url
    export = Export.objects.get()
    assert (export.kind, export.params, export.is_full) == (
        "comparison", {"batch": batch.pk}, False,
    )  # fmt: skip
    assert (export.people, export.number in str(export)) == (4, True)


def test_a_result_that_could_not_be_made_is_made_again(client, staff):
    batch = compared(deaths(), by=staff)
    address = f"/comparisons/{batch.pk}/export/"
    first = client.post(address).url
    Job.objects.filter(kind="export").update(state="failed", words="磁盘满了。")
    assert client.post(address).url != first
    assert Export.objects.count() == 2


def test_an_old_result_is_emptied_and_its_counts_stay(client, staff):
    batch = compared(deaths())
    ImportBatch.objects.update(uploaded_at="2020-01-01T00:00+08:00")
    assert empty_old_imports() == 1
    batch.refresh_from_db()
    assert not StagedRow.objects.exists()
    assert not batch.upload
    assert (batch.file_name, batch.rows) == ("测试名单", 4)
    assert "逐行内容已经清空" in page_of(client, batch)
    assert "已清空" in client.get("/comparisons/").content.decode()
    assert "请重新上传名单" in client.post(
        f"/comparisons/{batch.pk}/export/", follow=True
    ).content.decode()  # fmt: skip
    assert not Export.objects.exists()


def statements(client, batch: ImportBatch, **asked) -> int:
    with CaptureQueriesContext(connection) as captured:
        page_of(client, batch, **asked)
    return len(captured)


@pytest.mark.parametrize("show", ["updated", "unchanged", "created", "ours", "rejected"])
def test_a_page_takes_as_many_statements_for_30_rows_as_for_3(client, staff, show):
    counts = []
    for size in (3, 30):
        counts.append(statements(client, mixed(size), show=show, q="赵"))
    assert counts[0] == counts[1]
    assert counts[0] <= 16


def mixed(size: int) -> ImportBatch:
    """A list with `size` people of each kind, none of them in a list of another size."""
    rows = []
    for i in range(size, 2 * size):
        name = f"赵{chr(0x4E00 + i)}"
        same, different = (make_id_number(f"19{y}-07-15", serial=i) for y in (51, 52))
        for number in (same, different):
            make_retiree(name=name, id_number=number)
        make_retiree(name=name + "甲", birth_date="1948-01")
        make_retiree(name=name + "乙", birth_date="1949-01")
        rows += [
            [name, same, None, None],
            [name, different, None, "2026.03.01"],
            [name + "丙", make_id_number("1953-07-15", serial=i), None, None],
            [name + "甲", None, "科员", None],
        ]
    content = workbook([["姓名", "身份证号", "职级", "去世时间"], *rows])
    batch = compared(content, scope="county")
    assert min(batch.updated, batch.unchanged, batch.created, batch.rejected, batch.missing) >= size
    return batch
