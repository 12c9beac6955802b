"""The office's part of redemption: planning days, stocking and opening them, ending past ones."""

import datetime
import logging
import uuid
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.formats import date_format

from cadres.jobs import RefusedError
from cadres.models import Retiree, User
from points.models import (
    Account,
    Cycle,
    DayStatus,
    DayStock,
    Redemption,
    RedemptionDay,
    RedemptionState,
    Reward,
    Transfer,
)
from points.redemption import finish, locked

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wanted:
    """How much of a reward is brought to a day (None: not at all), its limit and price."""

    reward: Reward
    brought: int | None
    per_person: int | None
    points: int


def cycle_of(date: datetime.date, chosen: Cycle | None) -> Cycle:
    """The cycle whose points a day takes: that of its year, or an older one still redeemable.

    Raises RefusedError when the day does not lie in the chosen cycle's life.
    """
    today = timezone.localdate()
    movable = Cycle.objects.movable(today)
    found = movable.filter(pk=chosen.pk).first() if chosen else movable.holding(date).first()
    if found is None:
        raise RefusedError("这一天所在的年度没有可用的积分周期，请改日期或另选年度。")
    if not found.starts_on <= date <= found.redeem_until:
        until = date_format(found.redeem_until)
        raise RefusedError(f"{found}的积分只能兑换到 {until}，请改日期或另选年度。")
    return found


def stock(*, day: RedemptionDay, wanted: list[Wanted]) -> None:
    """Sets what a day brings; what has been taken already cannot be taken away again."""
    try:
        with transaction.atomic():
            day = may_change(day)
            known = {stock.reward_id: stock for stock in day.stocks.all()}
            for line in wanted:
                _stock_one(day, known.get(line.reward.pk), line)
    except IntegrityError as error:
        if "day_stock_never_below_zero" in str(error):
            raise RefusedError("刚才有人预约，带来的份数已不够，请核对后再存。") from None
        raise


def _stock_one(day: RedemptionDay, stock: DayStock | None, line: Wanted) -> None:
    if stock is None:
        if line.brought is not None:
            DayStock.objects.create(
                day=day, reward=line.reward, brought=line.brought, per_person=line.per_person,
                points=line.points, value=line.reward.value,
            )  # fmt: skip
        return
    brought = line.brought or 0
    if brought < stock.taken:
        words = f"{line.reward}已约出 {stock.taken} 份，带来的不能少于这个数。"
        raise RefusedError(words)
    stock.brought, stock.per_person, stock.points = brought, line.per_person, line.points
    if not stock.taken or stock.value is None:  # what is taken keeps the price it had
        stock.value = line.reward.value
    stock.save(update_fields=["brought", "per_person", "points", "value"])


def may_change(day: RedemptionDay) -> RedemptionDay:
    """The day, held until the transaction ends. Raises RefusedError when it is over."""
    day = locked(day)
    if day.status in (DayStatus.DONE, DayStatus.CANCELLED):
        raise RefusedError(f"这一场{day.get_status_display()}，不能再改。")
    return day


@transaction.atomic
def open_day(*, day: RedemptionDay) -> RedemptionDay:
    """Lets people reserve; again: nothing."""
    day = locked(day)
    if day.status == DayStatus.OPEN:
        return day
    may_change(day)
    if not day.stocks.filter(brought__gt=0).exists():
        raise RefusedError("请先填这一场带来哪些物品、各多少份。")
    if day.date < timezone.localdate():
        raise RefusedError("兑换日已经过了，请先改日期。")
    day.status = DayStatus.OPEN
    day.save(update_fields=["status"])
    return day


def finish_past(*, today: datetime.date) -> int:
    """Ends every day whose date is past; how many. Runs every night."""
    past = RedemptionDay.objects.filter(
        date__lt=today, status__in=[DayStatus.PLANNED, DayStatus.OPEN]
    )
    done = 0
    for day in past.order_by("date", "pk"):
        try:
            finish(day=day, by=None)
            done += 1
        except RefusedError as refusal:  # the others are ended all the same
            logger.error("day %s is not ended: %s", day.pk, type(refusal).__name__)
    return done


# ---- for the pages -----------------------------------------------------------------------------


def form_key(*, user: User, retiree: Retiree, day: RedemptionDay) -> uuid.UUID:
    """The key of the form with which a user takes something for a person on a day.

    It stays the same until the person has one redemption more: a form that is sent twice, sent
    again after going back, or open in two tabs, is one and the same wish. Keyed, so that nobody
    can use up somebody else's.
    """
    had = Redemption.objects.filter(day=day, retiree=retiree).count()
    told = f"{user.pk}:{retiree.pk}:{day.pk}:{had}"
    return uuid.UUID(bytes=salted_hmac("points.redemption", told, algorithm="sha256").digest()[:16])


def balance_of(retiree: Retiree, cycle: Cycle) -> int:
    account = Account.objects.filter(retiree=retiree, cycle=cycle).first()
    return account.balance if account else 0


def balance_after(redemption: Redemption) -> int:
    """What was left when the points of a redemption had been spent."""
    account = redemption.transfer.from_account_id
    moved = Transfer.objects.filter(pk__lte=redemption.transfer_id)
    came = moved.filter(to_account=account).aggregate(sum=Sum("amount"))["sum"] or 0
    went = moved.filter(from_account=account).aggregate(sum=Sum("amount"))["sum"] or 0
    return came - went


def coming_for(retiree: Retiree) -> dict:
    """What a person's own pages say: the days to come, and what is reserved.

    Who has died or moved away can reserve nothing more, so no day is theirs.
    """
    days = RedemptionDay.objects.coming(timezone.now()).select_related("cycle")
    days = days.prefetch_related("stocks__reward").order_by("date", "id")
    reserved = Redemption.objects.filter(retiree=retiree, state=RedemptionState.RESERVED)
    return {
        "coming_days": list(days) if retiree.status == "active" else [],
        "reserved": list(reserved.with_lines().order_by("day__date", "id")),
    }
