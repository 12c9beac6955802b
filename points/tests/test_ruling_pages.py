"""What two persons do: asked on one page, decided on another, by somebody else, once."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cadres.roles import Role
from cadres.tests.make import make_user
from points import actions, ledger
from points.models import Account, Adjustment, Posting, Rule, Settlement, Shortfall
from points.tests.make import DAY, balance, make_rich, make_rule

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff():
    return make_user(role=Role.OFFICE_STAFF, name="王科长")


@pytest.fixture
def head():
    return make_user(role=Role.OFFICE_HEAD, name="李局长")


@pytest.fixture
def person():
    return make_rich(30)


def sent(client, user, address: str, **filled) -> str:
    """The page on which a post ends."""
    client.force_login(user)
    response = client.post(address, filled, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def adjust(client, user, person, **more) -> str:
    filled = {"direction": "+", "points": "5", "year": "2025", "reason": "漏记"} | more
    return sent(client, user, f"/points/people/{person.pk}/adjust/", **filled)


def test_staff_asks_and_the_head_agrees(client, staff, head, person):
    assert "等另一个人审批" in adjust(client, staff, person)
    asked = Adjustment.objects.get()
    client.force_login(head)
    page = client.get("/points/approvals/").content.decode()
    assert "漏记" in page
    assert "王科长" in page
    address = f"/points/adjustments/{asked.pk}/decide/"
    for _ in range(2):
        assert "已同意" in sent(client, head, address, agreed="yes")
    assert balance(person) == 35


def test_the_same_form_twice_is_one_wish(client, staff, person):
    for _ in range(2):
        adjust(client, staff, person)
    assert Adjustment.objects.count() == 1
    adjust(client, staff, person, reason="另一次")
    assert Adjustment.objects.count() == 2


def test_who_asked_does_not_decide(client, head, person):
    adjust(client, head, person)
    asked = Adjustment.objects.get()
    page = sent(client, head, f"/points/adjustments/{asked.pk}/decide/", agreed="yes")
    assert "要由另一个人审批" in page
    assert balance(person) == 30
    other = make_user(role=Role.OFFICE_HEAD)
    sent(client, other, f"/points/adjustments/{asked.pk}/decide/", agreed="yes")
    assert balance(person) == 35


def test_staff_do_not_approve_adjustments(client, staff, person):
    adjust(client, make_user(role=Role.OFFICE_STAFF), person)
    client.force_login(staff)
    address = f"/points/adjustments/{Adjustment.objects.get().pk}/decide/"
    assert client.post(address, {"agreed": "yes"}).status_code == 403
    assert balance(person) == 30


def test_not_agreeing_needs_a_reason_and_moves_nothing(client, staff, head, person):
    adjust(client, staff, person)
    address = f"/points/adjustments/{Adjustment.objects.get().pk}/decide/"
    assert "不同意的，请写明原因" in sent(client, head, address, agreed="no")
    assert Adjustment.objects.get().state == "waiting"
    assert "不同意" in sent(client, head, address, agreed="no", words="没有凭据")
    assert Adjustment.objects.get().state == "declined"
    assert balance(person) == 30


def test_more_than_there_is_cannot_be_taken(client, staff, head, person):
    page = adjust(client, staff, person, direction="-", points="31")
    assert "现有 30 分，不能减 31 分。请填 30 分以内" in page
    assert not Adjustment.objects.exists()
    adjust(client, staff, person, direction="-", points="30")
    spent = {"key": "s:1", "retiree": person, "cycle": Account.objects.get(retiree=person).cycle}
    ledger.spend(amount=4, by=staff, **spent)
    address = f"/points/adjustments/{Adjustment.objects.get().pk}/decide/"
    page = sent(client, head, address, agreed="yes")
    assert f"{person.name}在2025 年只剩 26 分，减不了 30 分。请点“不同意”" in page
    assert Adjustment.objects.get().state == "waiting"


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ({"points": ""}, "请填写多少分"), ({"points": "零"}, "请填写整数"),
        ({"points": "0"}, "分数要大于零"), ({"points": "99999999999"}, "一次最多 9999 分"),
        ({"reason": ""}, "请填写原因"), ({"year": "1999"}, "请在列表中选择年度"),
        ({"direction": "x"}, "选"), ({"reason": "x" * 201}, "不超过 200 字"),
    ],
)  # fmt: skip
def test_a_bad_form_gets_a_sentence_and_keeps_what_was_typed(client, staff, person, bad, sentence):
    page = adjust(client, staff, person, **({"reason": "我写的原因"} | bad))
    assert sentence in page
    assert "我写的原因" in page or "reason" in bad
    assert not Adjustment.objects.exists()


def test_criticism_costs_points_once_the_head_agrees(client, staff, head, person):
    address = f"/points/people/{person.pk}/deduct/"
    for _ in range(2):
        sent(client, staff, address, code="criticism", on=DAY.isoformat(), reason="通报批评")
    asked = Adjustment.objects.get()
    sent(client, head, f"/points/adjustments/{asked.pk}/decide/", agreed="yes")
    assert balance(person) == 20


@pytest.mark.parametrize(
    ("on", "sentence"),
    [
        (timezone.localdate() + datetime.timedelta(days=1), "日期不能晚于今天。"),
        (datetime.date(2020, 3, 1), "没有启用这条扣分规则，请核对日期"),
        (datetime.date(2023, 3, 1), "2023 年没有记积分，不能扣分。请填 2025年1月1日以后的日期。"),
    ],
)
def test_a_deduction_on_a_wrong_day_says_what_to_do(client, staff, person, on, sentence):
    make_rule("fine", direction="deduct", valid_from=datetime.date(2022, 1, 1))
    address = f"/points/people/{person.pk}/deduct/"
    page = sent(client, staff, address, code="fine", on=on.isoformat(), reason="通报批评")
    assert sentence in page
    assert not Adjustment.objects.exists()


def test_the_action_refuses_a_day_to_come_whatever_the_form(staff, person):
    tomorrow = timezone.localdate() + datetime.timedelta(days=1)
    with pytest.raises(ledger.LedgerRefusedError, match="日期不能晚于今天"):
        actions.ask_deduction(
            retiree=person, code="criticism", on=tomorrow, reason="批评", by=staff
        )


def test_a_frozen_account_is_settled_by_two(client, staff, head, person):
    ledger.freeze(retiree=person, why="去世")
    account = Account.objects.get(retiree=person)
    address = f"/points/accounts/{account.pk}/settle/"
    filled = {"kind": "family", "receiver": "", "reason": "家属申请"}
    assert "请填写谁领取" in sent(client, staff, address, **filled)
    for _ in range(2):
        sent(client, staff, address, **(filled | {"receiver": "儿子张小三"}))
    found = Settlement.objects.get()
    sent(client, head, f"/points/settlements/{found.pk}/decide/", agreed="yes")
    assert balance(person) == 0


def test_what_came_late_is_sent_or_refused_by_a_second_person(client, staff, head, person):
    ledger.freeze(retiree=person, why="转出")
    for source in ("l:1", "l:2"):
        ledger.award(source=source, retiree=person, code="training", on=DAY, by=staff)
    first, second = Posting.objects.filter(state="waiting").order_by("id")
    page = sent(client, staff, f"/points/postings/{first.pk}/decide/", agreed="yes")
    assert "要由另一个人审核" in page
    other = make_user(role=Role.OFFICE_STAFF)
    sent(client, other, f"/points/postings/{first.pk}/decide/", agreed="yes")
    sent(client, head, f"/points/postings/{second.pk}/decide/", agreed="no", words="没有签到")
    assert balance(person) == 33
    assert Posting.objects.get(pk=second.pk).state == "refused"


def test_what_waits_is_counted_for_those_who_may_decide(client, staff, head, person):
    adjust(client, staff, person)
    ledger.freeze(retiree=person, why="转出")
    ledger.award(source="l:1", retiree=person, code="training", on=DAY, by=staff)
    ledger.award(source="l:2", retiree=person, code="training", on=DAY, by=None)
    other = make_user(role=Role.OFFICE_STAFF)
    assert [actions.to_decide(user) for user in (staff, other, head)] == [1, 2, 3]


def test_what_is_owed_is_waived_by_two(client, staff, head, person):
    make_rule("fine", direction="deduct", points=40)
    ledger.deduct(source="d:1", retiree=person, code="fine", on=DAY, by=None)
    owed = Shortfall.objects.get()
    client.force_login(staff)
    assert "免去欠扣的 10 分" in client.get(f"/points/people/{person.pk}/").content.decode()
    sent(client, staff, f"/points/shortfalls/{owed.pk}/waive/", reason="生活困难")
    address = f"/points/shortfalls/{owed.pk}/decide/"
    assert "要由另一个人" in sent(client, staff, address, agreed="yes")
    sent(client, head, address, agreed="yes")
    owed.refresh_from_db()
    assert (owed.left, owed.waived) == (0, 10)


def test_the_head_makes_a_new_version_of_a_rule(client, staff, head):
    address = "/points/rules/training/new/"
    on = timezone.localdate() + datetime.timedelta(days=1)
    filled = {
        "valid_from": on,
        "points": "4",
        "cap_per_cycle": "",
        "name": "培训",
        "is_enabled": "yes",
    }
    client.force_login(staff)
    assert client.get(address).status_code == 403
    assert client.post(address, filled).status_code == 403
    assert "起用" in sent(client, head, address, **filled)
    assert "起用日期应晚于" in sent(client, head, address, **filled)
    old, new = Rule.objects.filter(code="training").order_by("valid_from")
    assert (old.points, new.points, new.cap_per_cycle, new.is_enabled) == (3, 4, None, True)
    early = filled | {"valid_from": "2024-01-01"}
    assert "起用日期" in sent(client, head, address, **early)
    assert client.get("/points/rules/no-such-rule/new/").status_code == 404


def test_approvals_are_listed_with_the_same_queries_however_many(client, staff, head, person):
    adjust(client, staff, person)
    client.force_login(head)
    client.get("/points/approvals/")
    with CaptureQueriesContext(connection) as first:
        client.get("/points/approvals/")
    for number in range(2):
        adjust(client, staff, make_rich(3, name=f"甲{number}"))
    client.force_login(head)
    client.get("/points/approvals/")
    with CaptureQueriesContext(connection) as second:
        client.get("/points/approvals/")
    assert len(first) == len(second)
