"""Redemption in the demo county: two past days, today and one to come, of the points of 2025."""

import datetime
import uuid
from itertools import islice

from django.utils import timezone

from cadres.models import Retiree, User
from points import days, redemption
from points.days import Wanted
from points.models import Cycle, DayStatus, RedemptionDay, Reward

PLACES = [
    (datetime.date(2025, 6, 20), "县老年大学一楼大厅"),
    (datetime.date(2025, 10, 17), "夔州街道便民服务中心"),
]
#: Reward → how many are brought, and how many one person may take.
BROUGHT = {
    "香皂": (60, 2), "软毛牙刷": (60, 2), "洗手液": (20, 1), "大米5公斤": (30, 1),
    "食用油1.8升": (20, 1), "电热水壶": (2, 1), "理发一次": (20, 1), "代办代购一次": (20, None),
}  # fmt: skip
#: Yuan, for the audit's list.
VALUES = {
    "香皂": "4.50", "软毛牙刷": "4.00", "洗手液": "11.80", "洗衣液": "23.90", "抽纸一提": "35.00",
    "大米5公斤": "29.90", "食用油1.8升": "36.50", "电热水壶": "99.00", "书籍一册": "28.00",
}  # fmt: skip
CHEAP = ["香皂", "软毛牙刷", "代办代购一次"]
RESERVED_TODAY = 3
_NAMES = uuid.UUID("5f0d3c86-5a5b-4c2e-9a5e-0d2f6f0e2025")


def load_redemptions(cycle: Cycle, people: list[int], users: dict[str, User]) -> None:
    """Some took something at once, some had reserved, a few never came; others reserve now;
    the till of today's day can be tried at once."""
    for name, value in VALUES.items():
        Reward.objects.filter(name=name).update(value=value)
    found = list(Retiree.objects.filter(pk__in=people).order_by("pk"))
    half = len(found) // 2
    for (date, place), visitors in zip(PLACES, (found[:half], found[half:]), strict=True):
        _past(_day(cycle, date, place, users["staff"]), visitors, users["staff"])
    coming = timezone.localdate() + datetime.timedelta(days=5)
    coming += datetime.timedelta(days=(4 - coming.weekday()) % 7)  # a Friday
    day = _day(cycle, coming, PLACES[0][1], users["staff"])
    for place, person in enumerate(found[::6]):
        _reserve(day, person, CHEAP[place % 3], users["staff"])
    today = _day(cycle, timezone.localdate(), PLACES[1][1], users["staff"])
    made = (_reserve(today, person, CHEAP[0], users["staff"]) for person in found[1:])
    list(islice(filter(None, made), RESERVED_TODAY))


def _day(cycle: Cycle, date: datetime.date, place: str, staff: User) -> RedemptionDay:
    day = RedemptionDay.objects.create(
        cycle=cycle, date=date, opens_at="09:00", closes_at="16:30", place=place
    )
    day.operators.add(staff)
    rewards = Reward.objects.in_bulk(list(BROUGHT), field_name="name")
    wanted = [
        Wanted(rewards[name], brought, limit, rewards[name].points)
        for name, (brought, limit) in BROUGHT.items()
        if name in rewards
    ]
    days.stock(day=day, wanted=wanted)
    day.status = DayStatus.OPEN  # `open_day` refuses a day that is past
    day.save(update_fields=["status"])
    return day


def _wish(day: RedemptionDay, person: Retiree, name: str, by: User) -> dict:
    stock = day.stocks.get(reward__name=name)
    key = uuid.uuid5(_NAMES, f"{day.date}:{person.pk}")
    return {"key": key, "day": day, "retiree": person, "basket": {stock.pk: 1}, "by": by}


def _can_pay(day: RedemptionDay, person: Retiree, name: str) -> bool:
    price = day.stocks.get(reward__name=name).points
    return days.balance_of(person, day.cycle) >= price


def _reserve(day: RedemptionDay, person: Retiree, name: str, by: User):
    """Reserved before the day, whatever the hour at which the demo is loaded."""
    eve = min(timezone.localdate(), day.date - datetime.timedelta(days=1))
    if _can_pay(day, person, name):
        return redemption.reserve(**_wish(day, person, name, by), on=eve)
    return None


def spend_all(cycle: Cycle, person: Retiree, by: User) -> None:
    """As many errands as the points pay for, at the last of the past days, on paper."""
    day = RedemptionDay.objects.get(cycle=cycle, date=PLACES[-1][0])
    stock = day.stocks.get(reward__name="代办代购一次")
    basket = {stock.pk: days.balance_of(person, cycle) // stock.points}
    key = uuid.uuid5(_NAMES, f"{day.date}:{person.pk}:all")
    redemption.serve(key=key, day=day, retiree=person, basket=basket, by=by, is_late=True)


def _past(day: RedemptionDay, visitors: list[Retiree], staff: User) -> None:
    for place, person in enumerate(visitors):
        name = CHEAP[place % 3]
        if place % 2 and _can_pay(day, person, name):
            redemption.serve(**_wish(day, person, name, staff))
        elif reserved := _reserve(day, person, name, staff):
            _fetch(reserved, place, staff)
    if day.date <= timezone.localdate():
        redemption.finish(day=day, by=staff)


def _fetch(reserved, place: int, staff: User) -> None:
    """Every fourth never comes, now and then a daughter does."""
    if place % 4:
        whom = {"collector": "家属王某", "relation": "女儿"} if place % 6 == 0 else {}
        redemption.collect(redemption=reserved, by=staff, **whom)
