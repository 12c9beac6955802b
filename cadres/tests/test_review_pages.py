"""The review list and its decisions; a class for a whole filter; the ledger's page."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from branches.tests.make import make_branch, make_membership, make_secretary
from cadres.models import ActivityClass, ClassChange, ClassReview, Retiree
from cadres.roles import Role
from cadres.tests.make import make_class_change, make_retiree, make_user
from cadres.views import people

pytestmark = pytest.mark.django_db
URL = "/people/review/"


@pytest.fixture
def staff(client):
    user = make_user(role=Role.OFFICE_STAFF)
    client.force_login(user)
    return user


def old(name="张三", **fields) -> Retiree:
    """Somebody of 85 who is still in class A: 适当参加 is suggested."""
    person = make_retiree(name=name, birth_date="1940-03-01", **fields)
    make_class_change(person, "A", "2024-01-01")
    return person


def row(client, person, **query):
    rows = client.get(URL, query).context["rows"]
    return next(found for found in rows if found.person == person)


def post(client, data, url=URL):
    return client.post(url, {"on": timezone.localdate().isoformat(), **data}, follow=True)


def test_the_list_says_who_why_and_what_is_suggested(client, staff):
    person = old()
    young = make_retiree(name="年轻", birth_date="1970-01")
    make_class_change(young, "A", str(timezone.localdate()))
    found = row(client, person)
    assert found.suggestion.activity_class == "B"
    page = client.get(URL).content.decode()
    assert "张三" in page
    assert "年轻" not in page


def test_an_accepted_suggestion_changes_the_class_once(client, staff):
    person = old()
    key = row(client, person).key
    for _ in range(2):
        assert post(client, {"accept_one": key}).status_code == 200
    person.refresh_from_db()
    assert person.activity_class == "B"
    assert person.class_changes.count() == 2
    review = ClassReview.objects.get()
    assert (review.outcome, review.suggested, review.reviewed_by) == ("changed", "B", staff)


def test_a_kept_class_is_silent_for_a_year(client, staff):
    person = old()
    post(client, {"decision": "keep", "person": row(client, person).key, "reason": "身体硬朗"})
    person.refresh_from_db()
    assert person.activity_class == "A"
    assert ClassReview.objects.get().reason == "身体硬朗"
    assert person not in [found.person for found in client.get(URL).context["rows"]]


def test_several_are_decided_at_once(client, staff):
    group = [old(f"甲{n}") for n in range(3)]
    keys = [row(client, person).key for person in group]
    post(client, {"decision": "accept", "person": keys})
    assert set(Retiree.objects.values_list("activity_class", flat=True)) == {"B"}


def test_a_class_that_changed_meanwhile_is_not_decided_about(client, staff):
    person = old()
    key = row(client, person).key
    make_class_change(person, "C", "2024-06-01")
    page = post(client, {"decision": "accept", "person": key}).content.decode()
    assert "刚才已经改了" in page
    assert not ClassReview.objects.exists()


def test_nobody_ticked_is_a_sentence(client, staff):
    old()
    assert "请先勾选" in post(client, {"decision": "accept"}).content.decode()


def test_another_class_is_given_on_the_persons_own_page(client, staff):
    person = old()
    url = f"/people/{person.pk}/review/"
    key = client.get(url).context["row"].key
    given = {
        "person": key, "decide": "yes", "other-activity_class": "C", "other-reason_kind": "wish",
        "other-on": timezone.localdate().isoformat(),
    }  # fmt: skip
    post(client, given, url)
    person.refresh_from_db()
    assert person.activity_class == "C"
    assert ClassReview.objects.get().outcome == "changed"


@pytest.mark.parametrize("button", ["decide", "accept_one", "keep_one", "decision"])
@pytest.mark.parametrize("posted", ["", "x", "another"])
def test_on_a_persons_own_page_nobody_else_is_decided_about(client, staff, button, posted):
    person, another = old(), old("李四")
    key = row(client, another).key if posted == "another" else posted
    given = {
        "person": key, button: key or "yes", "other-activity_class": "C",
        "other-reason_kind": "wish", "other-on": timezone.localdate().isoformat(),
    }  # fmt: skip
    page = post(client, given, f"/people/{person.pk}/review/")
    assert page.status_code == 200
    assert "没有收到这一位的情况" in page.content.decode()
    assert not ClassReview.objects.exists()
    assert set(Retiree.objects.values_list("activity_class", flat=True)) == {"A"}


@pytest.mark.parametrize("role", [Role.LEADER, Role.AUDITOR, Role.RETIREE, None])
def test_the_review_list_is_the_offices(client, role):
    client.force_login(make_user(role=role or ""))
    person = old()
    assert client.get(URL).status_code == 403
    assert client.post(f"/people/{person.pk}/review/").status_code == 403


def test_the_list_asks_as_little_for_three_as_for_one(client, staff):
    old()
    client.get(URL)
    with CaptureQueriesContext(connection) as one:
        client.get(URL)
    old("乙")
    old("丙")
    with CaptureQueriesContext(connection) as three:
        client.get(URL)
    assert len(one) == len(three)


# ---- a class for everybody whom a filter finds --------------------------------------------------


def found(client, data, query="?sex=M"):
    given = {"activity_class": "B", "on": "2025-05-01", "reason_kind": "review"} | data
    return client.post(f"/people/reclassify/all/{query}", given, follow=True)


def test_everybody_whom_the_filter_finds_is_reclassified(client, staff):
    for number in range(60):
        make_class_change(make_retiree(name=f"甲{number}"), "A", "2024-01-01")
    make_class_change(make_retiree(name="她", sex="F"), "A", "2024-01-01")
    assert "共 60 人" in client.get("/people/reclassify/all/?sex=M").content.decode()
    assert "已调整 60 人" in found(client, {"count": "60"}).content.decode()
    assert Retiree.objects.filter(activity_class="B").count() == 60


def test_who_came_into_the_filter_meanwhile_is_not_changed_unseen(client, staff):
    make_class_change(make_retiree(), "A", "2024-01-01")
    page = found(client, {"count": "3", "reason": "年度复核"}).content.decode()
    assert "筛出的人刚才变了" in page
    assert "年度复核" in page
    assert not Retiree.objects.filter(activity_class="B").exists()


def test_too_many_at_once_are_refused_with_a_sentence(client, staff, monkeypatch):
    monkeypatch.setattr(people, "MOST_AT_ONCE", 2)
    keys = [make_retiree(name=f"甲{n}").pk for n in range(3)]
    assert "一次最多调整 2 人" in found(client, {"count": "3"}).content.decode()
    ticked = {"person": keys, "activity_class": "B", "on": "2025-05-01", "reason_kind": "review"}
    page = client.post("/people/reclassify/", ticked, follow=True).content.decode()
    assert "一次最多调整 2 人" in page
    assert not ClassChange.objects.exists()


def test_a_refused_change_keeps_what_was_typed(client, staff):
    make_class_change(make_retiree(), "A", "2025-09-01")
    page = found(client, {"count": "1", "reason": "复查后定"}).content.decode()
    assert "以后已有变动" in page
    assert "复查后定" in page


# ---- the ledger ---------------------------------------------------------------------------------


def test_the_ledger_is_filtered_by_date_class_reason_and_name(client, staff):
    person = make_retiree(name="张三")
    make_class_change(person, "A", "2024-01-01", reason_kind="first")
    make_class_change(person, "B", "2025-03-01", reason_kind="health")
    make_class_change(make_retiree(name="李四"), "C", "2025-04-01", reason_kind="age")

    def listed(**query):
        page = client.get("/people/class-ledger/", query).context["page"]
        return [(c.retiree.name, c.activity_class) for c in page]

    assert listed() == [("李四", "C"), ("张三", "B"), ("张三", "A")]
    assert listed(since="2025-01-01") == [("李四", "C"), ("张三", "B")]
    assert listed(until="2024-12-31") == [("张三", "A")]
    assert listed(reason_kind="health") == [("张三", "B")]
    assert listed(q="李四", activity_class="C") == [("李四", "C")]


def test_a_secretary_reads_the_ledger_of_the_own_branch(client):
    branch = make_branch("甲支部")
    mine, other = make_retiree(name="我们的"), make_retiree(name="别人的")
    make_membership(mine, branch)
    for person in (mine, other):
        make_class_change(person, ActivityClass.B, "2025-01-01")
    client.force_login(make_secretary(branch))
    page = client.get("/people/class-ledger/").content.decode()
    assert "我们的" in page
    assert "别人的" not in page


def test_the_ledger_is_closed_to_others(client):
    for role in (Role.AUDITOR, Role.RETIREE, ""):
        client.force_login(make_user(role=role))
        assert client.get("/people/class-ledger/").status_code == 403


def test_days_are_dates(client, staff):
    assert client.get("/people/class-ledger/?since=x&until=2025-99-99").status_code == 200
