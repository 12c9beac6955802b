"""What counts as a difference between a list and the record."""

import datetime

import pytest

from branches.comparison.result import Result
from branches.models import Scope, StagedRow
from branches.tests.make import compared, make_branch, make_membership, some_branch
from cadres.tests.make import (
    make_class_change,
    make_id_number,
    make_residence,
    make_retiree,
    some_township,
)
from cadres.tests.workbooks import workbook

pytestmark = pytest.mark.django_db
NUMBER = make_id_number("1953-07-15", serial=7)


def changes_of(**columns) -> dict:
    """What differs in a row of the person with NUMBER that fills these headings."""
    content = workbook([["姓名", "身份证号", *columns], ["张三", NUMBER, *columns.values()]])
    return StagedRow.objects.get(batch=compared(content)).changes


def differences_of(**columns) -> list[tuple]:
    content = workbook([["姓名", "身份证号", *columns], ["张三", NUMBER, *columns.values()]])
    batch = compared(content)
    return Result(batch).line(StagedRow.objects.get(batch=batch)).differences


def person(**fields):
    return make_retiree(**{"name": "张三", "id_number": NUMBER} | fields)


def test_an_empty_cell_is_no_difference():
    person(phone="13812345678", rank="科员", work_started="1970-01", activity_class="A")
    assert changes_of(电话=None, 职级="", 参加工作时间="-", 活动类别=" ") == {}


def test_what_is_empty_on_record_differs():
    person()
    assert changes_of(职级="科员", 参加工作时间="1970.01") == {
        "rank": ["", "科员"], "work_started": ["", "1970-01"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("ours", "theirs", "differs"),
    [
        ("1970-01-15", "1970.01", False), ("1970-01", "1970.01.15", False),
        ("1970-01-15", "1970.01.16", True), ("1970-01", "1970.02", True),
    ],
)  # fmt: skip
def test_a_month_equals_a_day_of_it(ours, theirs, differs):
    person(work_started=ours)
    assert bool(changes_of(参加工作时间=theirs)) == differs


@pytest.mark.parametrize(
    ("cell", "changed"),
    [
        ("13812345678", set()), ("13912345678", set()), ("13912345678、13812345678", set()),
        ("13799999999", {"phone"}), ("13812345678 13799999999", {"second_phone"}),
    ],
)  # fmt: skip
def test_a_phone_equals_either_phone(cell, changed):
    person(phone="13812345678", second_phone="13912345678")
    assert set(changes_of(电话=cell)) == changed


@pytest.mark.parametrize("ours", ["（副）局长", "(副)局长 ", "(副) 局长"])
def test_brackets_and_blanks_are_no_difference(ours):
    person(former_post=ours)
    assert changes_of(原职务="(副)局长") == {}
    assert changes_of(原职务="局长")["former_post"][1] == "局长"


def test_a_branch_equals_the_affiliated_and_the_serving_one():
    who = person(political_status="member")
    make_membership(who, some_branch(), kind="affiliated")
    served = make_branch("测试服务党支部")
    make_membership(who, served, kind="served")
    old = make_branch("测试从前党支部")
    make_membership(who, old, kind="participating", until=datetime.date(2021, 1, 1))
    assert changes_of(党支部=some_branch().name) == {}
    assert changes_of(党支部="测试服务党支部") == {}
    assert changes_of(党支部="测试从前党支部") == {"branch_id": [some_branch().pk, old.pk]}


def test_todays_record_counts_though_it_began_later_than_the_list():
    """An import would leave these alone: the record is known to be newer."""
    who = person()
    make_residence(who, some_township(), since="2099-01-01")
    make_class_change(who, "A", on="2099-01-01")
    assert set(changes_of(乡镇="草堂镇", 活动类别="C")) == {"township_id", "activity_class"}


def test_an_unknown_political_status_says_nothing():
    person(political_status="member")
    assert changes_of(政治面貌="未知") == {}
    assert changes_of(政治面貌="群众") == {"political_status": ["member", "masses"]}


def test_a_remark_is_no_difference():
    person(remark="独居")
    assert changes_of(备注="2026年3月审核") == {}


@pytest.mark.parametrize(
    ("fields", "cell", "pair"),
    [
        ({}, "2026.03.01", [None, "2026-03-01"]),
        ({"status": "moved_away", "moved_away_on": "2025-01-01"}, "2026.03", [None, "2026-03"]),
        ({"status": "deceased", "died_on": "2026-03-01"}, "2026.03.01", None),
        ({"status": "deceased", "died_on": "2026-03-01"}, "2026年3月", None),
        ({"status": "deceased", "died_on": "2026-02-27"}, "2026.3", ["2026-02-27", "2026-03"]),
    ],
)  # fmt: skip
def test_a_death_differs_from_life_and_from_another_day(fields, cell, pair):
    person(**fields)
    assert changes_of(去世时间=cell).get("died_on") == pair


def test_differences_in_words_are_masked():
    person(phone="13812345678", address="人和街 13900001111 号", rank="科员")
    found = dict((label, (ours, theirs)) for label, ours, theirs in differences_of(
        电话="13899995678", 住址="人和街1号", 职级="四级调研员", 参加工作时间="1970.1.1",
    ))  # fmt: skip
    assert found == {
        "联系电话": ("138****5678", "138****5678（不同）"),
        "详细地址": ("人和街 139**** 号", "人和街1号"),
        "职级": ("科员", "四级调研员"),
        "参加工作时间": ("（空）", "1970年1月1日"),
    }


def test_numbers_that_differ_show_neither_nor_say_where():
    """List after list would read out the hidden digits."""
    one, other = NUMBER, make_id_number("1953-07-15", serial=407)
    make_retiree(name="张三", id_number=one)
    content = workbook([["姓名", "身份证号", "单位"], ["张三", other, "县教委"]])
    batch = compared(content, scope=Scope.NONE)
    ((label, ours, theirs),) = Result(batch).line(StagedRow.objects.get(batch=batch)).differences
    assert label == "身份证号"
    assert ours == "5122**************"
    assert theirs == "5122**************（不同）"


def test_columns_that_nobody_knows_are_shown_masked():
    person()
    content = workbook(
        [["姓名", "身份证号", "户籍地", "参保状态", "家属电话"],
         ["张三", NUMBER, "朱衣镇", "正常", "023-56551234"]]
    )  # fmt: skip
    batch = compared(content)
    line = Result(batch).line(StagedRow.objects.get(batch=batch))
    assert line.others == {"户籍地": "朱衣镇", "参保状态": "正常", "家属电话": "023****"}
