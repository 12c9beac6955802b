"""What happens to people across several tables: registered, moved, put into another class."""

import datetime

from django.db import transaction
from django.utils import timezone

from cadres.jobs import RefusedError
from cadres.masking import digest
from cadres.models import (
    Absence,
    ActivityClass,
    Announcement,
    ClassChange,
    ClassReason,
    Community,
    Residence,
    Retiree,
    Status,
    Township,
    User,
)

DESK = "工作人员登记"


class MoveRefusedError(RefusedError):
    """The place of residence cannot begin on this day."""


class ReclassifyRefusedError(RefusedError):
    """The activity class cannot change on this day."""


class StatusRefusedError(RefusedError):
    """The person cannot leave the roster on this day."""


@transaction.atomic
def register(
    *,
    retiree: Retiree,
    township: Township | None,
    community: Community | None,
    address: str,
    activity_class: str,
    on: datetime.date,
    by: User,
) -> Retiree:
    """Takes a new person in, with a place of residence and, when it is known, a class."""
    retiree.registered_on = on
    retiree.save(force_insert=True)
    move(retiree=retiree, township=township, community=community, address=address, on=on, by=by)
    if activity_class:
        reclassify(
            retiree=retiree,
            activity_class=activity_class,
            on=on,
            by=by,
            reason_kind=ClassReason.FIRST,
        )
    return retiree


@transaction.atomic
def move(
    *,
    retiree: Retiree,
    township: Township | None,
    community: Community | None,
    address: str,
    on: datetime.date,
    by: User,
) -> Residence | None:
    """Gives a person another place of residence from a day on; the same one changes nothing.

    A residence that began on that very day is corrected. Nothing known: the current one ends.
    Raises MoveRefusedError when the day lies before what is already recorded.
    """
    if community and (township is None or community.township_id != township.pk):
        raise MoveRefusedError(f"{community}不属于所选的乡镇(街道)。")
    Retiree.objects.select_for_update(no_key=True).get(pk=retiree.pk)
    current = retiree.residences.current().first()
    home = {
        "township": township,
        "community": community,
        "address": address,
        "address_digest": digest(address),
    }
    if current and all(getattr(current, name) == value for name, value in home.items()):
        return current
    _refuse_before(retiree, current, on)
    for name, value in home.items():
        setattr(retiree, name, value)
    retiree.save(update_fields=[*home, "updated_at"])
    return _record_home(retiree, current, home, on)


def _refuse_before(retiree: Retiree, current: Residence | None, on: datetime.date) -> None:
    last = current or retiree.residences.first()
    if last and on < (last.until or last.since):
        day = last.until or last.since
        raise MoveRefusedError(f"居住地变更日期不能早于上一次记录的 {day:%Y-%m-%d}。")


def _record_home(
    retiree: Retiree, current: Residence | None, home: dict, on: datetime.date
) -> Residence | None:
    if current and current.since == on:
        Residence.objects.filter(pk=current.pk).update(**home, source=DESK)
        current.refresh_from_db()
        return current
    if current:
        current.until = on
        current.save(update_fields=["until"])
    if not (home["township"] or home["address"]):
        return None
    return Residence.objects.create(retiree=retiree, **home, since=on, source=DESK)


@transaction.atomic
def reclassify(
    *,
    retiree: Retiree,
    activity_class: str,
    on: datetime.date,
    by: User | None,
    reason_kind: str = ClassReason.OTHER,
    reason: str = "",
    until: datetime.date | None = None,
    source: str = DESK,
) -> ClassChange:
    """Puts a person into an activity class from a day on and writes the ledger of it.

    With `until` the class is temporary and falls back by itself on that day. Raises
    ReclassifyRefusedError for the class the person is in, and for a day before the last change.
    """
    people = Retiree.objects.filter(pk=retiree.pk)
    changes = reclassify_many(
        people=people,
        activity_class=activity_class,
        on=on,
        by=by,
        reason_kind=reason_kind,
        reason=reason,
        until=until,
        source=source,
    )
    if not changes:
        label = ActivityClass(activity_class).label
        raise ReclassifyRefusedError(f"{retiree}已经是“{label}”。")
    retiree.activity_class = activity_class
    return changes[0]


@transaction.atomic
def reclassify_many(
    *,
    people,
    activity_class: str,
    on: datetime.date,
    by: User | None,
    reason_kind: str = ClassReason.OTHER,
    reason: str = "",
    until: datetime.date | None = None,
    source: str = DESK,
    reasons: dict[int, str] | None = None,
) -> list[ClassChange]:
    """Puts every person of a queryset into a class; those who are in it stay as they are.

    A temporary class is another one when it gets another end, or none. `reasons` are the words
    of single people, by key. Five statements, however many people. Raises
    ReclassifyRefusedError, naming people, when the day lies before their last change, or a
    temporary class has nothing to fall back to.
    """
    if on > timezone.localdate():
        raise ReclassifyRefusedError("生效日期不能晚于今天。")
    held = hold(people)
    ends = _ends_of_temporary(held)
    moving = [
        person
        for person in held
        if person.activity_class != activity_class or ends.get(person.pk, until) != until
    ]
    if until and until <= on:
        raise ReclassifyRefusedError("到期日期应晚于生效日期。")
    _refuse_earlier(moving, on)
    if until and (new := [str(p) for p in moving if not p.activity_class]):
        raise ReclassifyRefusedError(f"还没有类别的人不能设临时类别：{some_names(new)}。")
    keys = [person.pk for person in moving]
    Retiree.objects.filter(pk__in=keys).update(
        activity_class=activity_class, updated_at=timezone.now()
    )
    return ClassChange.objects.bulk_create(
        ClassChange(
            retiree=person,
            activity_class=activity_class,
            effective_from=on,
            until=until,
            reason_kind=reason_kind,
            reason=(reasons or {}).get(person.pk, reason)[:200],
            source=source,
            decided_by=by,
        )
        for person in moving
    )


def hold(people) -> list[Retiree]:
    """The people of a queryset, held until the transaction ends; in one order, so none waits."""
    ids = people.order_by().values("pk")
    return list(Retiree.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"))


def _ends_of_temporary(people: list[Retiree]) -> dict[int, datetime.date]:
    """Who is in a class for a time only, and until when."""
    latest = ClassChange.objects.filter(retiree__in=people).order_by(
        "retiree_id", "-effective_from", "-id"
    )
    ends = latest.distinct("retiree_id").values_list("retiree_id", "until")
    return {pk: until for pk, until in ends if until}


def _refuse_earlier(people: list[Retiree], on: datetime.date) -> None:
    later = ClassChange.objects.filter(retiree__in=people, effective_from__gt=on)
    names = list(later.order_by("retiree_id").values_list("retiree__name", flat=True).distinct())
    if names:
        raise ReclassifyRefusedError(f"这些人在 {on:%Y-%m-%d} 以后已有变动：{some_names(names)}。")


def some_names(names: list[str]) -> str:
    """The first ten, and how many they are."""
    return "、".join(names[:10]) + (f"等 {len(names)} 人" if len(names) > 10 else "")


@transaction.atomic
def lapse_temporary_classes(*, on: datetime.date) -> list[ClassChange]:
    """Lets every temporary class that has come to its end fall back, and announces it.

    Not of those who died or moved away: their ledger stays as it was on that day.
    """
    latest = ClassChange.objects.latest_on(on).values("pk")
    ended = ClassChange.objects.filter(
        pk__in=latest, until__lte=on, retiree__status=Status.ACTIVE
    ).select_related("retiree")
    return [_fall_back(change) for change in ended.order_by("pk")]


def _fall_back(ended: ClassChange) -> ClassChange:
    person, day = ended.retiree, ended.until
    before = person.class_changes.filter(until=None).first()  # never another temporary one
    change = reclassify(
        retiree=person,
        activity_class=before.activity_class,
        on=day,
        by=None,
        reason_kind=ClassReason.LAPSED,
        source="到期恢复",
    )
    Announcement.objects.create(
        title=f"{person}恢复为“{change.get_activity_class_display()}”",
        text=f"临时的“{ended.get_activity_class_display()}”已于 {day:%Y-%m-%d} 到期。",
        retiree=person,
    )
    return change


@transaction.atomic
def record_death(*, retiree: Retiree, on: datetime.date, by: User) -> Retiree:
    """Nothing is deleted: the person leaves the roster of the living."""
    if retiree.birth_date and on.isoformat() < retiree.birth_date:
        raise StatusRefusedError("去世日期早于出生日期，请核对。")
    retiree.status, retiree.died_on = Status.DECEASED, on
    retiree.save(update_fields=["status", "died_on", "updated_at"])
    return retiree


@transaction.atomic
def record_moving_away(*, retiree: Retiree, on: datetime.date, by: User) -> Retiree:
    """The person is looked after elsewhere from a day on; where they lived here ends with it."""
    if retiree.status == Status.DECEASED:
        raise StatusRefusedError(f"{retiree}已登记去世，不能转出。")
    if retiree.birth_date and on.isoformat() < retiree.birth_date:
        raise StatusRefusedError("转出日期早于出生日期，请核对。")
    for home in retiree.residences.current():
        home.until = last_day(home, on)
        home.save(update_fields=["until"])
    retiree.status, retiree.moved_away_on = Status.MOVED_AWAY, on
    retiree.township = retiree.community = None
    retiree.address = ""
    retiree.save(update_fields=["status", "moved_away_on", *_HOME, "updated_at"])
    return retiree


_HOME = ("township", "community", "address", "address_digest")


def last_day(entry, on: datetime.date) -> datetime.date:
    """When an entry of a dated ledger ends that ends on a day; one begun later lasts one day."""
    return max(on, entry.since + datetime.timedelta(days=1))


@transaction.atomic
def record_return(*, retiree: Retiree, on: datetime.date, by: User) -> Retiree:
    """Who had moved away lives here again from a day on, where they lived last.

    The time away is kept: figures of a day in it stay as they are. Raises MoveRefusedError when
    the day lies before the end of that residence.
    """
    if retiree.moved_away_on < on:
        Absence.objects.create(retiree=retiree, since=retiree.moved_away_on, until=on)
    retiree.status, retiree.moved_away_on = Status.ACTIVE, None
    retiree.save(update_fields=["status", "moved_away_on", "updated_at"])
    last = retiree.residences.first()
    if last:
        home = {"township": last.township, "community": last.community, "address": last.address}
        move(retiree=retiree, **home, on=on, by=by)
    return retiree


@transaction.atomic
def take_back_status(
    *, retiree: Retiree, status: str, moved_away_on: datetime.date | None, by: User
) -> Retiree:
    """A death or a moving away was registered by mistake: as the person's row said before.

    Where they live is read off their open residence.
    """
    retiree.status, retiree.moved_away_on, retiree.died_on = status, moved_away_on, None
    home = retiree.residences.current().first()
    if home and status == Status.ACTIVE:
        retiree.township, retiree.community = home.township, home.community
        retiree.address = home.address
    retiree.save(update_fields=["status", "moved_away_on", "died_on", *_HOME, "updated_at"])
    return retiree
