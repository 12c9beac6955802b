"""Reserving, handing out and giving back articles for points: the only way in and out.

Points and articles move in one transaction. Whoever changes anything about a day first locks the
day: two tills, or fifty people at the last bag of rice, come one after the other. Should the lock
ever be forgotten, the database's own counts still refuse (points/sql/redemption.sql).
"""

import datetime
import uuid

from django.db import IntegrityError, transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone

from cadres.jobs import RefusedError
from cadres.models import Retiree, Status, User
from points import ledger
from points.models import (
    HELD,
    Account,
    DayStatus,
    DayStock,
    Redemption,
    RedemptionDay,
    RedemptionLine,
    RedemptionState,
)

#: Said of somebody who has died or moved away.
DEPARTED = "这位同志已不在册，账户由负责人处理。"
_RESERVED = {"state": RedemptionState.RESERVED}
_TO_WHOM = ("collector", "relation")


class SoldOutError(RefusedError):
    """Somebody else was quicker."""


class DoneBeforeError(RefusedError):
    """A form has done something else before, or what has been given back since: `found`."""

    def __init__(self, found: Redemption, lines: list[RedemptionLine]):
        done = "、".join(_words(line.stock, line.quantity) for line in lines)
        super().__init__(f"这一单已经办过：{done}（{found.get_state_display()}），这一次没有另办。")
        self.found = found


def reserve(
    *,
    key: uuid.UUID,
    day: RedemptionDay,
    retiree: Retiree,
    basket: dict[int, int],
    by: User,
    on: datetime.date | None = None,
) -> Redemption:
    """Takes articles of a day for a person and spends the points.

    `basket` is stock → how many; `on` the day, up to the redemption's own, of a reservation that
    is typed in later. The same key again is the same redemption, and a DoneBeforeError when that
    would not be what is asked for. Raises SoldOutError, a LedgerRefusedError (not enough points,
    frozen …) or RefusedError (the closing time has passed …), and then nothing has moved.
    """
    return _taken(key, day, retiree, basket, by, _RESERVED, on=on)


def serve(
    *,
    key: uuid.UUID,
    day: RedemptionDay,
    retiree: Retiree,
    basket: dict[int, int],
    by: User,
    collector: str = "",
    relation: str = "",
    is_late: bool = False,
) -> Redemption:
    """Hands out articles at the till at once; see `reserve`.

    `is_late`: it happened on paper and is typed in now, perhaps after the day was finished.
    """
    more = {
        "state": RedemptionState.COLLECTED,
        "ended_by": by,
        "collector": collector,
        "relation": relation,
    }
    _names_the_collector(collector, relation)
    return _taken(key, day, retiree, basket, by, more, is_late)


def collect(
    *, redemption: Redemption, by: User, collector: str = "", relation: str = ""
) -> Redemption:
    """Hands out what was reserved; again: nothing."""
    _names_the_collector(collector, relation)
    with transaction.atomic():
        locked(redemption.day)
        redemption = Redemption.objects.get(pk=redemption.pk)
        if redemption.state == RedemptionState.COLLECTED:
            return redemption
        if redemption.state != RedemptionState.RESERVED:
            raise RefusedError(f"这张兑换单{redemption.get_state_display()}，不能领取。")
        if redemption.retiree.status != Status.ACTIVE and not collector:
            raise RefusedError(f"{redemption.retiree}已不在册，请填写是谁代领。")
        redemption.collector, redemption.relation = collector, relation
        return _end(redemption, RedemptionState.COLLECTED, by)


def cancel(*, redemption: Redemption, by: User, is_office: bool) -> Redemption:
    """Gives articles and points back; again: nothing.

    A retiree, or who acts for them, may cancel until the day and for ten minutes after reserving;
    the office until the day is finished, and what was handed out for ten minutes.
    """
    with transaction.atomic():
        day = locked(redemption.day)
        redemption = Redemption.objects.get(pk=redemption.pk)
        if redemption.state not in HELD:
            return redemption
        may_still = redemption.can_be_undone
        if redemption.state == RedemptionState.RESERVED:
            before = timezone.localdate() < day.date
            may_still |= before or (is_office and day.status != DayStatus.DONE)
        elif not is_office:
            may_still = False
        if not may_still:
            raise RefusedError("已经过了可以取消的时间。请打办公室电话。")
        return _back(redemption, RedemptionState.CANCELLED, by)


def finish(*, day: RedemptionDay, by: User | None) -> int:
    """Ends a day: what was reserved and not collected lapses; how many. Again: nothing."""
    with transaction.atomic():
        day = locked(day)
        if day.status in (DayStatus.DONE, DayStatus.CANCELLED):
            return 0
        if timezone.localdate() < day.date:
            raise RefusedError("兑换日还没有到，不能结束。要停办，请点“取消这一场”。")
        return _closed(day, DayStatus.DONE, RedemptionState.LAPSED, by)


def call_off(*, day: RedemptionDay, by: User) -> int:
    """The day does not take place: every reservation is cancelled; how many."""
    with transaction.atomic():
        day = locked(day)
        if day.status in (DayStatus.DONE, DayStatus.CANCELLED):
            return 0
        if day.redemptions.filter(state=RedemptionState.COLLECTED).exists():
            raise RefusedError("这一场已经有人领取，不能取消，只能结束。")
        return _closed(day, DayStatus.CANCELLED, RedemptionState.CANCELLED, by)


def open_ones(retiree: Retiree) -> QuerySet[Redemption]:
    """What the person has reserved and neither collected nor given back, the next day first."""
    found = Redemption.objects.filter(retiree=retiree, state=RedemptionState.RESERVED)
    return found.with_lines().order_by("day__date", "pk")


@transaction.atomic
def cancel_after(
    *, retiree: Retiree, on: datetime.date, by: User | None, why: str
) -> list[Redemption]:
    """Cancels what somebody who has left had reserved for days after `on`; which ones.

    Days that may still take orders are all held first, so that no reservation slips in between;
    the account is to be frozen in the same transaction. Points come back to a frozen one too.
    """
    _hold_days_after(on)
    found = list(open_ones(retiree).filter(day__date__gt=on))
    if found:
        ledger.hold(retiree=retiree, cycles={one.day.cycle for one in found})
    memo = f"{why}，预约取消"
    return [_back(one, RedemptionState.CANCELLED, by, memo) for one in found]


def check(
    *, key: uuid.UUID, day: RedemptionDay, retiree: Retiree, basket: dict[int, int]
) -> Redemption | None:
    """What the form has reserved already; refuses what could not be reserved now.

    Takes nothing, promises nothing. Raises as `reserve` does.
    """
    if found := Redemption.objects.filter(key=key).first():
        return _the_same(found, day, retiree, basket, _RESERVED)
    _takes_orders(day, is_late=False)
    _takes_reservations(day)
    stocks = _wanted(day, retiree, basket)
    points = sum(stocks[pk].points * quantity for pk, quantity in basket.items())
    account = Account.objects.filter(retiree=retiree, cycle=day.cycle_id).first()
    if account and account.frozen_at:
        raise ledger.FrozenError("账户已冻结，请打办公室电话。")
    balance = account.balance if account else 0
    if points > balance:
        raise ledger.InsufficientPointsError(balance)
    return None


def held(day: RedemptionDay, retiree: Retiree) -> dict[int, int]:
    """Stock → how many the person holds already."""
    lines = RedemptionLine.objects.filter(
        redemption__day=day, redemption__retiree=retiree, redemption__state__in=HELD
    )
    return dict(lines.order_by().values_list("stock").annotate(Sum("quantity")))


# ---- inside ------------------------------------------------------------------------------------


def locked(day: RedemptionDay) -> RedemptionDay:
    """The day, held until the transaction ends: whoever changes anything about it comes next."""
    return RedemptionDay.objects.select_for_update(no_key=True).get(pk=day.pk)


def _hold_days_after(on: datetime.date) -> None:
    ended = (DayStatus.DONE, DayStatus.CANCELLED)
    days = RedemptionDay.objects.filter(date__gt=on).exclude(status__in=ended)
    list(days.select_for_update(no_key=True).order_by("pk"))


def _names_the_collector(collector: str, relation: str) -> None:
    if bool(collector) != bool(relation):
        raise RefusedError("代领要写明代领人和与本人的关系。")


def _taken(key, day, retiree, basket, by, more: dict, is_late=False, on=None) -> Redemption:
    basket = {pk: quantity for pk, quantity in basket.items() if quantity}
    try:
        with transaction.atomic():
            day = locked(day)
            if found := Redemption.objects.filter(key=key).first():
                return _the_same(found, day, retiree, basket, more)
            _takes_orders(day, is_late)
            if more is _RESERVED:
                _takes_reservations(day, on)
            stocks = _wanted(day, retiree, basket)
            now = timezone.now()
            points = sum(stocks[pk].points * quantity for pk, quantity in basket.items())
            number = ledger.spend(
                key=f"points.redemption:{key}", retiree=retiree, cycle=day.cycle, amount=points,
                by=by, memo="、".join(_words(stocks[pk], basket[pk]) for pk in basket),
                on=day.date if is_late else on,
            )  # fmt: skip
            ended = {"ended_at": now} if more["state"] == RedemptionState.COLLECTED else {}
            made = Redemption.objects.create(
                day=day, retiree=retiree, points=points, key=key, transfer_id=number,
                reserved_at=now, reserved_by=by, **more, **ended,
            )  # fmt: skip
            RedemptionLine.objects.bulk_create(
                RedemptionLine(
                    redemption=made, stock_id=pk, quantity=quantity, points=stocks[pk].points
                )
                for pk, quantity in basket.items()
            )
            return made
    except IntegrityError as error:
        if "day_stock_never_below_zero" in str(error):
            raise SoldOutError("已兑完，请换一样。") from None
        if found := Redemption.objects.filter(key=key).first():  # on another day, just now
            return _the_same(found, day, retiree, basket, more)
        raise


def _the_same(found: Redemption, day, retiree, basket: dict[int, int], more: dict) -> Redemption:
    """What a form has done, when that is what it asks for now and it still stands."""
    if (found.day_id, found.retiree_id) != (day.pk, retiree.pk):
        raise RefusedError("这张表单已经用过，请重新打开页面再办。")
    lines = list(found.lines.select_related("stock__reward"))
    stands = found.state in (more["state"], RedemptionState.COLLECTED)
    is_same = all(getattr(found, name) == more[name] for name in _TO_WHOM if name in more)
    if not (stands and is_same and basket == {line.stock_id: line.quantity for line in lines}):
        raise DoneBeforeError(found, lines)
    return found


def _takes_orders(day: RedemptionDay, is_late: bool) -> None:
    if day.status != DayStatus.OPEN and not (is_late and day.status == DayStatus.DONE):
        raise RefusedError(f"这一场{day.get_status_display()}，现在不能兑换。")


def _takes_reservations(day: RedemptionDay, on: datetime.date | None = None) -> None:
    if day.is_over if on is None else on > day.date:
        raise RefusedError("这一场的时间已经过了，不能再预约。")


def _wanted(day: RedemptionDay, retiree: Retiree, basket: dict[int, int]) -> dict[int, DayStock]:
    """The stocks of a basket; refuses what cannot be had."""
    if retiree.status != "active":
        raise RefusedError(DEPARTED)
    if not basket or any(quantity < 0 for quantity in basket.values()):
        raise RefusedError("请先选要兑换的物品。")
    stocks = {s.pk: s for s in day.stocks.select_related("reward").filter(pk__in=basket)}
    if len(stocks) != len(basket):
        raise RefusedError("这一场没有这种物品，请重新选。")
    has = held(day, retiree)
    for pk, quantity in basket.items():
        stock = stocks[pk]
        if stock.left <= 0:
            raise SoldOutError(f"{stock.reward}已兑完，请换一样。")
        if quantity > stock.left:
            raise SoldOutError(f"{stock.reward}只剩 {stock.left} 份。")
        if stock.per_person and has.get(pk, 0) + quantity > stock.per_person:
            raise RefusedError(f"{stock.reward}每人限 {stock.per_person} 份。")
    return stocks


def _words(stock: DayStock, quantity: int) -> str:
    return f"{stock.reward.name}×{quantity}" if quantity > 1 else stock.reward.name


def _end(redemption: Redemption, state: str, by: User | None) -> Redemption:
    redemption.state, redemption.ended_at, redemption.ended_by = state, timezone.now(), by
    redemption.save(update_fields=["state", "ended_at", "ended_by", "collector", "relation"])
    return redemption


def _back(redemption: Redemption, state: str, by: User | None, memo: str = "") -> Redemption:
    memo = memo or ("预约过期未领" if state == RedemptionState.LAPSED else "取消兑换")
    ledger.refund(key=_spent_as(redemption), by=by, memo=memo)
    return _end(redemption, state, by)


def _spent_as(redemption: Redemption) -> str:
    """The ledger's key of what it cost."""
    return f"points.redemption:{redemption.key}"


def _closed(day: RedemptionDay, status: str, state: str, by: User | None) -> int:
    open_ones = list(
        day.redemptions.filter(state=RedemptionState.RESERVED).order_by(
            "transfer__from_account_id", "pk"
        )
    )
    ledger.hold_refunds(keys=map(_spent_as, open_ones))
    for redemption in open_ones:
        _back(redemption, state, by)
    day.status = status
    day.save(update_fields=["status"])
    return len(open_ones)
