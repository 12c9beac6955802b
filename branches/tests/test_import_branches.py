"""Branches in a roster: belonging is proposed, being served is written, once for everybody."""

import datetime

import pytest

from branches.models import Membership, StagedRow
from branches.tests.make import DAY, make_membership, some_branch, written
from cadres.models import Retiree
from cadres.tests.make import make_retiree, some_township
from cadres.tests.workbooks import HEADER, id_number, person, roster_of

pytestmark = pytest.mark.django_db
LATER = datetime.date(2026, 5, 1)
BRANCH, OTHER = "朱衣镇离退休干部党支部", "草堂镇离退休干部党支部"


def verdicts(batch) -> list[str]:
    return list(StagedRow.objects.filter(batch=batch).values_list("verdict", flat=True))


def only() -> Retiree:
    return Retiree.objects.get()


def member(**more) -> list:
    return person(0, 所在党支部=BRANCH, 政治面貌="中共党员", **more)


def relations(person: Retiree) -> set[tuple]:
    return set(
        Membership.objects.filter(retiree=person).values_list(
            "kind", "branch__name", "since", "until"
        )
    )


def test_new_party_member_belongs_to_and_is_served_by_the_branch():
    written(roster_of(member()))
    assert relations(only()) == {
        ("affiliated", BRANCH, DAY, None),
        ("served", BRANCH, DAY, None),
    }


def test_new_person_who_is_no_member_is_only_served_by_the_branch():
    written(roster_of(person(0, 所在党支部=OTHER)))
    assert relations(only()) == {("served", OTHER, DAY, None)}


def test_changed_branch_of_a_party_member_is_proposed_and_not_written():
    written(roster_of(member()))
    before = relations(only())
    row = member()
    row[HEADER.index("所在党支部")] = OTHER
    batch = written(roster_of(row), on=LATER)
    branches = [some_branch(BRANCH).pk, some_branch(OTHER).pk]
    assert StagedRow.objects.get(batch=batch).proposal == branches
    assert verdicts(batch) == ["unchanged"]
    assert relations(only()) == before


def test_changed_branch_of_somebody_else_is_written():
    written(roster_of(person(0, 所在党支部=BRANCH)))
    batch = written(roster_of(person(0, 所在党支部=OTHER)), on=LATER)
    assert StagedRow.objects.get(batch=batch).proposal is None
    assert relations(only()) == {("served", BRANCH, DAY, LATER), ("served", OTHER, LATER, None)}


def test_branch_changed_on_the_very_day_is_corrected():
    written(roster_of(person(0, 所在党支部=BRANCH)))
    written(roster_of(person(0, 所在党支部=OTHER)), on=DAY)
    assert relations(only()) == {("served", OTHER, DAY, None)}


def test_person_who_joined_the_party_belongs_to_the_branch_that_served():
    written(roster_of(person(0, 所在党支部=BRANCH)))
    row = person(0, 所在党支部=BRANCH, 政治面貌="中共党员")
    written(roster_of(row), on=LATER)
    assert relations(only()) == {("served", BRANCH, DAY, None), ("affiliated", BRANCH, LATER, None)}
    assert verdicts(written(roster_of(row), on=LATER)) == ["unchanged"]


def test_branch_of_a_later_day_is_not_overridden():
    written(roster_of(person(0, 所在党支部=BRANCH)))
    written(roster_of(person(0, 所在党支部=OTHER)), on=LATER)
    before = relations(only())
    assert verdicts(written(roster_of(person(0, 所在党支部=BRANCH)), on=DAY)) == ["unchanged"]
    assert relations(only()) == before


def test_branch_that_served_until_a_later_day_is_not_overridden():
    written(roster_of(person(0, 所在党支部=BRANCH)))
    Membership.objects.update(until=LATER)
    row = person(0, 所在党支部=OTHER, 联系电话="13999999999")
    written(roster_of(row), on=DAY)
    assert ("served", BRANCH, DAY, LATER) in relations(only())
    assert Membership.objects.filter(until=None, since=LATER, kind="served").count() == 1


def test_person_without_a_branch_is_served_where_they_live():
    community = next(
        c for c in some_township("夔州街道").community_set.all() if "胡家" in c.short_name
    )
    rows = [
        person(0),
        person(1, **{"居住乡镇(街道)": "夔州街道", "村(社区)": community.short_name}),
        person(2, **{"居住乡镇(街道)": None}),
    ]
    written(roster_of(*rows))
    served = dict(
        Membership.objects.filter(kind="served").values_list("retiree__id_number", "branch__name")
    )
    assert served == {
        id_number(0): "朱衣镇离退休干部党支部",
        id_number(1): "夔州街道胡家社区离退休干部党支部",
    }


def test_person_who_belongs_to_a_branch_is_served_by_it_and_not_by_the_nearest():
    somebody = make_retiree(id_number=id_number(0), political_status="member")
    make_membership(somebody, some_branch(OTHER), "affiliated")
    written(roster_of(person(0, 政治面貌="中共党员")))
    assert Membership.objects.get(kind="served").branch.name == OTHER


def test_person_who_has_died_is_not_served_again():
    make_retiree(id_number=id_number(0), status="deceased", died_on=DAY)
    written(roster_of(person(0)))
    assert not Membership.objects.exists()
    assert only().status == "deceased"


def test_everybody_of_a_file_is_served_by_exactly_one_branch():
    rows = [person(i, 所在党支部=[None, BRANCH, OTHER][i % 3]) for i in range(60)]
    rows += [person(60 + i, 政治面貌="党员", 所在党支部=BRANCH) for i in range(5)]
    written(roster_of(*rows))
    written(roster_of(*[[*row[:9], OTHER, *row[10:]] for row in rows]), on=LATER)
    for retiree in Retiree.objects.all():
        assert Membership.objects.filter(retiree=retiree, kind="served", until=None).count() == 1
