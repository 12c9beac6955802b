"""Forty people get another class in one go; a class for a time ends by itself."""

import datetime

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from branches.tests.make import make_branch, make_membership, make_secretary
from cadres.models import ClassChange, Retiree
from cadres.roles import Role
from cadres.tests.make import make_class_change, make_retiree, make_user
from fengjie_cadres.tasks import lapse_classes

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "sheng-huo-2025"


@pytest.fixture
def staff(db):
    return make_user(role=Role.OFFICE_STAFF, password=PASSWORD, name="王科长")


def choose(page, label: str, reason: str, until: datetime.date | None = None):
    """Fills in the form of another class for those who are ticked."""
    page.click("text=给勾选的人调整活动类别")
    page.select_option("#id_activity_class", label=label)
    page.select_option("#id_reason_kind", label=reason)
    if until:
        page.fill("#id_until", until.isoformat())
    page.click("text=确定调整")


def totals(page) -> list[int]:
    """分类人数 of the county: class by class, and all."""
    page.goto("/people/classes/")
    cells = page.locator("tr.sum td").all_inner_texts()
    return [int(text) for text in cells[1:]]


def test_forty_people_are_reclassified_at_once(open_page, staff):
    for number in range(45):
        make_class_change(make_retiree(name=f"老同志{number:02d}"), "A", "2024-01-01")
    page = open_page(user=staff)
    assert totals(page) == [45, 0, 0, 0, 45]
    page.goto("/people/")
    for box in page.locator("input[name=person]").all()[:40]:
        box.check()
    choose(page, "适当参加活动", "年龄")
    page.wait_for_selector("text=已调整 40 人。")

    page.goto("/people/class-ledger/?activity_class=B")
    assert "共 40 次变动" in page.inner_text("main")
    assert ClassChange.objects.filter(activity_class="B", decided_by=staff).count() == 40
    assert totals(page) == [5, 40, 0, 0, 45]


def test_a_class_for_a_time_ends_by_itself_and_the_branch_reads_it(open_page, staff):
    branch = make_branch("甲支部")
    secretary = make_secretary(branch, password=PASSWORD)
    person = make_retiree(name="张三")
    make_membership(person, branch)
    make_class_change(person, "A", "2024-01-01")
    until = timezone.localdate() + datetime.timedelta(days=30)
    page = open_page(user=staff)
    page.goto("/people/?q=张三")
    page.check("input[name=person]")
    choose(page, "不能参加活动", "住院", until)
    page.wait_for_selector("text=已调整 1 人。")
    assert class_of(person) == "C"

    with on(until - datetime.timedelta(days=1)):
        lapse_classes()
        assert class_of(person) == "C"
    with on(until):
        lapse_classes()
        lapse_classes()  # it runs every hour
        assert class_of(person) == "A"
        phone = open_page(width=360, user=secretary)
        home = phone.inner_text("main")
        assert "张三恢复为“正常活动”" in home
        assert home.count("临时的“不能参加活动”已于") == 1
        phone.click("main a >> text=张三")
        assert "临时类别到期" in phone.inner_text("main")


def on(day: datetime.date):
    """In the morning of a day."""
    return time_machine.travel(
        datetime.datetime.combine(day, datetime.time(2, tzinfo=datetime.UTC))
    )


def class_of(person: Retiree) -> str:
    return Retiree.objects.get(pk=person.pk).activity_class


def test_the_end_of_a_class_is_looked_for_every_hour():
    planned = settings.CELERY_BEAT_SCHEDULE["lapse-temporary-classes"]
    assert (planned["task"], planned["schedule"]) == (lapse_classes.name, 3600)
