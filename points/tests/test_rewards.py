"""Rewards at the desk: the workbook, the pictures, and that a second load undoes nothing."""

import io

import openpyxl
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from cadres.roles import Role
from cadres.tables.resource import load, look
from cadres.tests.make import make_retiree, make_user
from cadres.tests.workbooks import workbook
from fengjie_cadres import reference
from points import pictures
from points.models import Reward
from points.resources import RewardResource
from points.tests.make import image, make_picture

pytestmark = pytest.mark.django_db
HEADINGS = ["名称", "种类", "积分", "单价（元）", "可以兑换"]


@pytest.fixture
def staff(client):
    user = make_user(role=Role.OFFICE_STAFF)
    client.force_login(user)
    return user


def test_the_countys_fourteen_are_there_and_the_offices_changes_stay():
    assert Reward.objects.count() == 14
    soap = Reward.objects.get(name="香皂")
    soap.name, soap.points, soap.is_offered = "香皂（大）", 12, False
    soap.save()
    reference.load()
    soap.refresh_from_db()
    assert (soap.name, soap.points, soap.is_offered) == ("香皂（大）", 12, False)
    assert Reward.objects.count() == 14


# ---- the workbook ------------------------------------------------------------------------------


def looked(*rows):
    resource = RewardResource(acting=None)
    table = resource.file_format().create_dataset(workbook([HEADINGS, *rows]))
    return resource, table, look(resource=resource, table=table)


def test_a_workbook_of_rewards_changes_and_adds():
    resource, table, outcome = looked(
        ["香皂", None, 12, 3.5, None], ["雨伞", "物品", "30", "25.50", "否"]
    )
    assert [line.kind for line in outcome.lines] == ["update", "new"]
    load(resource=resource, table=table, expected=outcome.fingerprint, by=None)
    soap, umbrella = Reward.objects.get(name="香皂"), Reward.objects.get(name="雨伞")
    assert (soap.points, str(soap.value), soap.is_offered) == (12, "3.50", True)
    assert (umbrella.points, str(umbrella.value), umbrella.is_offered) == (30, "25.50", False)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (["雨伞", "物品", 0, None, None], "积分要是 1 到 9999 的整数"),
        (["雨伞", "物品", "2.5", None, None], "积分要是 1 到 9999 的整数"),
        (["雨伞", "物品", None, None, None], "新增要填写积分"),
        (["雨伞", "东西", 5, None, None], "没有“东西”这个种类"),
        (["雨伞", "物品", 5, "-1", None], "不是金额"),
        (["雨伞", "物品", 5, "三元", None], "不是金额"),
    ],
)
def test_a_wrong_row_is_said(row, said):
    _, _, outcome = looked(row)
    assert said in str(outcome.lines[0].faults)


def test_the_list_comes_out_as_a_workbook(client, staff):
    Reward.objects.filter(name="香皂").update(value="3.50")
    response = client.get("/admin/points/reward/export/")
    rows = openpyxl.load_workbook(io.BytesIO(response.content)).active.values
    assert next(rows) == tuple(HEADINGS)
    assert ("香皂", "物品", 10, "3.50", "是") in list(rows)


# ---- pictures ----------------------------------------------------------------------------------


def upload(client, reward, file, **more):
    typed = {"name": reward.name, "kind": reward.kind, "points": reward.points}
    typed |= {"is_offered": "on", "upload": file, **more}
    return client.post(f"/admin/points/reward/{reward.pk}/change/", typed)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_a_picture_is_drawn_anew_and_served_to_who_may_redeem(client, staff, kind):
    reward = Reward.objects.first()
    assert upload(client, reward, image(kind, (1200, 600))).status_code == 302
    reward.refresh_from_db()
    assert reward.picture.startswith("rewards/")
    assert "x." not in reward.picture
    for user in (staff, make_user(role=Role.RETIREE, retiree=make_retiree())):
        client.force_login(user)
        response = client.get(f"/points/rewards/{reward.pk}/picture/")
        assert response["Content-Type"] == "image/jpeg"
        assert response["X-Content-Type-Options"] == "nosniff"
        found = Image.open(io.BytesIO(b"".join(response.streaming_content)))
        assert (found.format, found.size) == ("JPEG", (800, 400))
    for role in (Role.CONTACT, Role.AUDITOR):
        client.force_login(make_user(role=role))
        assert client.get(f"/points/rewards/{reward.pk}/picture/").status_code == 403


def test_where_a_picture_was_taken_does_not_travel_along():
    exif = Image.Exif()
    exif[0x9286] = "PLACE"
    assert b"PLACE" in image("JPEG", exif=exif).read()
    assert b"PLACE" not in pictures.redrawn(image("JPEG", exif=exif))


def bad(content: bytes, name: str = "x.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "image/jpeg")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "不是能用的"),
        (b"<html>", "不是能用的"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "不是能用的"),
        (b"GIF89a" + b"x" * (5 * 1024 * 1024), "超过 5 MB"),
        (b"", "是空的"),
    ],
)
def test_what_is_no_picture_is_refused_and_nothing_kept(client, staff, content, said):
    reward = Reward.objects.first()
    response = upload(client, reward, bad(content), name="改过的名称")
    assert response.status_code == 200
    assert said in response.content.decode()
    assert "改过的名称" in response.content.decode()
    reward.refresh_from_db()
    assert (reward.picture, reward.name) != ("", "改过的名称")
    assert not reward.picture


@pytest.mark.parametrize(
    ("kind", "size"), [("PNG", (4001, 4000)), ("GIF", (4001, 4000)), ("JPEG", (8200, 6400))]
)
def test_a_small_file_that_unfolds_to_a_huge_picture_is_refused(kind, size):
    with pytest.raises(pictures.PictureRefusedError, match="太大"):
        pictures.redrawn(image(kind, size))


def test_what_the_decoder_itself_does_not_open_is_said_to_be_too_large(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)
    with pytest.raises(pictures.PictureRefusedError, match="太大"):
        pictures.redrawn(image("PNG", (40, 30)))


@pytest.mark.parametrize("progressive", [False, True])
def test_a_photo_of_fifty_megapixels_is_decoded_at_a_part_of_its_size(monkeypatch, progressive):
    decoded, thumbnail = [], Image.Image.thumbnail
    monkeypatch.setattr(
        Image.Image, "thumbnail", lambda one, edge: decoded.append(one.size) or thumbnail(one, edge)
    )
    drawn = pictures.redrawn(image("JPEG", (8160, 6144), progressive=progressive))
    assert decoded == [(2040, 1536)]
    assert Image.open(io.BytesIO(drawn)).size == (800, 602)


def test_a_photo_taken_upright_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    drawn = pictures.redrawn(image("JPEG", (1200, 600), exif=exif))
    assert Image.open(io.BytesIO(drawn)).size == (400, 800)


def test_a_full_disk_is_a_sentence(monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "full")

    monkeypatch.setattr(default_storage, "save", full)
    with pytest.raises(pictures.PictureRefusedError, match="查看磁盘"):
        make_picture()


def test_a_picture_is_taken_away(client, staff):
    reward = Reward.objects.first()
    reward.picture = make_picture()
    reward.save()
    upload(client, reward, "", without="on")
    reward.refresh_from_db()
    assert not reward.picture
    assert client.get(f"/points/rewards/{reward.pk}/picture/").status_code == 404
