"""A fault before or after every statement, inside every function and at COMMIT of whatever moves
points: all or nothing has happened, the books are right, and doing it again completes it once."""

import contextlib
import datetime
import uuid
from collections.abc import Callable
from itertools import product

import pytest
import time_machine
from django.db import DatabaseError, Error, connection, transaction

from cadres.tests.make import make_retiree, make_user
from conftest import as_owner
from points import actions, ledger, notices, redemption
from points.audit import audit
from points.models import (
    Account,
    Cycle,
    DayStock,
    Objection,
    Posting,
    Redemption,
    RedemptionDay,
    RedemptionLine,
    Shortfall,
    Transfer,
)
from points.tests.make import (
    DAY,
    awarded,
    make_cycle,
    make_day,
    make_notice,
    make_rule,
    make_stock,
    published,
)

pytestmark = pytest.mark.django_db(transaction=True)
OLD = datetime.date(2024, 12, 1)


@pytest.fixture(autouse=True)
def in_december():
    with time_machine.travel("2025-12-01 10:00 +0800"):
        yield


class Fault(Exception):
    pass


class Faults:
    """Raises before, or after, the n-th statement; counts them all."""

    def __init__(self, at: int = 0, when: str = "before"):
        self.at, self.when, self.count = at, when, 0

    def __call__(self, execute, sql, params, many, context):
        self.count += 1
        if self.count == self.at and self.when == "before":
            raise Fault
        answer = execute(sql, params, many, context)
        if self.count == self.at:
            raise Fault
        return answer


class Scene:
    """People with points, debts and things that wait; each deed changes the books once."""

    def __init__(self):
        self.cycle, self.old = make_cycle(2025), make_cycle(2024)
        self.people = [make_retiree(name=f"甲{n}") for n in range(3)]
        self.person = self.people[0]
        self.staff, self.head = make_user(), make_user()
        make_rule("fine", direction="deduct", points=50)
        make_rule("one", points=1)
        for person in self.people:
            awarded(person, 20)
        ledger.spend(key="s:0", retiree=self.person, cycle=self.cycle, amount=6, by=None)
        self.award_one("posted", 18)
        ledger.spend(key="s:1", retiree=self.person, cycle=self.cycle, amount=30, by=None)
        ledger.deduct(
            source="owed", retiree=self.people[1], code="fine", on=DAY, by=self.staff
        )  # 20 taken, 30 owed
        ledger.ask_waiver(shortfall=Shortfall.objects.get(), by=self.staff, reason="困难")
        self.plus = self.ask(7)
        self.minus = self.ask(-2)
        self.criticism = actions.ask_deduction(
            retiree=self.person, code="fine", on=DAY, reason="批评", by=self.staff
        )
        ledger.freeze(retiree=self.people[2], why="去世")
        self.settlement = actions.ask_settlement(
            account=Account.objects.get(retiree=self.people[2]), kind="void", receiver="",
            reason="无家属", by=self.staff,
        )  # fmt: skip
        ledger.award(
            source="late", retiree=self.people[2], code="one", on=DAY, by=self.staff, units=5
        )
        ledger.unfreeze(retiree=self.people[1])

    def award_one(self, source: str, points: int):
        return ledger.award(
            source=source, retiree=self.person, code="one", on=DAY, by=self.staff, units=points
        )

    def ask(self, amount: int):
        return actions.ask_adjustment(
            retiree=self.person, cycle=self.cycle, amount=amount, reason="核对", by=self.staff
        )

    def wish(self, quantity: int) -> dict:
        basket = {self.rice.pk: quantity, self.soap.pk: quantity}
        return {"day": self.day, "basket": basket, "by": self.staff}

    def late(self) -> Posting:
        return Posting.objects.get(source="late")


def award_many(scene):
    """Two of the three, one of whom still owes, and two years."""
    causes = [
        ledger.Cause(f"b:{person.pk}:{on}", person.pk, "one", on, 9)
        for person in scene.people[:2]
        for on in (DAY, OLD)
    ]
    ledger.award_many(causes=causes, by=scene.staff)


def decide(name: str, action: str = "decide_adjustment", **fixed) -> Callable:
    def deed(scene):
        getattr(actions, action)(**{name: getattr(scene, fixed["of"])}, agreed=True, by=scene.head)

    return deed


def close(scene):
    with time_machine.travel("2026-02-01 10:00 +0800"):
        published(scene.cycle)
        ledger.close(cycle=scene.cycle, by=None, batch=1)


def ready_to_close(scene) -> None:
    actions.decide_settlement(settlement=scene.settlement, agreed=True, by=scene.head)
    for number, person in enumerate(scene.people[:2]):
        awarded(person, 40 + number)
    Cycle.objects.filter(pk=scene.cycle.pk).update(
        redeem_until="2026-01-31", carry_percent=50, carry_cap=15
    )


def ready_to_redeem(scene) -> None:
    """A day, on which two have reserved; one of them has points for more."""
    scene.award_one("rich", 80)
    awarded(scene.people[1], 80)
    scene.day = make_day(datetime.date(2025, 12, 1))
    scene.rice, scene.soap = (
        make_stock(scene.day, name, points, brought=5) for name, points in (("米", 20), ("皂", 3))
    )
    scene.reserved = [
        redemption.reserve(key=uuid.uuid4(), retiree=person, **scene.wish(1))
        for person in scene.people[:2]
    ]


def ready_to_confirm(scene) -> None:
    """An objection that the office finds justified: a posting is to be taken back."""
    notice = make_notice(scene.cycle, scene.head)
    found = notices.object_to(notice=notice, text="不是我", by=scene.staff)
    scene.objection = notices.answer(
        objection=found, is_justified=True, words="属实", by=scene.staff,
        posting=Posting.objects.get(source="posted"),
    )  # fmt: skip


def take(action: Callable) -> Callable:
    return lambda s: action(key=KEY, retiree=s.person, **s.wish(2))


READY = {"close": ready_to_close, "confirm": ready_to_confirm}
KEY = uuid.UUID("33333333-3333-4333-8333-333333333333")
REDEMPTIONS = {
    "reserve": take(redemption.reserve),
    "serve": take(redemption.serve),
    "cancel": lambda s: redemption.cancel(redemption=s.reserved[0], by=s.staff, is_office=True),
    "finish": lambda s: redemption.finish(day=s.day, by=s.staff),
    "call off": lambda s: redemption.call_off(day=s.day, by=s.staff),
}
READY |= dict.fromkeys(REDEMPTIONS, ready_to_redeem)
DEEDS = REDEMPTIONS | {
    "award_many": award_many,
    "deduct": lambda s: ledger.deduct(
        source="d:1", retiree=s.person, code="fine", on=DAY, by=s.staff, approved_by=s.head
    ),
    "reverse": lambda s: ledger.reverse(source="posted", by=s.staff),
    "reverse a deduction": lambda s: ledger.reverse(source="owed", by=s.staff),
    "spend": lambda s: ledger.spend(key="s:9", retiree=s.person, cycle=s.cycle, amount=1, by=None),
    "refund": lambda s: ledger.refund(key="s:1", by=None),
    "adjust +": decide("adjustment", of="plus"),
    "adjust −": decide("adjustment", of="minus"),
    "criticism": decide("adjustment", of="criticism"),
    "settle": decide("settlement", "decide_settlement", of="settlement"),
    "supplement": lambda s: ledger.supplement(posting=s.late(), by=s.head, reason="属实"),
    "refuse": lambda s: ledger.refuse(posting=s.late(), by=s.head, reason="不属实"),
    "waive": lambda s: ledger.waive(shortfall=Shortfall.objects.get(), agreed=True, by=s.head),
    "confirm": lambda s: notices.confirm(objection=s.objection, by=s.head),
    "close": close,
}
#: Whose work is committed batch by batch: what is done stays, the rest comes with the next try.
IN_PARTS = {"close"}
#: One of each kind that moves points is tried every time, the others with the slow tests.
QUICK = {"award_many", "deduct", "reverse", "spend", "refund", "settle", "reserve"}
every_deed = pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in DEEDS],
)


def state() -> tuple:
    """What the books say, without numbers of rows and instants."""
    return (
        sorted(Account.objects.values_list("cycle__year", "kind", "retiree__name", "balance")),
        sorted(
            Transfer.objects.values_list(
                "cycle__year", "from_account__kind", "to_account__kind", "amount", "kind", "memo"
            )
        ),
        sorted(Posting.objects.values_list("code", "state", "posted", "cut", "short", "revision")),
        sorted(Shortfall.objects.values_list("amount", "left", "waived", "cancelled")),
        sorted(Cycle.objects.values_list("year", "status")),
        sorted(Redemption.objects.values_list("retiree__name", "state", "points")),
        sorted(RedemptionLine.objects.values_list("stock__reward__name", "quantity")),
        sorted(DayStock.objects.values_list("reward__name", "taken")),
        list(RedemptionDay.objects.values_list("status")),
        Objection.objects.filter(confirmed_by__isnull=False).count(),
    )


# ---- between the statements --------------------------------------------------------------------


def scene_for(name: str) -> Scene:
    scene = Scene()
    if name in READY:
        READY[name](scene)
    return scene


def fault(deed: Callable, scene: Scene, faults: Faults) -> bool:
    """Whether the fault came."""
    try:
        with connection.execute_wrapper(faults):
            deed(scene)
    except Fault:
        # `save` has marked this test's own transaction; the server's is whole.
        transaction.set_rollback(False)
        return True
    return False


@contextlib.contextmanager
def rolled_back():
    """The block sees the books as they are and leaves them so; a COMMIT in it is a savepoint's."""
    try:
        with transaction.atomic():
            yield
            raise Fault
    except Fault:
        pass


@every_deed
def test_a_fault_at_any_statement_leaves_all_or_nothing(name):
    deed, scene = DEEDS[name], scene_for(name)
    before = state()
    with rolled_back():
        deed(scene)
        after = state()
    assert after != before
    for when in ("before", "after"):
        at, came = 0, True
        while came:
            at += 1
            with rolled_back():
                came = fault(deed, scene, Faults(at, when))
                found = state()
                assert found in (before, after) or name in IN_PARTS, f"{when} statement {at}"
                assert audit().findings == []
                deed(scene)
                assert state() == after, f"again after {when} statement {at}"
        assert at > 1
    assert state() == before


def test_control_two_statements_without_a_transaction_are_half_done():
    """Two calls that nobody holds together: the fault is seen by the same assertion."""
    scene = Scene()

    def deed(scene):
        ledger.refund(key="s:1", by=None)
        ledger.spend(key="s:9", retiree=scene.person, cycle=scene.cycle, amount=1, by=None)

    before = state()
    with rolled_back():
        deed(scene)
        after = state()
    counted = Faults()
    with rolled_back():
        fault(deed, scene, counted)
    found = []
    for at in range(1, counted.count + 1):
        with rolled_back():
            fault(deed, scene, Faults(at))
            found.append(state())
    assert any(one not in (before, after) for one in found)


# ---- inside a function and at COMMIT -----------------------------------------------------------

TABLES = ["points_transfer", "points_posting", "points_shortfall", "points_account"]
STOCK_TABLES = ["points_redemption", "points_redemptionline", "points_daystock"]
#: Fails at the table, and at the moment (at once, or when it is committed), that a setting names.
_PLANT = """
CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF current_setting('test.fault', true) = TG_ARGV[0] || ' ' || TG_TABLE_NAME THEN
        RAISE EXCEPTION 'planted';
    END IF;
    RETURN NULL;
END $$;
""" + "".join(
    f"""
CREATE TRIGGER fails_inside AFTER INSERT OR UPDATE ON {table}
    FOR EACH ROW EXECUTE FUNCTION fails('inside');
CREATE CONSTRAINT TRIGGER fails_at_commit AFTER INSERT OR UPDATE ON {table}
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fails('commit');
"""
    for table in [*TABLES, *STOCK_TABLES]
)


@pytest.fixture
def planted(transactional_db):
    """Every write of a table fails from then on, when `test.fault` names it."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(_PLANT)
    yield
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION fails() CASCADE")


def set_fault(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('test.fault', %s, false)", [name])


def fails(deed: Callable, scene: Scene) -> bool:
    """Does it in a transaction that ends with COMMIT, or, where nothing failed, with ROLLBACK."""
    try:
        with transaction.atomic():
            deed(scene)
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            transaction.set_rollback(True)
    except DatabaseError:
        return True
    return False


@contextlib.contextmanager
def killed_at_commit():
    """The connection is cut when COMMIT is sent: the server never sees it."""
    original = connection._commit

    def cut():
        connection.connection.close()
        return original()

    connection._commit = cut
    try:
        yield
    finally:
        connection._commit = original
        connection.close()


@every_deed
def test_a_fault_inside_or_at_commit_leaves_nothing_and_again_completes_it(name, planted):
    deed, scene = DEEDS[name], scene_for(name)
    before = state()
    with rolled_back():
        deed(scene)
        after = state()
    failed, tables = 0, TABLES + (STOCK_TABLES if name in REDEMPTIONS else [])
    for moment, table in product(("inside", "commit"), tables):
        set_fault(f"{moment} {table}")
        failed += fails(deed, scene)
        set_fault("")
        assert name in IN_PARTS or state() == before
        assert audit().findings == []
    assert failed >= 2
    with killed_at_commit(), contextlib.suppress(Error), transaction.atomic():
        deed(scene)
    assert audit().findings == []
    deed(scene)
    deed(scene)
    assert state() == after
    assert audit().findings == []
