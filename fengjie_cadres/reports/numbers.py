"""What the home page says of all people: counted for the page, or stored where they are very many.

The county's 1,878 people are counted at once. Beyond LIVE_UP_TO the worker counts every few
minutes and the page says when; a worker that has stopped leaves nothing stale behind: what is not
fresh is not shown, and the page counts for itself again.
"""

import datetime
from collections.abc import Iterator

from django.db.models import Case, Count, Q, Value, When
from django.utils import timezone

from cadres.forms import AGE_BANDS, UNCLASSED, PeopleFilter
from cadres.models import PARTY_MEMBERS, Absence, Retiree, StoredFigures
from cadres.models.people import old_enough
from cadres.review_list import due_conditions, due_people
from fengjie_cadres.reports.figures import FIGURES

LIVE_UP_TO = 20_000
FRESH = datetime.timedelta(minutes=15)
UNKNOWN_AGE = ""
_COUNTY = "county"


def refresh() -> bool:
    """Counts and stores, where there are so many people; else nothing is stored."""
    if Retiree.objects.count() <= LIVE_UP_TO:
        StoredFigures.objects.all().delete()
        return False
    now, day = timezone.now(), timezone.localdate()
    numbers = {"groups": groups(day), "trend": trend(day), "due": due(day), "day": f"{day}"}
    StoredFigures.objects.update_or_create(
        name=_COUNTY, defaults={"numbers": numbers, "counted_at": now}
    )
    return True


def stored() -> StoredFigures | None:
    """Today's stored numbers: `groups`, `trend` and `due`; None when the page counts itself."""
    found = StoredFigures.objects.filter(
        name=_COUNTY, counted_at__gte=timezone.now() - FRESH, numbers__day=f"{timezone.localdate()}"
    )
    return found.first()


def groups(on: datetime.date) -> list[dict]:
    """People by place, class, party and age band: some hundred groups, one walk through them."""
    return list(_grouped(on))


def _grouped(on: datetime.date) -> Iterator[dict]:
    lowest = [(band, int(band.split("-")[0])) for band in reversed(AGE_BANDS)]
    known = ~Q(birth_date="")
    bands = [When(known & (old_enough(low, on) if low else Q()), Value(b)) for b, low in lowest]
    found = (
        PeopleFilter(FIGURES["retirees"].asked(on))
        .filter(Retiree.objects.all())
        .order_by()
        .annotate(
            band=Case(*bands, default=Value(UNKNOWN_AGE)),
            is_member=Q(political_status__in=PARTY_MEMBERS),
        )
        .values("township_then", "class_then", "band", "is_member")
        .annotate(people=Count("pk"))
    )
    for group in found:
        yield group | {"class_then": group["class_then"] or UNCLASSED}


def trend(on: datetime.date) -> dict[str, int]:
    """What has happened to the people since the year began: came in, died, moved away, returned.

    Who moved away and came back counts in both; who then died, only there.
    """
    within = (on.replace(month=1, day=1), on)
    absences = Absence.objects.order_by().values("retiree_id")
    came, died = Q(registered_on__range=within), Q(died_on__range=within)
    moved = Q(moved_away_on__range=within) | Q(pk__in=absences.filter(since__range=within))
    returned = Q(pk__in=absences.filter(until__range=within))
    alive = Q(died_on=None) | Q(died_on__gt=on)
    return Retiree.objects.filter(came | died | moved | returned).aggregate(
        came=Count("pk", filter=came),
        died=Count("pk", filter=died),
        moved=Count("pk", filter=moved & alive),
        returned=Count("pk", filter=returned & alive),
    )


def due(on: datetime.date) -> int:
    """How many people's classes are due to be looked at."""
    return due_people(Retiree.objects.active(), due_conditions(on)).count()
