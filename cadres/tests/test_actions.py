"""Moving house, changing class, leaving: each keeps its ledger and the person in step."""

import datetime

import pytest

from cadres import actions
from cadres.masking import digest
from cadres.models import Retiree, Status
from cadres.tests.make import make_community, make_retiree, make_township, make_user

pytestmark = pytest.mark.django_db
FIRST = datetime.date(2024, 1, 1)
LATER = datetime.date(2025, 3, 1)


@pytest.fixture
def person():
    return make_retiree()


@pytest.fixture
def user():
    return make_user()


def move(person, user, on=FIRST, township=None, community=None, address=""):
    return actions.move(
        retiree=person, township=township, community=community, address=address, on=on, by=user
    )


def periods(person):
    return list(person.residences.order_by("since").values_list("since", "until", "address"))


def test_move_opens_the_first_residence(person, user):
    township = make_township()
    move(person, user, township=township, address="滨河路1号")
    person.refresh_from_db()
    assert (person.township, person.address) == (township, "滨河路1号")
    assert person.address_digest == digest("滨河路1号")
    assert periods(person) == [(FIRST, None, "滨河路1号")]


def test_move_closes_the_residence_before(person, user):
    move(person, user, address="滨河路1号")
    move(person, user, on=LATER, address="诗城路2号")
    assert periods(person) == [(FIRST, LATER, "滨河路1号"), (LATER, None, "诗城路2号")]


def test_move_on_the_same_day_corrects_the_residence(person, user):
    move(person, user, address="滨河路1号")
    move(person, user, address="滨河路11号")
    assert periods(person) == [(FIRST, None, "滨河路11号")]
    assert person.residences.get().address_digest == digest("滨河路11号")


def test_move_to_the_same_place_changes_nothing(person, user):
    first = move(person, user, address="滨河路1号")
    assert move(person, user, on=LATER, address="滨河路1号") == first
    assert person.residences.count() == 1


def test_move_to_nowhere_known_only_ends_the_residence(person, user):
    move(person, user, address="滨河路1号")
    assert move(person, user, on=LATER) is None
    assert periods(person) == [(FIRST, LATER, "滨河路1号")]


def test_move_before_the_recorded_residence_is_refused(person, user):
    move(person, user, on=LATER, address="滨河路1号")
    with pytest.raises(actions.MoveRefusedError, match="2025-03-01"):
        move(person, user, address="诗城路2号")
    assert Retiree.objects.get(pk=person.pk).address == "滨河路1号"


def test_move_into_a_gap_that_is_over_is_refused(person, user):
    move(person, user, address="滨河路1号")
    move(person, user, on=LATER)
    with pytest.raises(actions.MoveRefusedError):
        move(person, user, on=FIRST + datetime.timedelta(days=9), address="诗城路2号")


def test_move_to_a_community_of_another_township_is_refused(person, user):
    community = make_community()
    with pytest.raises(actions.MoveRefusedError):
        move(person, user, township=make_township(), community=community)


def reclassify(person, user, activity_class, on=FIRST):
    return actions.reclassify(
        retiree=person, activity_class=activity_class, on=on, reason="年度认定", by=user
    )


def test_reclassify_writes_the_person_and_the_ledger(user):
    person = make_retiree(activity_class="")
    change = reclassify(person, user, "B")
    assert Retiree.objects.get(pk=person.pk).activity_class == "B"
    assert list(person.class_changes.all()) == [change]
    assert (change.effective_from, change.reason, change.decided_by) == (FIRST, "年度认定", user)


def test_reclassify_into_the_same_class_is_refused(user):
    person = make_retiree(activity_class="")
    reclassify(person, user, "B")
    with pytest.raises(actions.ReclassifyRefusedError, match="已经是"):
        reclassify(person, user, "B", on=LATER)
    assert person.class_changes.count() == 1


def test_reclassify_before_the_last_change_is_refused(user):
    person = make_retiree(activity_class="")
    reclassify(person, user, "B", on=LATER)
    with pytest.raises(actions.ReclassifyRefusedError):
        reclassify(person, user, "C")


def test_death_takes_the_person_off_the_living(person, user):
    actions.record_death(retiree=person, on=LATER, by=user)
    person.refresh_from_db()
    assert (person.status, person.died_on) == (Status.DECEASED, LATER)
    assert not Retiree.objects.active().filter(pk=person.pk).exists()


def test_death_before_birth_is_refused(user):
    person = make_retiree(birth_date="1950-06")
    with pytest.raises(actions.StatusRefusedError):
        actions.record_death(retiree=person, on=datetime.date(1950, 5, 1), by=user)


def test_moving_away_keeps_the_day(person, user):
    actions.record_moving_away(retiree=person, on=LATER, by=user)
    person.refresh_from_db()
    assert (person.status, person.moved_away_on) == (Status.MOVED_AWAY, LATER)


def test_moving_away_after_death_is_refused(person, user):
    actions.record_death(retiree=person, on=FIRST, by=user)
    with pytest.raises(actions.StatusRefusedError):
        actions.record_moving_away(retiree=person, on=LATER, by=user)


@pytest.mark.parametrize(
    ("birth", "day", "is_seventy"),
    [
        ("1953-07", datetime.date(2023, 7, 31), False),
        ("1953-07", datetime.date(2023, 8, 1), True),
        ("1953-07-10", datetime.date(2023, 7, 9), False),
        ("1953-07-10", datetime.date(2023, 7, 10), True),
    ],
)
def test_age_of_the_list_is_the_age_that_is_shown(birth, day, is_seventy):
    person = make_retiree(birth_date=birth)
    assert (person.age_on(day) >= 70) is is_seventy
    assert Retiree.objects.aged(70, 79, day).exists() is is_seventy
    assert Retiree.objects.aged(60, 69, day).exists() is not is_seventy
