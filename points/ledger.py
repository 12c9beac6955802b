"""The one door of the 时间银行: nothing else makes a transfer.

Each movement is one call of a function in the database (points/sql/ledger.sql), which locks,
decides and writes; the run-time role has no right to write transfers in any other way. Correction
is by adding, never by changing. Points are whole numbers; a day is a date in Shanghai.
"""

import contextlib
import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from cadres.jobs import RefusedError
from cadres.models import Retiree, User
from points.models import (
    Account,
    Cycle,
    CycleStatus,
    Posting,
    RulingState,
    Settlement,
    SettlementKind,
)


class LedgerRefusedError(RefusedError):
    """The points do not move; the text says why."""


class CycleClosedError(LedgerRefusedError):
    """Nothing moves in this cycle any more (or not now)."""


class NotYetError(LedgerRefusedError):
    """The cause lies in the future."""


class SourceTakenError(LedgerRefusedError):
    """The source or key belongs to somebody or something else."""


class FrozenError(LedgerRefusedError):
    """The account is frozen."""


class InsufficientPointsError(LedgerRefusedError):
    """There are not enough points; `balance` says how many there are."""

    def __init__(self, balance: int, words: str = ""):
        self.balance = balance
        super().__init__(words or f"积分不够，现有 {balance} 分。")


class NothingThereError(LedgerRefusedError):
    """There is nothing to give back or to settle."""


class SecondPersonError(LedgerRefusedError):
    """Who has sent something does not decide about it."""


class NotPublishedError(LedgerRefusedError):
    """A rollover is published first, and what was published stands."""


class PublishedError(LedgerRefusedError):
    """The year's end is published: it is withdrawn first."""


class ReservedError(LedgerRefusedError):
    """Reservations are open: their points may still come back."""


_REFUSALS = {
    "PT001": (CycleClosedError, "这一年度的积分已不能变动。"),
    "PT002": (NotYetError, "日期还没有到，不能记分。"),
    "PT003": (SourceTakenError, "这件事已经记在别处，请核对。"),
    "PT004": (FrozenError, "账户已冻结，请先由负责人处理。"),
    "PT006": (NothingThereError, "没有可以退回或结清的积分。"),
    "PT007": (SecondPersonError, "自己送来的，要由另一个人审核。"),
    "PT008": (NotPublishedError, "这一年的结转还没有公示，不能记账。"),
    "PT009": (ReservedError, "还有预约没有领取，请先结束兑换场次。"),
    "PT010": (NotPublishedError, "结转已经公示，不能再改。"),
    "PT011": (PublishedError, "这一年的结转正在公示。要更正，请负责人先撤回公示，再审核这一笔。"),
}


def _call(statement: str, *values):
    """One statement, its rows; refused, it leaves the caller's transaction usable.

    Raises a LedgerRefusedError.
    """
    with _refusals(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


@contextlib.contextmanager
def _refusals():
    """A refusal of the database becomes a LedgerRefusedError and undoes the block alone."""
    safely = transaction.atomic() if connection.in_atomic_block else contextlib.nullcontext()
    try:
        with safely:
            yield
    except DatabaseError as error:
        code = getattr(error.__cause__, "pgcode", None)
        if code == "PT005":
            raise InsufficientPointsError(int(error.__cause__.diag.message_primary)) from None
        if code in _REFUSALS:
            refusal, words = _REFUSALS[code]
            raise refusal(words) from None
        raise


def _now() -> tuple[datetime.date, datetime.datetime]:
    return timezone.localdate(), timezone.now()


def _pk(user: User | None) -> int | None:
    return user.pk if user else None


# ---- causes ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cause:
    """What earns or costs points: `source` names it for ever (`branches.attendance:17`).

    `code` is that of the rule; `units` is how often it counts (hours may be fractions: points ×
    units is rounded half up, once). `on` is the day it happened, which chooses the cycle.
    """

    source: str
    retiree: int
    code: str
    on: datetime.date
    units: Decimal | int = 1
    memo: str = ""


_ARRAYS = "%s::text[], %s::bigint[], %s::text[], %s::date[], %s::numeric[], %s::text[]"


def _arrays(causes: list[Cause]) -> list[list]:
    columns = ("source", "retiree", "code", "on", "units", "memo")
    return [[getattr(cause, column) for cause in causes] for column in columns]


def award_many(*, causes: Iterable[Cause], by: User | None) -> list[str]:
    """Posts what many causes earn, set-based; the sources whose points moved or now wait.

    A source counts once, however often it is sent; one that was reversed is awarded anew. An award
    is cut to what the yearly cap of its rule leaves. Too late, or to a frozen account: it waits
    for a second person. A cause without an enabled rule earns nothing. Raises NotYetError,
    SourceTakenError.
    """
    if not (causes := list(causes)):
        return []
    statement = f"SELECT points_award({_ARRAYS}, %s, %s, %s)"
    return [row[0] for row in _call(statement, *_arrays(causes), *_now(), _pk(by))]


def award(
    *,
    source: str,
    retiree: Retiree,
    code: str,
    on: datetime.date,
    by: User | None,
    units: Decimal | int = 1,
    memo: str = "",
) -> Posting | None:
    """Posts what one cause earns; see `award_many`. None when no rule is enabled for it."""
    statement = "SELECT * FROM points_award_one(%s, %s, %s, %s, %s::numeric, %s, %s, %s, %s)"
    values = (source, retiree.pk, code, on, units, memo, *_now(), _pk(by))
    with _refusals():
        return next(iter(Posting.objects.raw(statement, values)), None)


def deduct_many(
    *, causes: Iterable[Cause], by: User | None, approved_by: User | None = None
) -> list[str]:
    """Takes what many causes cost, at most what is there; the rest is a Shortfall.

    Raises CycleClosedError, FrozenError, NotYetError, SourceTakenError.
    """
    if not (causes := list(causes)):
        return []
    statement = f"SELECT points_deduct({_ARRAYS}, %s, %s, %s, %s)"
    rows = _call(statement, *_arrays(causes), *_now(), _pk(by), _pk(approved_by))
    return [row[0] for row in rows]


def deduct(
    *,
    source: str,
    retiree: Retiree,
    code: str,
    on: datetime.date,
    by: User | None,
    approved_by: User | None = None,
    units: Decimal | int = 1,
    memo: str = "",
) -> Posting | None:
    """Takes what one cause costs; see `deduct_many`. None when no rule is enabled for it."""
    cause = Cause(source, retiree.pk, code, on, units, memo)
    deduct_many(causes=[cause], by=by, approved_by=approved_by)
    return Posting.objects.filter(source=source).first()


def reverse(*, source: str, by: User | None, memo: str = "更正") -> str:
    """Takes back what a source got, or gives back what it cost; again: nothing.

    What is spent already becomes a Shortfall. Returns `reversed`, `nothing`, or `waiting` when the
    year's end is published or over and a second person has to decide.
    """
    statement = "SELECT points_reverse(%s, %s, %s, %s, %s)"
    return _call(statement, source, *_now(), _pk(by), memo)[0][0]


# ---- spending ----------------------------------------------------------------------------------


def spend(
    *,
    key: str,
    retiree: Retiree,
    cycle: Cycle,
    amount: int,
    by: User | None,
    memo: str = "",
    on: datetime.date | None = None,
) -> int:
    """Spends points of a cycle, once for a key; the number of the transfer.

    Today, or on a day that is typed in later (until the year's end is published). Raises
    InsufficientPointsError, FrozenError, CycleClosedError, SourceTakenError.
    """
    if amount <= 0:
        raise LedgerRefusedError("分数应大于零。")
    statement = "SELECT points_spend(%s, %s, %s, %s, %s, %s, %s, %s)"
    today, now = _now()
    values = (key, retiree.pk, cycle.pk, amount, memo, on or today, now, _pk(by))
    return _call(statement, *values)[0][0]


def hold_refunds(*, keys: Iterable[str]) -> None:
    """Locks what several refunds of one transaction touch, before the first of them."""
    _call("SELECT points_hold_refunds(%s)", list(keys))


def refund(*, key: str, by: User | None, memo: str = "") -> int:
    """Gives back what was spent under a key, once. Raises NothingThereError, CycleClosedError."""
    return _call("SELECT points_refund(%s, %s, %s, %s, %s)", key, memo, *_now(), _pk(by))[0][0]


# ---- by two persons ----------------------------------------------------------------------------


def adjust(
    *,
    key: str,
    retiree: Retiree,
    cycle: Cycle,
    amount: int,
    memo: str,
    by: User,
    approved_by: User,
) -> int:
    """Gives points by hand, or takes them (negative); both persons stand in the transfer.

    Raises InsufficientPointsError, FrozenError, CycleClosedError.
    """
    statement = "SELECT points_adjust(%s, %s, %s, %s, %s, %s, %s, %s, %s)"
    values = (key, retiree.pk, cycle.pk, amount, memo, *_now(), by.pk, approved_by.pk)
    return _call(statement, *values)[0][0]


def settle(*, settlement: Settlement, approved_by: User) -> int:
    """Empties a frozen account as two persons have ruled. Raises NothingThereError."""
    goes_to = "expired" if settlement.kind == SettlementKind.VOID else "redeemed"
    receiver = f"（{settlement.receiver}）" if settlement.receiver else ""
    memo = f"{settlement.get_kind_display()}{receiver}：{settlement.reason}"
    statement = "SELECT points_settle(%s, %s, %s, %s, %s, %s, %s, %s)"
    values = (f"points.settlement:{settlement.pk}", settlement.account_id, goes_to, memo)
    return _call(statement, *values, *_now(), settlement.asked_by_id, approved_by.pk)[0][0]


def supplement(*, posting: Posting, by: User, reason: str = "") -> str:
    """Sends what came too late. Raises SecondPersonError, CycleClosedError when none is open, and
    PublishedError for an award to be taken back in a year whose end is published."""
    statement = "SELECT points_supplement(%s, %s, %s, %s, %s)"
    return _call(statement, posting.pk, *_now(), by.pk, reason)[0][0]


def refuse(*, posting: Posting, by: User, reason: str) -> str:
    """Does not send what came too late. Raises SecondPersonError."""
    _, now = _now()
    return _call("SELECT points_refuse(%s, %s, %s, %s)", posting.pk, now, by.pk, reason)[0][0]


def ask_waiver(*, shortfall, by: User, reason: str) -> None:
    """Asks that what is still owed be waived; the first one who asks stands."""
    if not reason.strip():
        raise LedgerRefusedError("请写明为什么免去。")
    _call("SELECT points_ask_waiver(%s, %s, %s)", shortfall.pk, by.pk, reason.strip())


def waive(*, shortfall, agreed: bool, by: User) -> int:
    """Somebody else agrees, or not; how many points were waived. Raises SecondPersonError."""
    return _call("SELECT points_waive(%s, %s, %s)", shortfall.pk, agreed, by.pk)[0][0]


def hold(*, retiree: Retiree, cycles: Iterable[Cycle]) -> None:
    """Locks cycles, then the person's accounts, for who moves points in several of them."""
    _call("SELECT points_hold_cycles(%s::bigint[])", [cycle.pk for cycle in cycles])
    _held(Account.objects.filter(retiree=retiree))


@transaction.atomic
def freeze(*, retiree: Retiree, why: str) -> int:
    """Closes a person's accounts until the office rules about them; how many were open."""
    accounts = _held(Account.objects.filter(retiree=retiree, frozen_at=None))
    return accounts.update(frozen_at=timezone.now(), frozen_why=why[:60])


@transaction.atomic
def unfreeze(*, retiree: Retiree) -> int:
    """Opens a person's accounts again; how many were closed. A ruling that still waits was about
    the closed account: it goes, or it would be agreed to after the next departure."""
    Settlement.objects.filter(account__retiree=retiree, state=RulingState.WAITING).delete()
    accounts = _held(Account.objects.filter(retiree=retiree).exclude(frozen_at=None))
    return accounts.update(frozen_at=None, frozen_why="")


def _held(accounts: QuerySet[Account]) -> QuerySet[Account]:
    """These accounts, locked in the order of all locks on accounts."""
    found = accounts.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True)
    return Account.objects.filter(pk__in=list(found))


# ---- cycles ------------------------------------------------------------------------------------


def open_cycle(*, year: int, redeem_until: datetime.date | None = None) -> Cycle:
    """The cycle of a year, made when there is none; it may be redeemed until the end of January."""
    found, _ = Cycle.objects.get_or_create(
        year=year,
        defaults={
            "starts_on": datetime.date(year, 1, 1),
            "ends_on": datetime.date(year, 12, 31),
            "redeem_until": redeem_until or datetime.date(year + 1, 1, 31),
        },
    )
    return found


@transaction.atomic
def begin_closing(*, cycle: Cycle) -> Cycle:
    """The year is over: what is late may still come until `redeem_until`."""
    cycle = Cycle.objects.select_for_update(no_key=True).get(pk=cycle.pk)
    if cycle.status == CycleStatus.OPEN:
        if timezone.localdate() <= cycle.ends_on:
            raise CycleClosedError(f"{cycle}还没有结束。")
        cycle.status = CycleStatus.CLOSING
        cycle.save(update_fields=["status"])
    return cycle


def close(
    *,
    cycle: Cycle,
    by: User | None,
    batch: int | None = None,
    on: datetime.date | None = None,
    told: Callable[[int], None] = lambda emptied: None,
) -> Cycle:
    """Carries over and expires what is left, batch by batch, and closes the cycle.

    Booked for the day `on` (today, if none is said); `told` hears after each batch how many
    accounts it has emptied. Killed at any point and begun again it ends in the same state; a
    closed cycle stays as it is. Raises CycleClosedError before its time, NotPublishedError,
    ReservedError, and FrozenError while frozen accounts hold points.
    """
    cycle = Cycle.objects.get(pk=cycle.pk)
    if cycle.status == CycleStatus.CLOSED:
        return cycle
    batch, on = batch or settings.POINTS_BATCH, on or timezone.localdate()
    # The next cycle is opened with the first batch: refused, nothing has happened.
    with transaction.atomic():
        following = open_cycle(year=cycle.year + 1)
        last, emptied = _close_some(cycle, following, 0, batch, on, by)
    while last is not None:
        told(emptied)
        last, emptied = _close_some(cycle, following, last, batch, on, by)
    return _closed(cycle)


def _close_some(cycle, following, after: int, batch: int, on, by) -> tuple[int | None, int]:
    statement = "SELECT * FROM points_close(%s, %s, %s, %s, %s, %s, %s, %s)"
    values = (cycle.pk, following.pk, after, batch, on, *_now(), _pk(by))
    return _call(statement, *values)[0]


def _closed(cycle: Cycle) -> Cycle:
    """Another worker may have been quicker: a closed cycle is what was wanted."""
    with _refusals(), transaction.atomic():
        cycle = Cycle.objects.select_for_update(no_key=True).get(pk=cycle.pk)
        if cycle.status != CycleStatus.CLOSED:
            cycle.status = CycleStatus.CLOSED
            cycle.save(update_fields=["status"])
    return cycle
