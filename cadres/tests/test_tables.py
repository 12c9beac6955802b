"""Small tables as workbooks: units, areas, townships out of the admin and back, as a whole."""

import datetime
import io

import openpyxl
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cadres.models import AccessEntry, Area, Township, Unit, UnitAlias, User
from cadres.resources import AreaResource, TownshipResource, UnitResource
from cadres.roles import Role
from cadres.tables import TableRefusedError, files
from cadres.tables.desk import KEPT, empty_old_tables, keep
from cadres.tables.resource import Outcome, load, look
from cadres.tests.make import make_unit, make_user, some_township, some_unit
from cadres.tests.workbooks import in_sheets, old_workbook, saved, text_file, workbook

pytestmark = pytest.mark.django_db
HEADINGS = ["名称", "别名", "性质", "行业", "层级"]


@pytest.fixture
def staff(client):
    user = make_user(role=Role.OFFICE_STAFF)
    client.force_login(user)
    return user


def looked(content: bytes, resource=UnitResource, **fields) -> Outcome:
    made = resource(acting=make_user(role=Role.OFFICE_STAFF), **fields)
    return look(resource=made, table=made.file_format().create_dataset(content))


def loaded(content: bytes, resource=UnitResource) -> Outcome:
    seen, by = looked(content, resource), make_user(role=Role.OFFICE_STAFF)
    made = resource(acting=by)
    table = made.file_format().create_dataset(content)
    return load(resource=made, table=table, expected=seen.fingerprint, by=by)


def units(*rows: list) -> bytes:
    return workbook([HEADINGS, *rows])


def kinds(outcome: Outcome) -> list[str]:
    return [line.kind for line in outcome.lines]


def faults(outcome: Outcome) -> list[tuple]:
    return [fault for line in outcome.lines for fault in line.faults]


def exported(client, model: str, **query) -> openpyxl.Workbook:
    response = client.get(reverse(f"admin:cadres_{model}_export"), query)
    assert response.status_code == 200
    return openpyxl.load_workbook(io.BytesIO(response.content))


def rows_of(book) -> list[list]:
    return [[cell.value for cell in row] for row in book.active.iter_rows()]


# ---- what a row comes to -----------------------------------------------------------------------


def four_rows() -> bytes:
    """One changed, one new, one unchanged, one wrong."""
    return units(
        ["奉节县财政局", "县财政局、财政局", "机关", "改了的行业", "县级"],
        ["奉节县新设局", "新设局", "机关", "农业", "县级"],
        ["奉节县教育委员会", None, None, None, None],
        ["奉节县错局", None, "企业", "农业", None],
    )


def test_changed_new_unchanged_and_wrong_rows_are_told_apart():
    outcome = looked(four_rows())
    assert kinds(outcome) == ["update", "new", "skip", "wrong"]
    changed, new, _, wrong = outcome.lines
    assert ("行业", some_unit("奉节县财政局").sector, "改了的行业") in changed.changes
    assert ("别名", "", "新设局") in new.changes
    assert wrong.number == 5
    assert wrong.faults == [
        ("性质", "没有“企业”这个性质，请填：机关、事业单位、国有企业。"),
        ("层级", "新增要填写层级。"),
    ]
    assert not outcome.can_be_written
    assert not Unit.objects.filter(name="奉节县新设局").exists()


def test_one_wrong_row_and_nothing_is_written():
    with pytest.raises(TableRefusedError):
        loaded(four_rows())
    assert some_unit("奉节县财政局").sector != "改了的行业"
    assert not Unit.objects.filter(name="奉节县新设局").exists()


def test_good_rows_are_written():
    content = units(
        ["奉节县财政局", "县财政局、财政", None, "改了的行业", None],
        ["奉节县新设局", "新设局，新局", "机关", "农业", "县级"],
    )
    assert loaded(content).counts == {"new": 1, "update": 1, "skip": 0, "wrong": 0}
    known = some_unit("奉节县财政局")
    assert (known.sector, known.nature) == ("改了的行业", "机关")
    assert set(known.aliases.values_list("name", flat=True)) == {"县财政局", "财政"}
    new = Unit.objects.get(name="奉节县新设局")
    assert set(new.aliases.values_list("name", flat=True)) == {"新设局", "新局"}


def test_own_export_comes_back_unchanged(client, staff):
    for resource, model in (
        (UnitResource, "unit"), (AreaResource, "area"), (TownshipResource, "township"),
    ):  # fmt: skip
        outcome = looked(saved(exported(client, model)), resource)
        assert set(kinds(outcome)) == {"skip"}, model
        assert not outcome.changes_something


def test_empty_cells_leave_alone_what_there_is():
    before = some_unit()
    names = set(before.aliases.values_list("name", flat=True))
    outcome = looked(units([before.name, None, "", None, None]))
    assert kinds(outcome) == ["skip"]
    assert names
    assert set(before.aliases.values_list("name", flat=True)) == names


def test_names_are_matched_without_blanks_and_full_width_forms():
    outcome = looked(units(["奉节县 教育　委员会", None, None, "改了", None]))
    assert kinds(outcome) == ["update"]
    assert [change[0] for change in outcome.lines[0].changes] == ["行业"]


def test_missing_foreign_key_names_the_row_and_the_value_and_hides_no_other_error():
    content = workbook(
        [["名称", "片区", "区划代码"], ["朱衣镇", "火星片区", "1"], ["草堂镇", "永安片区", None]]
    )
    line = looked(content, TownshipResource).lines[0]
    assert line.number == 2
    assert dict(line.faults) == {
        "片区": "没有“火星片区”这个片区，请核对名称。",
        "区划代码": f"“1”：这一列不能在表里改，原来是“{some_township().code}”。",
    }


@pytest.mark.parametrize("resource", [AreaResource, TownshipResource])
def test_areas_and_townships_are_not_added_by_file(resource):
    outcome = looked(workbook([["名称"], ["火星"]]), resource)
    assert "没有“火星”" in faults(outcome)[0][1]


def test_area_and_brand_are_changed_by_file():
    area = Area.objects.last()
    loaded(workbook([["名称", "片区"], ["朱衣镇", area.name]]), TownshipResource)
    assert some_township().area == area
    loaded(workbook([["名称", "品牌"], [area.name, "夕阳红"]]), AreaResource)
    area.refresh_from_db()
    assert area.brand == "夕阳红"


def test_new_rows_need_the_right_to_add():
    content = units(["奉节县新设局", None, "机关", "农业", "县级"])
    outcome = looked(content, may_add=False)
    assert faults(outcome) == [("名称", "没有“奉节县新设局”，您不能新增这一类记录。")]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (["", "x", None, None, None], "请填写名称。"),
        (["奉" * 81, None, "机关", "农业", "县级"], "最多 80 个字"),
        (["新局", "别" * 81, "机关", "农业", "县级"], "最多 80 个字"),
        (["新局", None, "机关", "农" * 21, "县级"], "最多 20 个字"),
        (["新局", "县教委", "机关", "农业", "县级"], "“县教委”已经是“奉节县教育委员会”"),
        (["新局", "奉节县财政局", "机关", "农业", "县级"], "已经是“奉节县财政局”的名称或别名"),
        (["新局", None, None, None, None], "新增要填写性质。"),
    ],
)  # fmt: skip
def test_a_bad_cell_is_a_sentence(row, words):
    outcome = looked(units(row))
    assert kinds(outcome) == ["wrong"]
    assert words in str(faults(outcome))


def test_the_second_row_of_a_name_is_refused():
    row = ["奉节县新设局", None, "机关", "农业", "县级"]
    outcome = looked(units(row, row))
    assert kinds(outcome) == ["new", "wrong"]
    assert "与第 2 行重复" in faults(outcome)[0][1]


def test_a_formula_is_no_text():
    book = openpyxl.Workbook()
    book.active.append(HEADINGS)
    book.active.append(["奉节县财政局", None, None, '="农"&"业"', None])
    assert faults(looked(saved(book))) == [("行业", "是公式，请改为文字。")]


# ---- files -------------------------------------------------------------------------------------


ROW = ["奉节县财政局", None, None, "改了", None]


@pytest.mark.parametrize(
    "content",
    [
        workbook([["单位一览表"], [], HEADINGS, ROW]),
        old_workbook([HEADINGS, ROW]),
        text_file([HEADINGS, ROW]),
        text_file([HEADINGS, ROW], encoding="gb18030"),
        workbook([["封面"]], [HEADINGS, ROW]),
        workbook([[" 名 称*", "行业\n"], ["奉节县财政局", "改了"]]),
    ],
    ids=["title above", "xls", "csv", "gb18030", "second sheet", "blanks in headings"],
)
def test_any_file_that_our_reader_takes(content):
    assert kinds(looked(content)) == ["update"]


def test_rows_are_numbered_as_excel_shows_them():
    content = workbook([["单位一览表"], HEADINGS, [], ROW, [], ["新局"]])
    assert [line.number for line in looked(content).lines] == [4, 6]


def test_unknown_columns_are_named_and_left_alone():
    outcome = looked(workbook([[*HEADINGS, "电话号码本"], [*ROW, "x"]]))
    assert outcome.unknown == ["电话号码本"]
    assert kinds(outcome) == ["update"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (workbook([["单位"], ["奉节县财政局"]]), "没有找到表头"),
        (workbook([HEADINGS]), "表头下面没有内容"),
        (workbook([[*HEADINGS, "行业"], [*ROW, "x"]]), "“行业”有两列"),
        (workbook([HEADINGS, ROW], [HEADINGS, ROW]), "有两个工作表"),
        (workbook([HEADINGS, *[["x"]] * 501]), "表里有 501 行，一次最多 500 行"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "这不是 Excel 或 CSV 文件"),
    ],
)
def test_a_file_that_is_none_is_a_sentence(client, staff, content, words):
    file = SimpleUploadedFile("单位.xlsx", content)
    page = client.post(reverse("admin:cadres_unit_import"), {"file": file}).content.decode()
    assert words in page
    assert "确认写入" not in page


def test_500_rows_are_taken():
    assert len(looked(workbook([HEADINGS, *[[f"新局{i}"] for i in range(500)]])).lines) == 500


def test_a_wrong_dimension_loses_no_rows():
    content = workbook([HEADINGS, *[[f"新局{i}"] for i in range(20)]])
    lying = in_sheets(content, rb'<dimension ref="[^"]*"', b'<dimension ref="A1:E2"')
    assert lying != content
    assert len(looked(lying).lines) == 20


# ---- queries -----------------------------------------------------------------------------------


def statements(content: bytes, resource=UnitResource) -> int:
    made = resource(acting=make_user(role=Role.OFFICE_STAFF))
    table = made.file_format().create_dataset(content)
    with CaptureQueriesContext(connection) as captured:
        look(resource=made, table=table)
    return sum("SAVEPOINT" not in query["sql"] for query in captured)


def test_unchanged_rows_cost_no_query_and_changed_ones_one_each():
    names = list(Unit.objects.values_list("name", flat=True)[:20])
    same = [statements(units(*[[name] for name in names[:count]])) for count in (1, 20)]
    assert same[0] == same[1]
    changed = [
        statements(units(*[[name, None, None, "改了"] for name in names[:count]]))
        for count in (1, 20)
    ]
    assert changed[1] - changed[0] == 19


def test_foreign_keys_are_asked_for_once():
    names = list(Township.objects.values_list("name", flat=True)[:20])
    areas = list(Area.objects.values_list("name", flat=True))
    counts = []
    for count in (1, 20):
        rows = [[name, areas[i % 5]] for i, name in enumerate(names[:count])]
        with_areas = statements(workbook([["名称", "片区"], *rows]), TownshipResource)
        outcome = looked(workbook([["名称", "片区"], *rows]), TownshipResource)
        counts.append(with_areas - outcome.count("update"))
    assert counts[0] == counts[1]


def test_export_takes_as_many_queries_for_100_units_as_for_3(client, staff):
    counts = []
    for query in ({"q": "教育委员会"}, {}):
        with CaptureQueriesContext(connection) as captured:
            client.get(reverse("admin:cadres_unit_export"), query)
        counts.append(len(captured))
    assert counts[1] - counts[0] <= 2  # two pages of a hundred


# ---- export ------------------------------------------------------------------------------------


def test_export_is_what_the_list_shows(client, staff):
    make_unit("奉节县甲局", aliases=("甲局", "甲"), sector="农业")
    rows = rows_of(exported(client, "unit", q="甲局"))
    assert rows == [HEADINGS, ["奉节县甲局", "甲、甲局", "机关", "农业", "县级"]]
    assert len(rows_of(exported(client, "unit"))) == 1 + Unit.objects.count()


def test_every_export_is_in_the_access_log(client, staff):
    make_unit("甲局")
    exported(client, "unit", q="甲局")
    [entry] = AccessEntry.objects.all()
    assert (entry.user, entry.kind, entry.people) == (staff, "export", 0)
    assert entry.reason == "办公桌：单位（1 行）"
    assert entry.reason in client.get("/access/").content.decode()
    client.get(reverse("admin:cadres_user_export"))
    assert AccessEntry.objects.first().people == User.objects.count()
    client.get(reverse("admin:cadres_unit_export"), {"x__y": "1"})
    assert AccessEntry.objects.count() == 2  # nothing was handed out


def test_export_writes_text_as_text(client, staff):
    make_unit("=1+1", aliases=("http://127.0.0.1/x",), sector="@SUM(1)")
    book = exported(client, "unit", q="=1+1")
    for row in book.active.iter_rows(min_row=2):
        for cell in row:
            assert cell.data_type == "s"
            assert cell.hyperlink is None
    assert exported(client, "township").active["B2"].number_format == "@"


def test_export_with_a_filter_that_is_none_is_no_error(client, staff):
    address = reverse("admin:cadres_unit_export")
    assert client.get(address, {"nature": "x"}).status_code == 200
    assert client.get(address, {"foo__bar": "1"}).status_code in (302, 400)
    assert client.post(address).status_code == 405


# ---- the pages ---------------------------------------------------------------------------------


def upload(client, content: bytes, model: str = "unit"):
    file = SimpleUploadedFile("表.xlsx", content)
    return client.post(reverse(f"admin:cadres_{model}_import"), {"file": file})


def confirm(client, token: str, model: str = "unit"):
    address = reverse(f"admin:cadres_{model}_process_import")
    return client.post(address, {"token": token}, follow=True)


GOOD = [["奉节县财政局", None, None, "改了的行业", None]]


def test_upload_shows_a_preview_and_confirm_writes(client, staff):
    page = upload(client, units(*GOOD))
    text = page.content.decode()
    assert "这是预览，还没有写入" in text
    assert "改了的行业" in text
    assert some_unit("奉节县财政局").sector != "改了的行业"
    done = confirm(client, page.context["token"]).content.decode()
    assert "已写入：新增 0，更新 1，不变 0。" in done
    assert some_unit("奉节县财政局").sector == "改了的行业"


def test_confirm_sent_twice_has_one_effect(client, staff):
    token = upload(client, units(["新局", None, "机关", "农业", "县级"])).context["token"]
    confirm(client, token)
    assert "已经办过" in confirm(client, token).content.decode()
    assert Unit.objects.filter(name="新局").count() == 1
    assert UnitAlias.objects.filter(name="新局").count() == 0


def test_confirm_after_a_change_of_the_same_rows_writes_nothing(client, staff):
    token = upload(client, units(*GOOD)).context["token"]
    Unit.objects.filter(name="奉节县财政局").update(sector="同事改的")
    assert "看过预览以后有人改动了" in confirm(client, token).content.decode()
    assert some_unit("奉节县财政局").sector == "同事改的"


def test_a_wrong_row_offers_no_confirmation(client, staff):
    page = upload(client, four_rows())
    assert not page.context["token"]
    text = page.content.decode()
    assert "有 1 行不对，整份都没有写入" in text
    assert "第 5 行" in text
    assert "没有“企业”这个性质" in text


@pytest.mark.parametrize("token", ["", "x", "x:y:z"])
def test_a_made_up_confirmation_is_a_sentence(client, staff, token):
    assert "没有再写入" in confirm(client, token).content.decode()


def test_somebody_elses_confirmation_and_another_tables_are_none(client, staff):
    token = upload(client, units(*GOOD)).context["token"]
    assert "没有再写入" in confirm(client, token, "area").content.decode()
    client.force_login(make_user(role=Role.OFFICE_STAFF))
    assert "没有再写入" in confirm(client, token).content.decode()
    assert some_unit("奉节县财政局").sector != "改了的行业"


def test_a_preview_that_waited_too_long_is_a_sentence(client, staff):
    token = upload(client, units(*GOOD)).context["token"]
    for name in default_storage.listdir("tables")[1]:
        default_storage.delete(f"tables/{name}")
    assert "没有再写入" in confirm(client, token).content.decode()


def test_files_that_nobody_confirmed_go(monkeypatch):
    name = keep(b"x")
    empty_old_tables()
    assert default_storage.exists(name)
    monkeypatch.setattr("cadres.tables.desk.KEPT", datetime.timedelta(seconds=-1))
    empty_old_tables()
    assert not default_storage.exists(name)
    assert datetime.timedelta(hours=1) <= KEPT


def test_a_full_disk_is_a_sentence(client, staff, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.tempfile, "NamedTemporaryFile", full)
    assert "没能存下" in upload(client, units(*GOOD)).content.decode()


def test_no_file_is_a_sentence(client, staff):
    page = client.post(reverse("admin:cadres_unit_import")).content.decode()
    assert "请选择要导入的文件。" in page


def test_looking_writes_nothing(client, staff):
    for model in ("unit", "area", "township", "user"):
        assert client.get(reverse(f"admin:cadres_{model}_import")).status_code == 200
        assert client.get(reverse(f"admin:cadres_{model}_process_import")).status_code == 405


@pytest.mark.parametrize("role", [Role.LEADER, Role.AUDITOR, Role.RETIREE, Role.CONTACT, ""])
def test_tables_are_the_offices(client, role):
    client.force_login(make_user(role=role))
    for page in ("import", "process_import", "export"):
        for model in ("cadres_unit", "cadres_user", "branches_branch"):
            assert client.get(reverse(f"admin:{model}_{page}")).status_code in (302, 403)
            assert client.post(reverse(f"admin:{model}_{page}")).status_code in (302, 403)


def test_import_page_passes_the_content_security_policy(client, staff):
    page = upload(client, units(*GOOD)).content.decode()
    for forbidden in ("style=", "onclick", "<style", "jsi18n"):
        assert forbidden not in page
    assert page.count("<script") == page.count("<script src=") + page.count('<script type="applic')
