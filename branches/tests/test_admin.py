"""Branches at the desk: relations and seats without overlap, counts, imports to look at."""

import datetime

import pytest
from django.urls import reverse

from branches import actions
from branches.models import CommitteeSeat, Membership
from branches.tests.make import make_branch, make_membership
from cadres.models import User
from cadres.roles import Role
from cadres.tests.make import make_community, make_retiree, make_user

pytestmark = pytest.mark.django_db
FIRST, LATER = datetime.date(2024, 1, 1), datetime.date(2025, 3, 1)


@pytest.fixture
def staff(client):
    user = make_user(role=Role.OFFICE_STAFF)
    client.force_login(user)
    return user


def relation(retiree=None, branch=None, **fields) -> Membership:
    fields = {"since": "2024-01-01"} | fields
    return make_membership(retiree or make_retiree(), branch or make_branch(), **fields)


def add(client, model: str, **data) -> dict:
    """Sends the form for a new record; its errors, or nothing when it was saved."""
    response = client.post(reverse(f"admin:branches_{model}_add"), {"until": "", **data})
    if response.status_code == 302:
        return {}
    assert response.status_code == 200
    return response.context["adminform"].form.errors


def test_second_serving_branch_is_a_sentence(client, staff):
    membership = relation()
    data = {"retiree": membership.retiree_id, "branch": make_branch().pk, "kind": "served"}
    errors = add(client, "membership", since="2025-03-01", **data)
    assert str(membership.branch) in str(errors["since"])
    assert Membership.objects.count() == 1
    assert add(client, "membership", since="2023-01-01", until="2024-01-01", **data) == {}


def test_any_number_of_branches_to_take_part_in(client, staff):
    person, branch = make_retiree(), make_branch()
    data = {"retiree": person.pk, "kind": "participating", "since": "2024-01-01"}
    assert add(client, "membership", branch=branch.pk, **data) == {}
    assert add(client, "membership", branch=make_branch().pk, **data) == {}
    assert add(client, "membership", branch=branch.pk, **data)["since"]


def test_organisational_relation_is_for_party_members(client, staff):
    person = make_retiree(political_status="masses")
    data = {"retiree": person.pk, "branch": make_branch().pk, "since": "2024-01-01"}
    assert "不是党员" in str(add(client, "membership", kind="affiliated", **data)["kind"])


def test_period_that_ends_before_it_begins_is_a_sentence(client, staff):
    data = {"retiree": make_retiree().pk, "branch": make_branch().pk, "kind": "served"}
    errors = add(client, "membership", since="2024-01-01", until="2024-01-01", **data)
    assert "晚于" in str(errors["until"])


def test_race_for_a_relation_is_a_sentence_not_an_error(client, staff, monkeypatch):
    membership = relation()
    monkeypatch.setattr("branches.admin.MembershipForm.refuse_overlap", lambda *_: None)
    data = {"retiree": membership.retiree_id, "branch": make_branch().pk, "kind": "served"}
    response = client.post(
        reverse("admin:branches_membership_add"),
        {"since": "2025-03-01", "until": "", **data},
        follow=True,
    )
    assert "没有保存" in response.content.decode()
    assert Membership.objects.count() == 1


def test_second_secretary_is_a_sentence(client, staff):
    branch = make_branch()
    data = {"branch": branch.pk, "kind": "secretary", "since": "2024-01-01"}
    assert add(client, "committeeseat", retiree=make_retiree(name="甲").pk, **data) == {}
    errors = add(client, "committeeseat", retiree=make_retiree(name="乙").pk, **data)
    assert "甲" in str(errors["since"])
    assert CommitteeSeat.objects.count() == 1


def test_second_secretary_on_the_branch_page_is_a_sentence(client, staff):
    branch = make_branch()
    CommitteeSeat.objects.create(
        branch=branch, retiree=make_retiree(name="甲"), kind="secretary", since=FIRST
    )
    seat = branch.seats.get()
    data = {
        "name": branch.name, "area": branch.area_id, "township": branch.township_id or "",
        "founded_on": "", "brand": "",
        "aliases-TOTAL_FORMS": 0, "aliases-INITIAL_FORMS": 0,
        "seats-TOTAL_FORMS": 2, "seats-INITIAL_FORMS": 1,
        "seats-0-id": seat.pk, "seats-0-retiree": seat.retiree_id, "seats-0-kind": "secretary",
        "seats-0-branch": branch.pk, "seats-0-since": "2024-01-01", "seats-0-until": "",
        "seats-1-retiree": make_retiree(name="乙").pk, "seats-1-kind": "secretary",
        "seats-1-branch": branch.pk, "seats-1-since": "2025-01-01", "seats-1-until": "",
    }  # fmt: skip
    url = reverse("admin:branches_branch_change", args=[branch.pk])
    response = client.post(url, data)
    assert response.status_code == 200
    assert "书记已经是甲" in response.content.decode()


def test_branch_list_counts_today_and_the_living(client, staff):
    branch = make_branch()
    relation(branch=branch)
    relation(branch=branch, until=LATER)
    relation(branch=branch, retiree=make_retiree(status="deceased", died_on=LATER))
    member = make_retiree(political_status="member")
    relation(branch=branch, retiree=member, kind="affiliated")
    branch.aliases.create(name="别名一")
    branch.aliases.create(name="别名二")
    page = client.get(reverse("admin:branches_branch_changelist"), {"q": "别名"})
    (found,) = page.context["cl"].result_list
    assert (found.affiliated, found.served) == (1, 1)


def test_relations_are_found_by_pinyin(client, staff):
    relation(retiree=make_retiree(name="单三"))
    relation(retiree=make_retiree(name="李四"))
    page = client.get(reverse("admin:branches_membership_changelist"), {"q": "shansan"})
    assert [m.retiree.name for m in page.context["cl"].result_list] == ["单三"]


def test_join_ends_the_relations_to_another_branch():
    user, person = make_user(), make_retiree(political_status="member")
    one, other = make_branch(), make_branch()
    actions.join(retiree=person, branch=one, on=FIRST, by=user)
    actions.join(retiree=person, branch=other, on=LATER, by=user)
    rows = Membership.objects.order_by("kind", "since").values_list("kind", "branch", "until")
    assert list(rows) == [
        ("affiliated", one.pk, LATER),
        ("affiliated", other.pk, None),
        ("served", one.pk, LATER),
        ("served", other.pk, None),
    ]


def test_join_on_the_same_day_corrects_the_branch():
    user, person = make_user(), make_retiree(political_status="masses")
    other = make_branch()
    actions.join(retiree=person, branch=make_branch(), on=FIRST, by=user)
    actions.join(retiree=person, branch=other, on=FIRST, by=user)
    assert [(m.kind, m.branch) for m in person.memberships.all()] == [("served", other)]


def test_join_before_the_last_relation_is_refused():
    user, person = make_user(), make_retiree()
    actions.join(retiree=person, branch=make_branch(), on=LATER, by=user)
    with pytest.raises(actions.JoinRefusedError, match="2025-03-01"):
        actions.join(retiree=person, branch=make_branch(), on=FIRST, by=user)


def test_branch_of_residence_is_named_after_the_community_or_the_first():
    community = make_community(short_name="某某社区")
    township = community.township
    first = make_branch("测试甲支部", township=township)
    near = make_branch("某某社区支部", township=township)
    user = make_user()
    here = make_retiree(township=township, community=community)
    there = make_retiree(township=township)
    nowhere = make_retiree(township=None)
    served = [
        actions.serve_by_residence(retiree=person, on=FIRST, by=user)
        for person in (here, there, nowhere, here)
    ]
    assert [m and m.branch for m in served] == [near, first, None, near]
    assert here.memberships.count() == 1


def test_staff_cannot_make_themselves_head(client, staff):
    other = make_user(name="新人")
    groups = {g.name: g.pk for g in staff.groups.model.objects.all()}
    for user in (staff, other):
        url = reverse("admin:cadres_user_change", args=[user.pk])
        data = {"username": user.username, "name": user.name, "is_active": "on"}
        data |= {"groups": [groups["负责人"]], "is_superuser": "on", "is_staff": "on"}
        assert client.post(url, data).status_code == 200
        assert not user.groups.filter(name="负责人").exists()
    assert not User.objects.filter(is_superuser=True).exists()


def test_staff_cannot_touch_the_head_or_a_superuser(client, staff):
    for user in (make_user(role=Role.OFFICE_HEAD), make_user(is_superuser=True, is_staff=True)):
        url = reverse("admin:auth_user_password_change", args=[user.pk])
        before = user.password
        data = {"password1": "neu-und-lang-9", "password2": "neu-und-lang-9"}
        assert client.post(url, {**data, "usable_password": "true"}).status_code == 403
        user.refresh_from_db()
        assert user.password == before


def test_role_at_the_desk_opens_it(client):
    client.force_login(make_user(role=Role.OFFICE_HEAD))
    user = make_user(is_staff=False)
    groups = {g.name: g.pk for g in user.groups.model.objects.all()}
    url = reverse("admin:cadres_user_change", args=[user.pk])
    data = {"username": user.username, "name": "新人", "is_active": "on"}
    assert client.post(url, {**data, "groups": [groups["工作人员"]]}).status_code == 302
    user.refresh_from_db()
    assert user.is_staff
    assert client.post(url, {**data, "groups": [groups["领导"]]}).status_code == 302
    user.refresh_from_db()
    assert not user.is_staff


def test_no_page_of_the_desk_speaks_of_groups_and_permissions(client, staff):
    page = client.get(reverse("admin:index")).content.decode()
    for word in ("认证和授权", "Celery", "pghistory", "会话", "近期动作"):
        assert word not in page
    for word in ("老同志", "单位", "党支部", "名册导入", "积分规则", "用户"):
        assert word in page
