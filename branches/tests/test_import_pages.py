"""The import's pages, without a browser: what they say and what they leave alone."""

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile

from branches.models import ImportBatch
from branches.tests.make import staged
from cadres.models import AccessEntry, Job, Retiree
from cadres.roles import Role
from cadres.tests.make import make_user
from cadres.tests.workbooks import people, person, roster_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    user = make_user(role=Role.OFFICE_STAFF)
    client.force_login(user)
    return user


def test_a_full_disk_is_a_sentence_and_leaves_nothing(client, staff, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FileSystemStorage, "_save", full)
    filled = {"file": SimpleUploadedFile("名册.xlsx", b"x"), "effective_on": "2025-12-31"}
    response = client.post("/imports/new/", filled)
    assert response.status_code == 200
    assert "服务器没能存下这个文件" in response.content.decode()
    assert not ImportBatch.objects.exists()
    assert not Job.objects.exists()


def test_a_number_in_a_file_name_is_masked(client, staff):
    file = SimpleUploadedFile("张三13812345678.xlsx", roster_of(person()))
    client.post("/imports/new/", {"file": file, "effective_on": "2025-12-31"})
    assert "13812345678" not in ImportBatch.objects.get().file_name
    assert "13812345678" not in Job.objects.get().title


def test_with_another_answer_to_mend_the_file_is_asked_for_again(client, staff):
    filled = {"file": SimpleUploadedFile("名册.xlsx", LARGE), "effective_on": "2099-12-31"}
    page = client.post("/imports/new/", filled).content.decode()
    assert "这个日期不对" in page
    assert "文件要重新选择一次" in page
    assert not ImportBatch.objects.exists()


SMALL, LARGE = roster_of(*people(2)), roster_of(*people(3))


def sent(client, content=LARGE, **filled) -> str:
    """Where an upload leads."""
    file = SimpleUploadedFile("名册.xlsx", content)
    filled = {"file": file, "effective_on": "2025-12-31"} | filled
    return client.post("/imports/new/", filled).url


def test_an_upload_sent_twice_is_one_batch(client, staff):
    first = sent(client)
    assert sent(client) == first
    others = [sent(client, SMALL), sent(client, effective_on="2025-12-30")]
    others.append(sent(client, scope="none"))
    assert len({first, *others}) == ImportBatch.objects.count() == Job.objects.count() == 4


@pytest.mark.parametrize("changed", ["state", "uploaded_at", "uploaded_by"])
def test_an_upload_after_the_first_was_given_up_or_later_or_by_another_is_a_new_one(
    client, staff, changed
):
    first = sent(client)
    values = {"state": "discarded", "uploaded_at": "2026-01-01T08:00+08:00"}
    values["uploaded_by"] = make_user(role=Role.OFFICE_STAFF)
    ImportBatch.objects.update(**{changed: values[changed]})
    assert sent(client) != first


@pytest.mark.parametrize(
    "shown", ["problems", "created", "updated", "unchanged", "rejected", "proposals", "missing"]
)
def test_every_list_of_a_preview_opens(client, staff, shown):
    batch = staged(roster_of(*people(3), person(5, 活动类别="丁类")))
    page = client.get(batch.get_absolute_url(), {"show": shown})
    assert page.status_code == 200
    assert "138000000" not in page.content.decode()


def test_looking_at_a_preview_writes_nothing(client, staff):
    batch = staged(roster_of(*people(3)))
    client.get(batch.get_absolute_url())
    for address in ("confirm", "discard", "undo"):
        assert client.get(f"{batch.get_absolute_url()}{address}/").status_code == 405
    assert not Retiree.objects.exists()
    batch.refresh_from_db()
    assert batch.state == "staged"


def test_a_preview_says_what_a_new_person_will_be(client, staff):
    batch = staged(roster_of(person()))
    page = client.get(batch.get_absolute_url(), {"show": "created"}).content.decode()
    for words in ("性别 男", "活动类别 正常活动", "居住乡镇(街道) 朱衣镇", "138****0000"):
        assert words in page


def test_rejected_rows_are_handed_back_by_a_logged_post(client, staff):
    batch = staged(roster_of(person(5, 活动类别="丁类")))
    address = f"{batch.get_absolute_url()}rejected.xlsx"
    assert client.get(address).status_code == 405
    assert not AccessEntry.objects.exists()
    assert client.post(address).status_code == 200
    entry = AccessEntry.objects.get()
    assert (entry.user, entry.kind, entry.people) == (staff, "download", 1)
    assert entry.reason == "导入时被拒绝的行：名册.xlsx"
