"""People as at a day: who was on the roster, in which class, living where; as known now.

A death reported late corrects the past. What has no ledger (name, unit, health) is today's.
"""

import datetime

from django.core.exceptions import ValidationError
from django.db.models import DateField, F, Min, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.formats import date_format

from cadres.models import Absence, ClassChange, Residence, Retiree, Status


def as_at(people: QuerySet, day: datetime.date | None = None) -> QuerySet:
    """The people with `class_then` and `township_then` (a key) as at a day, by default today."""
    if day is None or day >= timezone.localdate():
        return people.annotate(class_then=F("activity_class"), township_then=F("township_id"))
    own = {"retiree": OuterRef("pk")}
    changes = ClassChange.objects.filter(**own, effective_from__lte=day)
    homes = Residence.objects.filter(**own).on(day).order_by("-since", "-pk")
    return people.annotate(
        class_then=Subquery(
            changes.order_by("-effective_from", "-pk").values("activity_class")[:1]
        ),
        township_then=Subquery(homes.values("township_id")[:1]),
    )


def with_status_then(people: QuerySet, status: str, day: datetime.date | None = None) -> QuerySet:
    """Those who had a status at the end of a day: on the roster, moved away, or deceased."""
    if day is None or day >= timezone.localdate():
        return people.filter(status=status)
    away = Absence.objects.on(day).order_by().values("retiree_id")
    died, moved = Q(died_on__lte=day), Q(moved_away_on__lte=day) | Q(pk__in=away)
    people = people.filter(registered_on__lte=day)
    if status == Status.DECEASED:
        return people.filter(died)
    if status == Status.MOVED_AWAY:
        return people.filter(moved).exclude(died)
    return people.exclude(died).exclude(moved)


def read_day(text: str | None) -> datetime.date | None:
    """The day of an address's `on`; None when there is none, or what stands there is no day."""
    try:
        return DateField().to_python(text or None)
    except ValidationError:
        return None


def about_day(text: str | None) -> str:
    """What has to be said of the day of an address's `on`; "" of one that can be counted."""
    day = read_day(text)
    if not text or day == timezone.localdate():
        return ""
    if day is None:
        return "没有这一天，下面是今天的情况。"
    if day > timezone.localdate():
        return "日期不能晚于今天，下面是今天的情况。"
    first = Retiree.objects.aggregate(first=Min("registered_on"))["first"]
    if first is None or day >= first:
        return ""
    return f"系统从{date_format(first)}起有登记，更早的情况数不出来。"
