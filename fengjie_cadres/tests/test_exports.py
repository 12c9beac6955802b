"""Workbooks of a filter: what is in them, who gets them, what is masked."""

import datetime
import io

import openpyxl
import pytest
from django.utils import timezone

from cadres.disclosure import empty_old_exports
from cadres.jobs import SAME_PRESS, RefusedError
from cadres.models import AccessEntry, Export, Job
from cadres.roles import Role, give_role
from cadres.tests.make import make_class_change, make_retiree, make_user
from fengjie_cadres.reports import exports
from fengjie_cadres.reports.exports import export_job

pytestmark = pytest.mark.django_db
NUMBER, PHONE = "512226194306209988", "13812345678"


FULL = {"is_full": "yes", "reason": "上报", "password": "sheng-huo-2025"}


@pytest.fixture
def staff():
    return make_user(role=Role.OFFICE_STAFF, password="sheng-huo-2025")


def asked(client, user, kind="roster", query="", **filled) -> Export:
    client.force_login(user)
    response = client.post(f"/exports/new/{kind}/{query}", filled)
    assert response.status_code == 302, response.content.decode()
    return Export.objects.first()


def opened(export: Export):
    """The workbook that the export's job makes."""
    job = export.job or Job(params={"export": export.pk})
    export_job(job)
    export.refresh_from_db()
    return openpyxl.load_workbook(io.BytesIO(export.file.read())).active


def table(sheet) -> list[list]:
    return [[cell.value for cell in row] for row in sheet.iter_rows(min_row=3)]


def test_the_workbook_holds_what_the_list_shows(client, staff):
    make_retiree(name="张三", sex="F", phone=PHONE)
    make_retiree(name="李四", sex="M")
    export = asked(client, staff, query="?sex=F")
    sheet = opened(export)
    rows = table(sheet)
    assert rows[0][:3] == ["序号", "姓名", "性别"]
    assert [row[1] for row in rows[1:2]] == ["张三"]
    assert rows[2][0].startswith("填表人")
    assert "性别：女" in rows[3][0]
    assert export.number in rows[3][0]
    assert sheet.freeze_panes == "C4"
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.print_title_rows == "$3:$3"


def test_an_export_sent_twice_is_one_file_and_one_entry(client, staff):
    first = asked(client, staff)
    assert asked(client, staff) == first
    assert AccessEntry.objects.count() == Export.objects.count() == 1
    assert asked(client, staff, query="?sex=F") != first
    assert asked(client, make_user(role=Role.OFFICE_STAFF)) != first
    Export.objects.filter(pk=first.pk).update(asked_at=timezone.now() - SAME_PRESS * 2)
    assert asked(client, staff) != first


def test_an_export_whose_job_failed_says_so_and_can_be_asked_for_again(client, staff):
    first = asked(client, staff)
    assert "正在生成" in client.get(first.get_absolute_url()).content.decode()
    Job.objects.update(state="failed", words="系统没有办成这件事，请联系管理员。")
    page = client.get(first.get_absolute_url()).content.decode()
    assert "没有生成出来" in page
    assert "重新导出" in page
    assert "正在生成" not in page
    assert "没有生成出来" in client.get("/exports/").content.decode()
    assert first.get_absolute_url() in client.get(first.job.get_absolute_url()).content.decode()
    assert asked(client, staff) != first


def test_the_review_list_is_exported_as_it_is_narrowed(client, staff):
    for name, born in (("张三", "1940-03-01"), ("李四", "1970-01")):
        person = make_retiree(name=name, birth_date=born)
        make_class_change(person, "A", str(timezone.localdate()), reason_kind="lapsed")
    make_retiree(name="未分类", birth_date="1970-01")
    rows = table(opened(asked(client, staff, "review-list", "?why=suggested")))
    assert rows[1][1] == "张三"
    assert "适当参加活动" in rows[1]
    assert rows[2][0].startswith("填表人")
    everybody = table(opened(asked(client, staff, "review-list")))
    page = client.get("/people/review/").context["page"]
    names = [person.name for person in page]
    assert [row[1] for row in everybody[1:-2]] == names
    assert Export.objects.first().people == len(names) == 3
    client.force_login(make_user(role=Role.LEADER))
    assert client.get("/exports/new/review-list/").status_code == 403


def test_numbers_are_masked_unless_the_full_export_was_asked_for(client, staff):
    make_retiree(name="张三", id_number=NUMBER, birth_date="1943-06-20", phone=PHONE)
    shown = str(table(opened(asked(client, staff))))
    assert PHONE not in shown
    assert NUMBER not in shown
    assert "138****5678" in shown
    full = asked(client, staff, is_full="yes", reason="上报", password="sheng-huo-2025")
    sheet = opened(full)
    cell = next(c for row in sheet.iter_rows() for c in row if c.value == NUMBER)
    assert (cell.data_type, cell.number_format) == ("s", "@")


def test_a_full_export_asks_for_purpose_and_password(client, staff):
    make_retiree()
    client.force_login(staff)
    for filled in ({"is_full": "yes", "reason": "上报", "password": "wrong"}, {"is_full": "yes"}):
        response = client.post("/exports/new/roster/", filled)
        assert response.status_code == 200
        assert "请" in response.content.decode()
    assert not Export.objects.exists()


def test_no_cell_is_a_formula_that_came_from_data(client, staff):
    make_retiree(name="张三", former_post='=HYPERLINK("http://x","y")', skills="+1", rank="@x")
    sheet = opened(asked(client, staff))
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    assert '=HYPERLINK("http://x","y")' in str(table(sheet))


def test_a_file_is_given_only_to_who_asked_and_only_for_a_day(client, staff):
    export = asked(client, staff)
    opened(export)
    address = f"/exports/{export.pk}/file/"
    assert client.post(address).status_code == 200
    client.force_login(make_user(role=Role.OFFICE_STAFF))
    assert client.post(address).status_code == 404
    client.force_login(make_user(role=Role.OFFICE_HEAD))
    assert client.post(address).status_code == 302
    client.force_login(staff)
    Export.objects.update(expires_at=timezone.now() - datetime.timedelta(minutes=1))
    assert client.post(address).status_code == 302
    assert list(AccessEntry.objects.order_by("id").values_list("kind", flat=True)) == [
        "export", "download",
    ]  # fmt: skip


@pytest.mark.parametrize("filled", [{}, FULL])
def test_who_has_lost_the_role_gets_the_file_no_more(client, staff, filled):
    make_retiree()
    export = asked(client, staff, **filled)
    opened(export)
    address = f"/exports/{export.pk}/file/"
    assert client.post(address).status_code == 200
    staff.groups.clear()
    assert client.post(address).status_code == 302
    give_role(staff, Role.LEADER)  # who may have the masked file, not the full one
    assert client.post(address).status_code == (302 if filled else 200)


def test_no_file_is_made_for_who_has_lost_the_role_meanwhile(client, staff):
    export = asked(client, staff)
    staff.groups.clear()
    with pytest.raises(RefusedError):
        export_job(export.job)


def test_a_full_export_that_has_grown_asks_for_a_second_person(client, staff, monkeypatch):
    make_retiree()
    export = asked(client, staff, **FULL)
    monkeypatch.setattr(exports, "SECOND_PERSON_FROM", 2)
    make_retiree()
    with pytest.raises(RefusedError):
        export_job(export.job)


def test_a_decision_without_an_answer_decides_nothing(client, staff):
    make_retiree()
    export = asked(client, staff, **FULL)
    Export.objects.update(state="waiting")
    client.force_login(make_user(role=Role.OFFICE_HEAD))
    answer = client.post(f"/exports/{export.pk}/decide/", {"agreed": "x"}, follow=True)
    assert "请选同意或不同意" in answer.content.decode()
    export.refresh_from_db()
    assert export.state == "waiting"


def test_a_download_by_reading_a_page_is_impossible(client, staff):
    export = asked(client, staff)
    opened(export)
    assert client.get(f"/exports/{export.pk}/file/").status_code == 405


def test_a_job_that_runs_twice_makes_one_file(client, staff):
    export = asked(client, staff)
    opened(export)
    name = export.file.name
    export_job(export.job)
    export.refresh_from_db()
    assert export.file.name == name


@pytest.mark.parametrize("role", [Role.RETIREE, Role.CONTACT])
def test_who_sees_no_lists_exports_none(client, role):
    client.force_login(make_user(role=role))
    assert client.get("/exports/new/roster/").status_code == 403
    assert client.post("/exports/new/roster/").status_code == 403


def test_a_leader_gets_masked_numbers_whatever_the_form_says(client):
    make_retiree(name="张三", id_number=NUMBER, birth_date="1943-06-20", phone=PHONE)
    leader = make_user(role=Role.LEADER, password="x")
    export = asked(client, leader, is_full="yes", reason="x", password="x")
    assert export.is_full is False
    assert NUMBER not in str(table(opened(export)))


def test_the_class_ledger_has_a_row_for_each_change(client, staff):
    person = make_retiree(name="张三")
    person.class_changes.create(activity_class="A", effective_from="2025-01-01")
    person.class_changes.create(activity_class="B", effective_from="2025-06-01", reason="摔伤")
    rows = table(opened(asked(client, staff, kind="class-ledger")))
    assert [row[6] for row in rows[1:3]] == ["正常活动", "适当参加活动"]
    assert rows[2][9] == "其他：摔伤"


def test_files_whose_time_is_over_are_deleted(client, staff):
    export = asked(client, staff)
    opened(export)
    Export.objects.update(expires_at=timezone.now() - datetime.timedelta(minutes=1))
    assert empty_old_exports() == 1
    export.refresh_from_db()
    assert not export.file
