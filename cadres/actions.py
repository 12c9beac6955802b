"""What happens to people across several tables: registered, moved, put into another class."""

import datetime

from django.db import transaction

from cadres.jobs import RefusedError
from cadres.masking import digest
from cadres.models import ClassChange, Community, Residence, Retiree, Status, Township, User

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
    retiree.save(force_insert=True)
    move(retiree=retiree, township=township, community=community, address=address, on=on, by=by)
    if activity_class:
        reclassify(retiree=retiree, activity_class=activity_class, on=on, reason="新登记", by=by)
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
    Retiree.objects.select_for_update().get(pk=retiree.pk)
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
    reason: str,
    by: User | None,
    source: str = DESK,
) -> ClassChange:
    """Puts a person into an activity class from a day on and writes the ledger of it.

    Raises ReclassifyRefusedError for the class the person is in, and for a day before the last
    change.
    """
    held = Retiree.objects.select_for_update().get(pk=retiree.pk)
    if held.activity_class == activity_class:
        raise ReclassifyRefusedError(f"{held}已经是“{held.get_activity_class_display()}”。")
    last = retiree.class_changes.first()
    if last and on < last.effective_from:
        raise ReclassifyRefusedError(
            f"生效日期不能早于上一次变动的 {last.effective_from:%Y-%m-%d}。"
        )
    retiree.activity_class = activity_class
    retiree.save(update_fields=["activity_class", "updated_at"])
    return ClassChange.objects.create(
        retiree=retiree,
        activity_class=activity_class,
        effective_from=on,
        reason=reason,
        source=source,
        decided_by=by,
    )


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
    """The person is looked after elsewhere from a day on."""
    if retiree.status == Status.DECEASED:
        raise StatusRefusedError(f"{retiree}已登记去世，不能转出。")
    retiree.status, retiree.moved_away_on = Status.MOVED_AWAY, on
    retiree.save(update_fields=["status", "moved_away_on", "updated_at"])
    return retiree
