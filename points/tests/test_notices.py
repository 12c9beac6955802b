"""公示: made, looked at, published; objected to, answered, corrected by two persons."""

import datetime

import pytest
import time_machine
from django.db import DatabaseError, transaction

from branches.tests.make import make_branch, make_membership, make_secretary
from cadres.roles import Role
from cadres.tests.make import make_retiree, make_user
from points import notices
from points.models import Objection, Posting, PublicNotice
from points.redemption import serve
from points.snapshots import masked_name
from points.tests import books, make
from points.tests.make import awarded, balance, make_cycle, make_day, make_stock

pytestmark = pytest.mark.django_db
IN_QUARTER, AFTER = "2025-02-10 10:00 +0800", "2025-04-07 10:00 +0800"  # a Monday
LIST = "/points/notices/"


@pytest.fixture
def staff():
    return make_user(role=Role.OFFICE_STAFF, name="王科长")


@pytest.fixture
def other():
    return make_user(role=Role.OFFICE_STAFF, name="赵科长")


@pytest.fixture
def people():
    """Two of one branch, one of whom redeems, and one whom no branch serves."""
    make_cycle()
    branch = make_branch("诗城党支部")
    found = [make_retiree(name=name) for name in ("张小三", "李四", "欧阳修远")]
    for person in found[:2]:
        make_membership(person, branch)
    with time_machine.travel(IN_QUARTER):
        for person, points in zip(found, (10, 20, 5), strict=True):
            awarded(person, points, on=datetime.date(2025, 2, 1))
        day = make_day(datetime.date(2025, 2, 10))
        soap = make_stock(day, "香皂", 3, brought=9)
        key = "22222222-2222-4222-8222-222222222222"
        serve(key=key, day=day, retiree=found[0], basket={soap.pk: 2}, by=None)
    with time_machine.travel("2025-04-02 10:00 +0800"):
        awarded(found[1], 7, on=datetime.date(2025, 3, 30))  # booked in the next quarter
    return found


def shown(client, user, address: str, at: str = AFTER, status: int = 200) -> str:
    with time_machine.travel(at):
        client.force_login(user)
        response = client.get(address)
    assert response.status_code == status, address
    return response.content.decode()


def sent(client, user, address: str, at: str = AFTER, **filled) -> str:
    with time_machine.travel(at):
        client.force_login(user)
        response = client.post(address, filled, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def made(client, staff, names: str = "") -> PublicNotice:
    sent(client, staff, LIST + "new/", year="2025", quarter="1", with_names=names)
    return PublicNotice.objects.get()


def published(client, staff, names: str = "") -> PublicNotice:
    notice = made(client, staff, names)
    sent(client, staff, f"{LIST}{notice.pk}/publish/")
    return PublicNotice.objects.get()


def test_a_quarter_is_made_looked_at_and_published(client, staff, people):
    notice = made(client, staff)
    says = notice.snapshot
    assert says["totals"] == {
        "issued": 35, "redeemed": 6, "carried": 0, "expiring": 0, "people": 3, "redeemers": 1
    }  # fmt: skip
    assert [(row["name"], row["people"], row["redeemed"]) for row in says["branches"]] == [
        ("诗城党支部", 2, 6),
        ("没有联系服务的支部", 1, 0),
    ]
    assert says["rewards"] == [{"name": "香皂", "number": 2, "points": 6}]
    assert says["names"] == []
    reader = make_user(role=Role.RETIREE, retiree=people[0])
    shown(client, reader, f"{LIST}{notice.pk}/", status=404)
    assert "已发布公示" in sent(client, staff, f"{LIST}{notice.pk}/publish/")
    assert "2025年4月7日 至 2025年4月14日" in shown(client, reader, f"{LIST}{notice.pk}/")
    for role in (Role.LEADER, Role.AUDITOR, Role.CONTACT):
        shown(client, make_user(role=role), f"{LIST}{notice.pk}/")


def test_names_stand_in_it_with_stars_only_and_only_if_the_office_wants(client, staff, people):
    assert [masked_name(n) for n in ("张", "李四", "张小三", "欧阳修远")] == [
        "张*", "李*", "张*三", "欧**远",
    ]  # fmt: skip
    notice = published(client, staff, names="yes")
    reader = make_user(role=Role.RETIREE, retiree=people[2])
    page = shown(client, reader, f"{LIST}{notice.pk}/")
    assert "张*三" in page
    assert "张小三" not in page


def test_a_published_notice_stays_as_it_is(client, staff, people):
    notice = published(client, staff)
    assert "已经公示" in sent(client, staff, LIST + "new/", year="2025", quarter="1")
    for change in ({"snapshot": {}}, {"closes_on": "2025-12-31"}, {"state": "draft"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            PublicNotice.objects.filter(pk=notice.pk).update(**change)
    sent(client, staff, f"{LIST}{notice.pk}/withdraw/")
    assert PublicNotice.objects.get().state == "published"
    sent(client, staff, f"{LIST}{notice.pk}/withdraw/", reason="数字有误")
    assert PublicNotice.objects.get().state == "withdrawn"
    sent(client, staff, LIST + "new/", year="2025", quarter="1")
    assert PublicNotice.objects.count() == 2


def test_a_quarter_in_which_nothing_was_booked_is_not_published(client, staff, people):
    late = "2025-10-09 10:00 +0800"
    sent(client, staff, LIST + "new/", at=late, year="2025", quarter="3")
    notice = PublicNotice.objects.get()
    page = shown(client, staff, f"{LIST}{notice.pk}/", at=late)
    assert "积分按记账的日期计" in page
    assert "发布公示</button>" not in page
    page = sent(client, staff, f"{LIST}{notice.pk}/publish/", at=late)
    assert "没有人有积分变动，不能发布" in page
    assert PublicNotice.objects.get().state == "draft"


def test_a_quarter_that_is_not_over_is_refused(client, staff, people):
    page = sent(client, staff, LIST + "new/", year="2025", quarter="2")
    assert "这个季度还没有结束" in page
    assert not PublicNotice.objects.exists()


def test_everybody_may_object_within_the_days_and_nobody_afterwards(client, staff, people):
    notice = published(client, staff)
    address = f"{LIST}{notice.pk}/"
    branch_of_secretary = make_branch()
    users = [
        make_user(role=Role.RETIREE, retiree=people[0]),
        make_secretary(branch_of_secretary),
        make_user(role=Role.LEADER),
    ]
    for user in users:
        for _ in range(2):  # sent twice: one
            assert "已经收到您的意见" in sent(client, user, address, text="少了两分")
    sent(client, staff, address, text="打电话来问", caller="陈老")
    assert Objection.objects.count() == 4
    late = "2025-04-15 00:10 +0800"
    assert "公示期已经过了" in sent(client, users[0], address, at=late, text="再说一句")
    assert Objection.objects.count() == 4
    page = shown(client, users[0], address)
    assert "打电话来问" not in page
    assert page.count("少了两分") == 1


def test_an_objection_is_answered_and_read_by_who_raised_it(client, staff, people):
    notice = published(client, staff)
    reader = make_user(role=Role.RETIREE, retiree=people[0])
    sent(client, reader, f"{LIST}{notice.pk}/", text="少了两分")
    said = Objection.objects.get()
    assert "有 1 件公示意见等答复" in shown(client, staff, "/")
    address = f"/points/objections/{said.pk}/"
    shown(client, reader, address, status=403)
    assert "请填写答复" in sent(client, staff, address, is_justified="no", words="")
    sent(client, staff, address, is_justified="no", words="已核对签到表，没有漏记。")
    assert "已核对签到表，没有漏记。" in shown(client, reader, f"{LIST}{notice.pk}/")
    assert "公示意见等答复" not in shown(client, staff, "/")


def justified(client, staff, people) -> tuple[Objection, Posting]:
    notice = published(client, staff)
    sent(client, staff, f"{LIST}{notice.pk}/", text="李四没有到会", caller="陈老")
    said, posting = Objection.objects.get(), Posting.objects.filter(retiree=people[1]).first()
    address = f"/points/objections/{said.pk}/"
    assert "李四" in shown(client, staff, address + "?q=李四")
    sent(
        client, staff, address + "?q=李四", is_justified="yes", words="属实，更正。",
        posting=posting.pk,
    )  # fmt: skip
    return Objection.objects.get(), posting


def test_a_search_keeps_what_is_typed_and_answers_nothing(client, staff, people):
    notice = published(client, staff)
    sent(client, staff, f"{LIST}{notice.pk}/", text="少了两分", caller="陈老")
    said = Objection.objects.get()
    address = f"/points/objections/{said.pk}/"
    typed = {"is_justified": "yes", "words": "写了很久的答复"}
    page = sent(client, staff, address, search="yes", q="李四", **typed)
    assert "写了很久的答复" in page
    assert '<option value="yes" selected' in page
    assert f"/points/people/{people[1].pk}/adjust/" in page
    assert not Objection.objects.get().answer
    assert "没有找到“王五”" in sent(client, staff, address, search="yes", q="王五", **typed)
    posting = Posting.objects.filter(retiree=people[1]).first()
    sent(client, staff, address, q="李四", posting=posting.pk, **typed)
    assert Objection.objects.get().posting == posting


def test_points_that_are_missing_are_given_by_hand(client, staff, people):
    notice = published(client, staff)
    reader = make_user(role=Role.RETIREE, retiree=people[0])
    sent(client, reader, f"{LIST}{notice.pk}/", text="少了两分")
    address = f"/points/objections/{Objection.objects.get().pk}/"
    by_hand = f"/points/people/{people[0].pk}/adjust/"
    page = shown(client, staff, address)
    assert by_hand in page
    assert "请在答复里写明怎样办" in page
    page = sent(client, staff, address, is_justified="yes", words="已提出补记 2 分。")
    assert "没有更正哪一笔" in page
    assert by_hand in page


def test_a_justified_objection_is_corrected_by_a_second_person(client, staff, other, people):
    said, posting = justified(client, staff, people)
    assert (said.posting, balance(people[1])) == (posting, 27)
    address = f"/points/objections/{said.pk}/confirm/"
    assert "要由另一个人审核" in sent(client, staff, address, agreed="yes")
    assert balance(people[1]) == 27
    for _ in range(2):
        sent(client, other, address, agreed="yes")
    assert balance(people[1]) == 7
    said.refresh_from_db()
    assert (said.confirmed_by, said.is_open) == (other, False)


def test_a_correction_that_is_not_agreed_to_is_answered_anew(client, staff, other, people):
    said, _ = justified(client, staff, people)
    sent(client, other, f"/points/objections/{said.pk}/confirm/", agreed="no")
    said.refresh_from_db()
    assert (said.answer, said.posting, balance(people[1])) == ("", None, 27)


def test_an_answer_without_ground_corrects_nothing(client, staff, people):
    notice = published(client, staff)
    with time_machine.travel(AFTER):
        said = notices.object_to(notice=notice, text="x", by=staff, retiree=people[1])
    before, posting = books.checksum(), Posting.objects.filter(retiree=people[1]).first()
    with pytest.raises(notices.NoticeRefusedError, match="不更正积分"):
        notices.answer(objection=said, is_justified=False, words="无", posting=posting, by=staff)
    assert books.checksum() == before
    address = f"/points/objections/{said.pk}/"
    page = sent(client, staff, address, is_justified="no", words="无", posting=posting.pk)
    assert "理由不成立的，不更正积分" in page


def test_in_a_year_whose_end_is_published_the_correction_waits_among_the_supplements(
    client, staff, other, people
):
    said, posting = justified(client, staff, people)
    with time_machine.travel("2099-03-01 10:00 +0800"):
        make.published(posting.account.cycle)
        assert notices.confirm(objection=said, by=other) == "waiting"
    posting.refresh_from_db()
    assert posting.is_reversal_waiting
    assert balance(people[1]) == 27


def test_the_second_person_is_held_by_the_database_too(client, staff, people):
    """The negative control of the sentence: past it the database still refuses."""
    said, _ = justified(client, staff, people)
    with pytest.raises(DatabaseError, match="objection_second_person"), transaction.atomic():
        Objection.objects.filter(pk=said.pk).update(confirmed_by=said.answered_by)
