"""Care for people: visits, stays in hospital, birthdays, hardship; entered, mended, taken back."""

import datetime

from django.db import transaction
from django.utils import timezone

from cadres.jobs import RefusedError
from cadres.models import CareKind, CareRecord, Retiree, Status, User
from cadres.names import some_of
from cadres.roles import is_office

#: What befalls one person alone is not entered for many at once.
FOR_MANY = (CareKind.VISIT, CareKind.BIRTHDAY, CareKind.HARDSHIP)


class CareRefusedError(RefusedError):
    """The record of care is not written; the text says why."""


@transaction.atomic
def record_care(
    *,
    retiree: Retiree,
    kind: str,
    on: datetime.date,
    by: User | None,
    until: datetime.date | None = None,
    place: str = "",
    visitors: str = "",
    given: str = "",
    words: str = "",
) -> CareRecord:
    """Writes down what was done for a person, or befell them, on a day.

    The same, sent twice, is written once. Raises CareRefusedError for a day that cannot be, and
    for another record of that kind on that day; a death comes through branches.departures.
    """
    person = Retiree.objects.select_for_update(no_key=True).get(pk=retiree.pk)
    _refuse_days(person, kind, on, until)
    said = {"until": until, "place": place, "visitors": visitors, "given": given, "words": words}
    known = person.care_records.filter(kind=kind, on=on).first()
    if known and all(getattr(known, name) == value for name, value in said.items()):
        return known
    _refuse_second(person, known)
    return CareRecord.objects.create(retiree=person, kind=kind, on=on, entered_by=by, **said)


@transaction.atomic
def record_care_for_many(
    *,
    people,
    kind: str,
    on: datetime.date,
    by: User | None,
    place: str = "",
    visitors: str = "",
    given: str = "",
    words: str = "",
) -> tuple[list[CareRecord], list[Retiree]]:
    """One visit to many, in three statements: the records made, and who had one that day already.

    Raises CareRefusedError, naming people, for a day that cannot be.
    """
    if kind not in FOR_MANY:
        raise CareRefusedError("住院和去世请一位一位登记。")
    ids = people.order_by().values("pk")
    held = list(
        Retiree.objects.select_for_update(no_key=True)
        .filter(pk__in=ids)
        .order_by("name_pinyin", "pk")
    )
    for person in held:
        _refuse_days(person, kind, on, None)
    known = CareRecord.objects.filter(retiree__in=held, kind=kind, on=on)
    done = set(known.values_list("retiree_id", flat=True))
    said = {"place": place, "visitors": visitors, "given": given, "words": words}
    made = CareRecord.objects.bulk_create(
        CareRecord(retiree=person, kind=kind, on=on, entered_by=by, **said)
        for person in held
        if person.pk not in done
    )
    return made, [person for person in held if person.pk in done]


def may_amend(record: CareRecord, user: User) -> bool:
    """The office, and who entered it; a death is mended where it was registered."""
    if record.kind == CareKind.DEATH or record.is_void:
        return False
    return is_office(user) or record.entered_by_id == user.pk


@transaction.atomic
def amend_care(
    *,
    record: CareRecord,
    kind: str,
    on: datetime.date,
    by: User,
    until: datetime.date | None = None,
    place: str = "",
    visitors: str = "",
    given: str = "",
    words: str = "",
) -> CareRecord:
    """Puts a record right, the day of leaving hospital among the rest.

    Raises CareRefusedError for whom `may_amend` does not allow, for a day that cannot be, and
    when the person has another record of that kind on that day.
    """
    person, record = _held(record, by)
    if kind == CareKind.DEATH:
        raise CareRefusedError("去世请在“登记去世或转出”一页登记。")
    _refuse_days(person, kind, on, until)
    _refuse_second(
        person, person.care_records.filter(kind=kind, on=on).exclude(pk=record.pk).first()
    )
    said = {"kind": kind, "on": on, "until": until, "place": place, "visitors": visitors}
    for name, value in (said | {"given": given, "words": words}).items():
        setattr(record, name, value)
    record.save()
    return record


@transaction.atomic
def void_care(*, record: CareRecord, reason: str, by: User) -> CareRecord:
    """Takes a record back that should not be; it is kept, with the reason. Twice is once.

    Raises CareRefusedError without a reason, and for whom `may_amend` does not allow.
    """
    if not reason.strip():
        raise CareRefusedError("请写明为什么撤销。")
    if CareRecord.everything.filter(pk=record.pk, is_void=True).exists():
        return record
    _, record = _held(record, by)
    return _void(record, reason)


@transaction.atomic
def void_death(*, retiree: Retiree, reason: str) -> None:
    """The record that goes with a death whose registration is taken back."""
    for record in retiree.care_records.filter(kind=CareKind.DEATH):
        _void(record, reason)


def _void(record: CareRecord, reason: str) -> CareRecord:
    record.is_void, record.void_reason = True, reason.strip()[:200]
    record.save(update_fields=["is_void", "void_reason"])
    return record


def _held(record: CareRecord, by: User) -> tuple[Retiree, CareRecord]:
    """The person, held until the end of the transaction, and the record as it is by now."""
    person = Retiree.objects.select_for_update(no_key=True).get(pk=record.retiree_id)
    record = CareRecord.everything.select_related("entered_by").get(pk=record.pk)
    if not may_amend(record, by):
        raise CareRefusedError("这一条不能改：只有办公室和登记的人可以改，去世的登记要另外撤销。")
    return person, record


def _refuse_second(person: Retiree, known: CareRecord | None) -> None:
    if known:
        raise CareRefusedError(
            f"{person}在 {known.on:%Y-%m-%d} 已经登记过“{known.get_kind_display()}”，"
            "要补充或改正，请打开那一条来改。"
        )


def _refuse_days(
    person: Retiree, kind: str, on: datetime.date, until: datetime.date | None
) -> None:
    today, left = timezone.localdate(), person.died_on or person.moved_away_on
    if on > today or (until and until > today):
        raise CareRefusedError("这个日期还没有到，请填今天或更早的日期。")
    if person.birth_date and on.isoformat() < person.birth_date:
        raise CareRefusedError(f"日期早于{person}的出生日期，请核对。")
    if kind == CareKind.DEATH:
        _refuse_death(person, on)
    elif left and on > left:
        raise CareRefusedError(
            f"{person}已登记{person.get_status_display()}，日期不能晚于 {left:%Y-%m-%d}。"
        )
    if until and (kind != CareKind.HOSPITAL or until < on):
        raise CareRefusedError("出院日期只用于住院，不能早于入院日期。")


def _refuse_death(person: Retiree, on: datetime.date) -> None:
    """The record only goes with what the person's own row says."""
    if person.status != Status.DECEASED or person.died_on != on:
        raise CareRefusedError("去世请在“登记去世或转出”一页登记。")


def already_recorded(people: list[Retiree]) -> str:
    """Who was skipped, in words; nothing for nobody."""
    if not people:
        return ""
    return f"这一天已经登记过、没有重复登记的：{some_of([str(p) for p in people], 30)}。"
