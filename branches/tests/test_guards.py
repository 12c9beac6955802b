"""What the database itself refuses: changed history, overlapping periods, impossible people."""

import datetime

import pytest
from django.apps import apps
from django.db import DatabaseError, IntegrityError, connection, transaction

from branches.models import Membership
from branches.tests.make import make_branch, make_membership, make_seat, some_branch
from cadres.models import Residence, Retiree, Unit
from cadres.tests.make import (
    make_id_number,
    make_residence,
    make_retiree,
    make_user,
    some_community,
    some_township,
)
from conftest import as_owner

EVENTS = sorted(
    model._meta.db_table
    for model in apps.get_models()
    if model._meta.db_table.endswith("event") and hasattr(model, "pgh_tracked_model")
)
ATTACKS = [
    "UPDATE {t} SET pgh_label = 'x'",
    "UPDATE {t} SET pgh_label = 'x' WHERE pgh_id = -1",
    "DELETE FROM {t}",
    "DELETE FROM {t} WHERE pgh_id = -1",
    "TRUNCATE {t}",
    "TRUNCATE {t} CASCADE",
    "INSERT INTO {t} SELECT * FROM {t} ON CONFLICT (pgh_id) DO UPDATE SET pgh_label = 'x'",
    "MERGE INTO {t} e USING (SELECT 1) s ON TRUE WHEN MATCHED THEN DELETE",
]


def refused(statement: str) -> str:
    """What the database answers; fails when it does not refuse."""
    with (
        pytest.raises(DatabaseError) as error,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    return str(error.value)


def test_every_history_table_is_looked_at():
    assert len(EVENTS) >= 15
    assert {"cadres_retireeevent", "branches_membershipevent", "points_ruleevent"} <= {*EVENTS}


@pytest.mark.parametrize("table", EVENTS)
def test_history_is_refused_every_change_in_the_run_time_role(db, table):
    for attack in ATTACKS:
        assert "permission denied" in refused(attack.format(t=table))
    assert "must be owner" in refused(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    assert "must be owner" in refused(f"DROP TABLE {table}")


@pytest.mark.django_db(transaction=True)
def test_history_is_refused_every_change_to_the_owner_too():
    make_retiree()
    with as_owner():
        for table in EVENTS:
            for attack in ATTACKS:
                assert "may only grow" in refused(attack.format(t=table)), attack


@pytest.mark.django_db(transaction=True)
def test_without_the_guards_the_owner_could_change_history():
    """Negative control, rolled back."""
    make_retiree()
    with as_owner(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER guard_rows ON cadres_retireeevent")
        cursor.execute("DROP TRIGGER guard_table ON cadres_retireeevent")
        cursor.execute("UPDATE cadres_retireeevent SET pgh_label = 'x'")
        assert cursor.rowcount == 1
        transaction.set_rollback(True)


def test_run_time_role_owns_nothing_and_cannot_log_in(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolcanlogin FROM pg_roles WHERE rolname = 'cadres_app'")
        assert cursor.fetchone() == (False, False)
        cursor.execute("SELECT count(*) FROM pg_tables WHERE tableowner = 'cadres_app'")
        assert cursor.fetchone() == (0,)


def test_run_time_role_may_not_touch_the_schema(db):
    assert "permission denied" in refused("CREATE TABLE x (y int)")
    assert "permission denied" in refused("DELETE FROM django_migrations")
    assert "must be owner" in refused("ALTER TABLE cadres_retiree DROP COLUMN name")


# ---- periods -----------------------------------------------------------------------------------


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


PERIODS = [
    ("2024-01-01", None, True),
    ("2020-06-01", "2020-07-01", True),
    ("2019-01-01", "2020-01-02", True),
    ("2020-12-31", None, True),
    ("2021-01-01", None, False),
    ("2019-01-01", "2020-01-01", False),
]


@pytest.mark.parametrize("kind", ["affiliated", "served", "participating"])
@pytest.mark.parametrize(("since", "until", "overlaps"), PERIODS)
def test_memberships_of_one_kind_do_not_overlap(db, kind, since, until, overlaps):
    """Participation may overlap in another branch, belonging and being served may not."""
    retiree = make_retiree()
    end = None if since == "2024-01-01" else day("2021-01-01")
    make_membership(retiree, some_branch(), kind, since="2020-01-01", until=end)
    branch = some_branch() if kind == "participating" else make_branch()
    period = {"since": since, "until": until and day(until)}
    if overlaps:
        with pytest.raises(IntegrityError), transaction.atomic():
            make_membership(retiree, branch, kind, **period)
        make_membership(make_retiree(), branch, kind, **period)  # another person's
    else:
        make_membership(retiree, branch, kind, **period)


def test_participation_in_two_branches_may_overlap(db):
    retiree = make_retiree()
    make_membership(retiree, some_branch(), "participating")
    make_membership(retiree, make_branch(), "participating")
    make_membership(retiree, some_branch(), "served")
    make_membership(retiree, some_branch(), "affiliated")
    assert Membership.objects.count() == 4


@pytest.mark.parametrize(("since", "until", "overlaps"), PERIODS)
def test_residences_do_not_overlap(db, since, until, overlaps):
    retiree = make_retiree()
    end = None if since == "2024-01-01" else day("2021-01-01")
    make_residence(retiree, since="2020-01-01", until=end)
    if overlaps:
        with pytest.raises(IntegrityError), transaction.atomic():
            make_residence(retiree, since=since, until=until and day(until))
    else:
        make_residence(retiree, since=since, until=until and day(until))


def test_branch_has_one_secretary_at_a_time(db):
    make_seat(some_branch(), make_retiree())
    make_seat(some_branch(), make_retiree(), kind="deputy")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_seat(some_branch(), make_retiree())
    make_seat(make_branch(), make_retiree())


@pytest.mark.parametrize("until", ["2019-12-31", "2020-01-01"])
def test_period_ends_after_it_begins(db, until):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_membership(make_retiree(), some_branch(), until=day(until))
    with pytest.raises(IntegrityError), transaction.atomic():
        make_residence(make_retiree(), until=day(until))


# ---- people ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"sex": "X"},
        {"activity_class": "D"},
        {"political_status": "x"},
        {"retirement_kind": ""},
        {"status": "gone"},
        {"id_number": "12345"},
        {"id_number": "01234567890123456X", "birth_date": ""},
        {"birth_date": "1953-13"},
        {"birth_date": "1953"},
        {"birth_date": "1953-07-32"},
        {"work_started": "53-07"},
        {"birth_date": "1953-07", "work_started": "1953-06"},
        {"birth_date": "1953-07", "party_joined": "1953-06-30"},
        {"birth_date": "1953-07", "retired_on": "1950-01"},
        {"birth_date": "", "work_started": "1975-05", "retired_on": "1975-04"},
        {"id_number": make_id_number("1953-07-15", serial=3), "birth_date": "1953-07-16"},
        {"id_number": make_id_number("1953-07-15", serial=3), "birth_date": "1953-07"},
        {"status": "deceased"},
        {"died_on": day("2025-01-01")},
        {"status": "moved_away"},
        {"moved_away_on": day("2025-01-01")},
    ],
)
def test_impossible_person_is_refused(db, fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_retiree(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"birth_date": "1953-07", "work_started": "1953-07-01"},
        {"birth_date": "1953-07-15", "work_started": "1953-07"},
        {"id_number": make_id_number("1953-07-15", serial=3)},
        {"id_number": make_id_number("1953-07-15", serial=3), "birth_date": ""},
        {"id_number": None, "birth_date": ""},
        {"status": "deceased", "died_on": day("2025-01-01"), "moved_away_on": day("2024-01-01")},
    ],
)
def test_possible_person_is_taken(db, fields):
    assert make_retiree(**fields).pk


def test_identity_number_is_unique_and_may_be_missing_more_than_once(db):
    number = make_id_number(serial=4)
    make_retiree(id_number=number)
    make_retiree(id_number="")
    make_retiree(id_number=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        make_retiree(id_number=number)


@pytest.mark.django_db(transaction=True)
def test_community_lies_in_its_township():
    other = some_community(some_township("草堂镇"))
    with pytest.raises(IntegrityError):
        make_retiree(township=some_township("朱衣镇"), community=other)
    with pytest.raises(IntegrityError):
        make_retiree(community=other)
    make_retiree(township=other.township, community=other)


def test_digest_stands_beside_each_personal_value_or_the_row_is_refused(db):
    retiree = make_retiree(phone="13800000300")
    for column in ("phone", "address", "second_phone", "emergency_phone"):
        with pytest.raises(IntegrityError), transaction.atomic():
            Retiree.objects.filter(pk=retiree.pk).update(
                **{column: "13900000300", f"{column}_digest": ""}
            )


@pytest.mark.django_db(transaction=True)
def test_person_whom_something_points_to_is_never_deleted():
    retiree = make_retiree()
    make_residence(retiree)
    make_user(retiree=retiree)
    for statement in (
        f"DELETE FROM cadres_retiree WHERE id = {retiree.pk}",
        f"DELETE FROM cadres_unit WHERE id = {Unit.objects.get(name='奉节县教育委员会').pk}",
    ):
        assert "foreign key" in refused(statement)
    assert Residence.objects.exists()
