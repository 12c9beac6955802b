"""兑换清单 as a workbook: what its filter shows, with the money that an audit asks for."""

import datetime
import io
import uuid

import openpyxl
import pytest
import time_machine

from branches.tests.make import make_branch, make_membership
from cadres.models import Export, Job
from cadres.roles import Role
from cadres.tests.make import make_user
from fengjie_cadres.reports.exports import export_job
from points import days as planning
from points import redemption
from points.models import Reward
from points.tests.make import make_day, make_rich, make_stock

pytestmark = pytest.mark.django_db
TODAY = datetime.date(2025, 6, 16)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(datetime.datetime(2025, 6, 16, 2, tzinfo=datetime.UTC), tick=False):
        yield


@pytest.fixture
def staff(client):
    user = make_user(role=Role.OFFICE_STAFF, name="王科长")
    client.force_login(user)
    return user


@pytest.fixture
def days(staff):
    """Two days; rice has a price, soap has none; one was cancelled, one is reserved."""
    first, second = make_day(TODAY), make_day(TODAY, place="别处")
    Reward.objects.create(name="大米", points=50, value="32.50")
    rice = make_stock(first, "大米", 50, brought=9)
    soap = make_stock(first, "肥皂", 10, brought=9)
    other = make_stock(second, "大米", 45, brought=9)
    person = make_rich(500, name="张三")
    make_membership(person, make_branch("甲支部"))
    serve(first, person, {rice.pk: 2, soap.pk: 3}, staff, collector="李四", relation="儿子")
    gone = serve(first, make_rich(100, name="王五"), {rice.pk: 1}, staff)
    redemption.cancel(redemption=gone, by=staff, is_office=True)
    redemption.reserve(key=uuid.uuid4(), day=second, retiree=person, basket={other.pk: 1}, by=staff)
    return first, second


def serve(day, person, basket, by, **more):
    return redemption.serve(key=uuid.uuid4(), day=day, retiree=person, basket=basket, by=by, **more)


def opened(client, query: str = ""):
    client.post(f"/exports/new/redemptions/{query}")
    export = Export.objects.first()
    export_job(Job(params={"export": export.pk}))
    export.refresh_from_db()
    book = openpyxl.load_workbook(io.BytesIO(export.file.read()))
    return export, [rows(sheet) for sheet in book]


def rows(sheet) -> list[dict]:
    lines = [list(line) for line in sheet.iter_rows(min_row=3, values_only=True)]
    return [
        dict(zip(lines[0], line, strict=True)) for line in lines[1:] if isinstance(line[0], int)
    ]


def test_every_article_with_points_and_money(client, days):
    _, (found, sums) = opened(client)
    assert [(r["姓名"], r["物品"], r["份数"], r["积分"], r["状态"]) for r in found] == [
        ("张三", "大米", 2, 100, "已领取"),
        ("张三", "肥皂", 3, 30, "已领取"),
        ("王五", "大米", 1, 50, "已取消"),
        ("张三", "大米", 1, 45, "已预约"),
    ]
    rice, soap, *_ = found
    assert (rice["单价（元）"], rice["金额（元）"], rice["每份积分"]) == (32.5, 65, 50)
    assert not soap["单价（元）"]
    assert not soap["金额（元）"]
    assert (rice["谁领的"], rice["党支部"], rice["谁办的"]) == ("李四（儿子）", "甲支部", "王科长")
    assert rice["单号"].startswith("20250616-")
    told = [(r["状态"], r["物品"], r["份数"], r["积分"], r["金额（元）"]) for r in sums]
    assert ("已领取合计", "", 5, 130, 65) in told
    assert ("已预约合计", "", 1, 45, 32.5) in told
    assert ("已取消合计", "", 1, 50, 32.5) in told
    collected = [r for r in found if r["状态"] == "已领取"]
    assert sum(r["积分"] for r in collected) == 130
    assert sum(r["金额（元）"] or 0 for r in collected) == 65


def test_a_price_that_changes_later_does_not_change_what_was_handed_out(client, days):
    _, before = opened(client)
    Reward.objects.update(value="99.00")
    rice = days[0].stocks.get(reward__name="大米")
    planning.stock(day=days[0], wanted=[planning.Wanted(rice.reward, 12, None, 50)])
    assert opened(client)[1] == before
    new = make_day(TODAY, place="新")
    planning.stock(day=new, wanted=[planning.Wanted(rice.reward, 5, None, 50)])
    assert str(new.stocks.get().value) == "99.00"
    Reward.objects.update(value="88.00")
    planning.stock(day=new, wanted=[planning.Wanted(Reward.objects.get(name="大米"), 5, None, 50)])
    assert str(new.stocks.get().value) == "88.00"  # nothing of it is taken yet


def test_money_is_written_with_two_decimals(client, days):
    export, _ = opened(client)
    export.file.seek(0)
    sheet = openpyxl.load_workbook(io.BytesIO(export.file.read())).active
    heads = {cell.value: cell.column for cell in sheet[3]}
    assert sheet.cell(4, heads["金额（元）"]).number_format == "#,##0.00"
    assert sheet.freeze_panes == "C4"


@pytest.mark.parametrize(
    ("query", "count", "people", "said"),
    [
        ("?day={0}", 3, 2, "场次：2025年6月16日 老年大学一楼"),
        ("?day={1}", 1, 1, "别处"),
        ("?state=collected", 2, 1, "状态：已领取"),
        ("?year=2025", 4, 2, "年度：2025 年"),
        ("?year=2024", 4, 2, ""),
        ("?q=王五", 1, 1, "搜索：王五"),
        ("?day=x&state=y", 4, 2, ""),
    ],
)
def test_the_filter_narrows_page_and_workbook_alike(client, days, query, count, people, said):
    query = query.format(*(day.pk for day in days))
    export, (found, _) = opened(client, query)
    assert (len(found), export.people) == (count, people)
    assert said in export.filter_words
    page = client.get(f"/points/redemptions/{query}")
    assert page.context["page"].paginator.count == len({row["单号"] for row in found})
    held = [row for row in found if row["状态"] in ("已预约", "已领取")]
    assert page.context["held"] == len({row["单号"] for row in held})
    assert page.context["articles"] == sum(row["份数"] for row in held)
    assert page.context["points"] == sum(row["积分"] for row in held)


def test_the_page_counts_as_given_only_what_was_not_taken_back(client, days):
    page = client.get("/points/redemptions/").content.decode()
    assert "共 <strong>3</strong> 单。" in page
    assert "已预约、已领取的 <strong>2</strong> 单，6 份，<strong>175</strong> 分。" in page


def test_nobody_else_gets_it(client, days):
    for role in (Role.RETIREE, Role.CONTACT, Role.AUDITOR):
        client.force_login(make_user(role=role))
        assert client.get("/points/redemptions/").status_code == 403
        assert client.get("/exports/new/redemptions/").status_code == 403
