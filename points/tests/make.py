"""Plain makers of cycles, causes and balances."""

import datetime
import io
import itertools

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from cadres.models import Retiree, User
from cadres.tests.make import make_retiree
from points import ledger, notices, pictures
from points.models import (
    Account,
    Cycle,
    DayStock,
    Posting,
    PublicNotice,
    RedemptionDay,
    Reward,
    Rule,
)

_numbers = itertools.count(1)
DAY = datetime.date(2025, 3, 1)


def make_cycle(year: int = 2025, **fields) -> Cycle:
    """A cycle that is open to this day, unless told otherwise."""
    cycle = ledger.open_cycle(
        year=year, redeem_until=fields.pop("redeem_until", datetime.date(2099, 1, 31))
    )
    if fields:
        Cycle.objects.filter(pk=cycle.pk).update(**fields)
    return Cycle.objects.get(pk=cycle.pk)


def published(cycle: Cycle) -> Cycle:
    """A year that is over and whose rollover is published, without its notice."""
    cycle = ledger.begin_closing(cycle=cycle)
    if cycle.published_at is None:
        cycle.published_at = timezone.now()
        cycle.save(update_fields=["published_at"])
    return cycle


def make_rule(code: str = "", **fields) -> Rule:
    """A rule that is none of the county's seventeen, 2 points without a cap."""
    fields = {
        "name": "测试规则", "direction": "award", "points": 2, "per": "次",
        "valid_from": datetime.date(2020, 1, 1), "verified_by": "老干部局", "cause": "测试",
        "credited": "本人",
    } | fields  # fmt: skip
    return Rule.objects.create(code=code or f"test_{next(_numbers)}", **fields)


def awarded(
    retiree: Retiree, points: int, *, on: datetime.date = DAY, by: User | None = None
) -> Posting:
    """So many points for a person, by a rule of one point."""
    rule = Rule.objects.filter(code="test_one").first() or make_rule("test_one", points=1)
    return ledger.award(
        source=f"test:{next(_numbers)}", retiree=retiree, code=rule.code, on=on, by=by, units=points
    )


def make_rich(points: int = 100, **fields) -> Retiree:
    """A person with points in the cycle of 2025."""
    make_cycle()
    retiree = make_retiree(**fields)
    awarded(retiree, points)
    return retiree


def balance(retiree: Retiree, year: int = 2025) -> int:
    account = Account.objects.filter(retiree=retiree, cycle__year=year).first()
    return account.balance if account else 0


def make_day(date: datetime.date = DAY, **fields) -> RedemptionDay:
    """A day that is open for reservations, in the cycle of its year."""
    fields = {
        "cycle": make_cycle(date.year), "opens_at": datetime.time(9),
        "closes_at": datetime.time(16, 30),
        "place": "老年大学一楼", "status": "open",
    } | fields  # fmt: skip
    return RedemptionDay.objects.create(date=date, **fields)


def make_stock(
    day: RedemptionDay, name: str, points: int, *, brought: int, per_person: int | None = None
) -> DayStock:
    reward, _ = Reward.objects.get_or_create(name=name, defaults={"points": points})
    return DayStock.objects.create(
        day=day, reward=reward, points=points, brought=brought, per_person=per_person,
        value=reward.value,
    )  # fmt: skip


def make_notice(cycle: Cycle, by: User, quarter: int = 1) -> PublicNotice:
    """A published notice of a quarter with one person in it, whenever points were booked."""
    made = notices.make(cycle=cycle, quarter=quarter, with_names=False, homes={}, by=by)
    totals = made.snapshot["totals"] | {"people": made.snapshot["totals"]["people"] or 1}
    PublicNotice.objects.filter(pk=made.pk).update(snapshot=made.snapshot | {"totals": totals})
    return notices.publish(notice=made, by=by)


def image(kind: str = "PNG", size: tuple[int, int] = (40, 30), **more) -> SimpleUploadedFile:
    """An uploaded picture, red all over."""
    out = io.BytesIO()
    Image.new("RGB", size, "#8e1616").save(out, kind, **more)
    return SimpleUploadedFile(f"x.{kind.lower()}", out.getvalue(), "image/x")


def make_picture() -> str:
    """The name of a picture that is kept."""
    return pictures.keep(pictures.redrawn(image()))
