"""Several roles of one user: which there are, which one's home page is shown, and only that."""

import pytest

from branches.access import roles_of
from branches.tests.make import make_seat, make_secretary, some_branch
from cadres.models import User
from cadres.roles import Role, give_role
from cadres.tests.make import make_community, make_retiree, make_user
from fengjie_cadres.context import my_roles, shown_role

pytestmark = pytest.mark.django_db


class _Request:
    def __init__(self, user, session):
        self.user, self.session = user, session


def shown(client, user) -> str:
    return shown_role(_Request(User.objects.get(pk=user.pk), client.session))


@pytest.fixture
def both():
    """Staff and auditor in one."""
    user = make_user(role=Role.OFFICE_STAFF)
    give_role(user, Role.AUDITOR)
    return user


def test_roles_in_words():
    secretary = make_secretary()
    assert roles_of(secretary) == {"secretary": "支部书记", "retiree": "老同志"}
    assert roles_of(make_user(retiree=make_retiree())) == {"retiree": "老同志"}
    assert roles_of(make_user()) == {}
    contact = make_user(role=Role.CONTACT, community=make_community())
    assert roles_of(contact) == {"community_contact": "村社区联络员"}
    assert roles_of(make_user(role=Role.OFFICE_HEAD, is_active=False)) == {}


def test_a_seat_that_has_ended_is_no_role():
    person = make_retiree()
    make_seat(some_branch(), person, until="2024-06-01")
    assert roles_of(make_user(retiree=person)) == {"retiree": "老同志"}


def test_the_office_comes_before_the_person(both):
    both.retiree = make_retiree()
    both.save()
    assert list(roles_of(both)) == ["office_staff", "auditor", "retiree"]


def test_a_chosen_role_is_shown_until_another_is_chosen(client, both):
    client.force_login(both)
    assert shown(client, both) == "office_staff"
    assert client.post("/role/", {"role": "auditor"}).url == "/"
    assert shown(client, both) == "auditor"
    client.post("/role/", {"role": "office_staff"})
    assert shown(client, both) == "office_staff"


@pytest.mark.parametrize("role", ["office_head", "secretary", "", "x", "\0", "负责人"])
def test_a_role_one_does_not_have_is_a_sentence(client, both, role):
    client.force_login(both)
    page = client.post("/role/", {"role": role}, follow=True).content.decode()
    assert "您没有这个角色" in page
    assert shown(client, both) == "office_staff"


def test_a_role_that_was_taken_away_is_shown_no_more(client, both):
    client.force_login(both)
    client.post("/role/", {"role": "auditor"})
    both.groups.remove(both.groups.get(name=Role.AUDITOR.label))
    assert shown(client, both) == "office_staff"


def test_reading_does_not_switch(client, both):
    client.force_login(both)
    assert client.get("/role/?role=auditor").status_code == 405
    assert shown(client, both) == "office_staff"


def test_rights_do_not_depend_on_what_is_shown(client, both):
    """The negative control of a switch that would give or take rights."""
    client.force_login(both)
    for role in ("auditor", "office_staff"):
        client.post("/role/", {"role": role})
        assert client.get("/imports/").status_code == 200
        assert client.get("/access/").status_code == 200


def test_the_switch_stands_above_the_page_only_with_several_roles(client, both):
    client.force_login(both)
    page = client.get("/exports/").content.decode()
    assert 'action="/role/"' in page
    assert 'value="office_staff" aria-pressed="true"' in page
    client.force_login(make_user(role=Role.AUDITOR))
    assert 'action="/role/"' not in client.get("/").content.decode()


def test_the_choice_does_not_pass_to_the_next_user(client, both):
    client.force_login(both)
    client.post("/role/", {"role": "auditor"})
    other = make_user(role=Role.OFFICE_STAFF)
    give_role(other, Role.AUDITOR)
    client.post("/logout/")
    client.force_login(other)
    assert shown(client, other) == "office_staff"


def test_roles_are_asked_for_once_a_request(both, django_assert_num_queries):
    request = _Request(User.objects.get(pk=both.pk), {})
    with django_assert_num_queries(1):
        my_roles(request)
        shown_role(request)
