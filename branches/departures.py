"""Leaving the roster, by death or by moving away: what ends with it, and the two ways back."""

import datetime
from dataclasses import dataclass, field, replace

import pghistory
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format

from branches.actions import serve_by_residence
from branches.models import (
    CommitteeSeat,
    ImportBatch,
    Membership,
    MissingPerson,
    SeatKind,
)
from cadres import actions
from cadres.care import record_care, void_death
from cadres.jobs import RefusedError
from cadres.models import (
    Announcement,
    CareKind,
    ClassChange,
    Residence,
    Retiree,
    Status,
    User,
)
from cadres.roles import Role, has_role
from points.ledger import freeze, unfreeze
from points.models import (
    Account,
    CycleStatus,
    PostingState,
    Redemption,
    RedemptionState,
)
from points.redemption import cancel_after, open_ones

#: How somebody leaves, in a word.
WORDS = {Status.DECEASED: "去世", Status.MOVED_AWAY: "转出"}


class DepartureRefusedError(RefusedError):
    """The departure, or the way back, is not registered; the text says why."""


class AlreadyDepartedError(DepartureRefusedError):
    """The very same departure is registered already."""


@dataclass(frozen=True)
class Consequences:
    """What a departure ends, and the entries that contradict its day."""

    memberships: list[Membership] = field(default_factory=list)
    seats: list[CommitteeSeat] = field(default_factory=list)
    homes: list[Residence] = field(default_factory=list)
    temporary: ClassChange | None = None
    user: User | None = None
    accounts: list[Account] = field(default_factory=list)
    #: Cancelled by the departure; and those of its day or before, which end with their day.
    reservations: list[Redemption] = field(default_factory=list)
    kept_reservations: list[Redemption] = field(default_factory=list)
    later: list[str] = field(default_factory=list)

    @property
    def leaderless(self) -> list[CommitteeSeat]:
        """Secretaries' seats: their branches are left without one."""
        return [seat for seat in self.seats if seat.kind == SeatKind.SECRETARY]


def what_follows(*, retiree: Retiree, kind: str, on: datetime.date) -> Consequences:
    """What registering the departure would end. Writes nothing."""
    today = timezone.localdate()
    holding = Q(until=None) | Q(until__gt=today)
    homes = retiree.residences.current().select_related("township", "community")
    latest = retiree.class_changes.filter(effective_from__lte=today).first()
    accounts = Account.objects.for_retiree(retiree).filter(frozen_at=None)
    reserved = list(open_ones(retiree))
    return Consequences(
        memberships=list(retiree.memberships.filter(holding).select_related("branch")),
        seats=list(retiree.seats.filter(holding).select_related("branch")),
        homes=list(homes) if kind == Status.MOVED_AWAY else [],
        temporary=latest if latest and latest.until else None,
        user=User.objects.filter(retiree=retiree, is_active=True).first(),
        accounts=list(accounts.exclude(cycle__status=CycleStatus.CLOSED)),
        reservations=[one for one in reserved if one.day.date > on],
        kept_reservations=[one for one in reserved if one.day.date <= on],
        later=_later(retiree, on),
    )


def _later(retiree: Retiree, on: datetime.date) -> list[str]:
    """Entries dated after the day, in words: either they are wrong, or the day is."""
    found = [
        (entry.since, f"{entry.get_kind_display()}：{entry.branch}")
        for ledger in (retiree.memberships, retiree.seats)
        for entry in ledger.filter(since__gt=on).select_related("branch")
    ]
    found += [(home.since, "居住地变动") for home in retiree.residences.filter(since__gt=on)]
    changes = retiree.class_changes.filter(effective_from__gt=on)
    found += [(c.effective_from, f"活动类别：{c.get_activity_class_display()}") for c in changes]
    found += [(c.on, c.get_kind_display()) for c in retiree.care_records.filter(on__gt=on)]
    found += _points_later(retiree, on)
    return [f"{date_format(day)} {words}" for day, words in sorted(found)]


def _points_later(retiree: Retiree, on: datetime.date) -> list[tuple[datetime.date, str]]:
    """What earned or cost points, and what was handed out, after the day."""
    counts = (PostingState.POSTED, PostingState.WAITING)
    postings = retiree.postings.filter(occurred_on__gt=on, state__in=counts)
    taken = retiree.redemptions.filter(day__date__gt=on, state=RedemptionState.COLLECTED)
    return [(p.occurred_on, f"积分：{p.rule.name}") for p in postings.select_related("rule")] + [
        (one.day.date, f"领取兑换物品：{one.in_words}") for one in taken.with_lines()
    ]


# ---- leaving ------------------------------------------------------------------------------------


@transaction.atomic
def depart(
    *,
    retiree: Retiree,
    kind: str,
    on: datetime.date,
    by: User,
    place: str = "",
    words: str = "",
    is_checked: bool = False,
    batch: ImportBatch | None = None,
) -> Consequences:
    """Registers a death or a moving away, and ends everything that ends with it.

    Memberships, seats and (when moving away) the residence end on the day, so that before it
    everything stands as it stood; one that began later ends one day after it began, and is only
    ended when `is_checked` says that somebody has looked at the contradiction. With `batch` the
    ruling about somebody missing from that roster is written too.
    Raises AlreadyDepartedError for the second time, DepartureRefusedError or StatusRefusedError
    for a day that cannot be.
    """
    person = _held(retiree)
    _refuse(person, kind, on, by)
    ends = what_follows(retiree=person, kind=kind, on=on)
    if ends.later and not is_checked:
        raise DepartureRefusedError(
            f"日期之后还有登记（{'；'.join(ends.later[:5])}），请核对日期；确实没错的，请勾选“已核对”。"
        )
    with pghistory.context(departure=person.pk):  # one id on all events: what take_back reads
        _leave(person, kind, on, by, place, words)
        _end(ends, on, by)
        cancelled = cancel_after(retiree=person, on=on, by=by, why=WORDS[kind])
        ends = replace(ends, reservations=cancelled)
        freeze(retiree=person, why=WORDS[kind])
    _announce_departure(person, kind, on, by, ends, place)
    if batch:
        MissingPerson.objects.update_or_create(
            batch=batch, retiree=person, defaults={"ruling": kind, "ruled_by": by}
        )
    return ends


def _held(retiree: Retiree) -> Retiree:
    return Retiree.objects.select_for_update(no_key=True).get(pk=retiree.pk)


def _refuse(person: Retiree, kind: str, on: datetime.date, by: User) -> None:
    day = person.died_on if kind == Status.DECEASED else person.moved_away_on
    if person.status == kind:
        said = f"{person}已经登记{WORDS[kind]}（{day:%Y-%m-%d}）"
        if day == on:
            raise AlreadyDepartedError(f"{said}，不用再登记。")
        raise DepartureRefusedError(f"{said}。日期登错的，请先撤销那次登记，再重新登记。")
    if on > timezone.localdate():
        raise DepartureRefusedError("这个日期还没有到，请填今天或更早的日期。")
    if kind == Status.DECEASED and person.moved_away_on and on < person.moved_away_on:
        raise DepartureRefusedError(
            f"{person}在 {person.moved_away_on:%Y-%m-%d} 登记转出，去世日期不能早于这一天。"
        )
    _refuse_account(person, by)


def _refuse_account(person: Retiree, by: User) -> None:
    """Nobody shuts the own account, and only the head the accounts that check on the office."""
    user = User.objects.filter(retiree=person).first()
    if user is None:
        return
    if user.pk == by.pk:
        raise DepartureRefusedError("不能登记自己，请由另一位工作人员登记。")
    above = (Role.OFFICE_HEAD.label, Role.AUDITOR.label)
    is_high = user.is_superuser or user.groups.filter(name__in=above).exists()
    if is_high and not (by.is_superuser or has_role(by, Role.OFFICE_HEAD)):
        raise DepartureRefusedError(f"{person}的账号是负责人或审计的，请由负责人登记。")


def _leave(person: Retiree, kind: str, on: datetime.date, by: User, place: str, words: str) -> None:
    if kind == Status.MOVED_AWAY:
        actions.record_moving_away(retiree=person, on=on, by=by)
        return
    actions.record_death(retiree=person, on=on, by=by)
    record_care(retiree=person, kind=CareKind.DEATH, on=on, by=by, place=place, words=words)


def _end(ends: Consequences, on: datetime.date, by: User) -> None:
    for entry in [*ends.memberships, *ends.seats]:
        entry.until = actions.last_day(entry, on)
        entry.save(update_fields=["until"])
    if ends.user:
        ends.user.is_active = False
        ends.user.save(update_fields=["is_active"])


def _announce_departure(
    person: Retiree, kind: str, on: datetime.date, by: User, ends: Consequences, place: str
) -> None:
    where = f"（转往{place}）" if place and kind == Status.MOVED_AWAY else ""
    day = date_format(on)
    said = [f"{person}已于{day}{WORDS[kind]}{where}，支部的联系服务到这一天为止。"]
    for seat in ends.seats:
        said.append(f"{seat.branch}的{seat.get_kind_display()}一职同时空缺。")
    if ends.reservations:
        days = "、".join(date_format(one.day.date) for one in ends.reservations)
        said.append(f"{days}的兑换预约已取消，积分退回账户。")
    _announce(person, f"{person}{WORDS[kind]}", "".join(said), by)


def _announce(person: Retiree, title: str, text: str, by: User) -> None:
    Announcement.objects.create(title=title[:80], text=text[:300], retiree=person, created_by=by)


# ---- the ways back ------------------------------------------------------------------------------


@transaction.atomic
def come_back(*, retiree: Retiree, on: datetime.date, by: User, reason: str) -> Membership | None:
    """Who had moved away is looked after here again, from a day on; by which branch, if any.

    They live where they lived last, and the branch of that place serves them; an organisational
    relation and a closed account are not given back. Raises DepartureRefusedError without a
    reason, for who is here, and for a day before the moving away.
    """
    person = _held(retiree)
    if not reason.strip():
        raise DepartureRefusedError("请写明情况。")
    if person.status != Status.MOVED_AWAY:
        raise DepartureRefusedError(
            f"{person}现在是“{person.get_status_display()}”，不用登记转回。"
        )
    if on > timezone.localdate() or on < person.moved_away_on:
        day = person.moved_away_on
        raise DepartureRefusedError(f"转回日期不能早于转出的 {day:%Y-%m-%d}，也不能晚于今天。")
    actions.record_return(retiree=person, on=on, by=by)
    unfreeze(retiree=person)
    served = serve_by_residence(retiree=person, on=on, by=by)
    text = f"{person}自{date_format(on)}起又在本地居住，由支部联系服务。说明：{reason.strip()}"
    _announce(person, f"{person}转回", text, by)
    return served


@transaction.atomic
def take_back(*, retiree: Retiree, by: User, reason: str) -> list[str]:
    """A death or a moving away was registered by mistake: all that it ended goes on.

    What it ended is read off the database's own history. Returns, in words, what could not be
    given back because somebody else has it by now; a reservation it cancelled is one of those.
    Raises DepartureRefusedError without a reason, and for who is here.
    """
    person = _held(retiree)
    if not reason.strip():
        raise DepartureRefusedError("请写明为什么撤销。")
    if person.status == Status.ACTIVE:
        raise DepartureRefusedError(f"{person}在册，没有要撤销的登记。")
    _refuse_account(person, by)
    was, word = _before(person), WORDS[person.status]
    lost = _reopen(person, was.context) if was.context else []
    actions.take_back_status(
        retiree=person, status=was.status, moved_away_on=was.moved_away_on, by=by
    )
    void_death(retiree=person, reason=reason)
    if person.status == Status.ACTIVE:
        unfreeze(retiree=person)
    if person.status == Status.ACTIVE and not serve_by_residence(
        retiree=person, on=timezone.localdate(), by=by
    ):
        lost.append("联系服务的党支部")
    text = f"原来登记的{word}有误，已经撤销。说明：{reason.strip()}"
    _announce(person, f"{person}的{word}登记已撤销", text, by)
    return lost


@dataclass(frozen=True)
class Before:
    """A person's row before the departure, and the id that all its events carry."""

    status: str = Status.ACTIVE
    moved_away_on: datetime.date | None = None
    context: object = None


def _before(person: Retiree) -> Before:
    context = None
    for event in Retiree.pgh_event_model.objects.filter(pgh_obj=person.pk).order_by("-pgh_id"):
        if event.status != person.status:
            return Before(event.status, event.moved_away_on, context)
        context = event.pgh_context_id
    return Before()


def _reopen(person: Retiree, context) -> list[str]:
    """Gives every entry that the departure ended, and nobody touched since, the end it had."""
    lost = []
    for ledger in (person.memberships, person.seats, person.residences):
        for event in _events(ledger, context):
            entry = ledger.get(pk=event.pgh_obj_id)
            if entry.until == event.until and not _end_on(entry, _earlier_end(event)):
                lost.append(_named(entry))
    _open_account(person, context)
    return lost + [
        f"{date_format(one.day.date)}的兑换预约（{one.in_words}）"
        for one in _cancelled(person, context)
    ]


def _cancelled(person: Retiree, context) -> list[Redemption]:
    """Reservations that the departure cancelled: others may have taken the articles since."""
    events = Redemption.pgh_event_model.objects.filter(
        pgh_context_id=context, state=RedemptionState.CANCELLED
    )
    return list(person.redemptions.filter(pk__in=events.values("pgh_obj")).with_lines())


def _events(ledger, context):
    """What the departure changed in one ledger of the person."""
    events = ledger.model.pgh_event_model.objects
    return events.filter(
        pgh_obj__in=ledger.order_by().values("pk"), pgh_context_id=context, pgh_label="update"
    )


def _earlier_end(event) -> datetime.date | None:
    events = type(event).objects.filter(pgh_obj=event.pgh_obj_id, pgh_id__lt=event.pgh_id)
    earlier = events.order_by("-pgh_id").first()
    return earlier and earlier.until


def _end_on(entry, until: datetime.date | None) -> bool:
    """False when the database holds something else for that time by now."""
    entry.until = until
    try:
        with transaction.atomic():
            entry.save(update_fields=["until"])
    except IntegrityError:
        return False
    return True


def _named(entry) -> str:
    if isinstance(entry, Residence):
        return "居住地"
    return f"{entry.branch}的{entry.get_kind_display()}"


def _open_account(person: Retiree, context) -> None:
    """Only an account that this departure closed."""
    closed = User.pgh_event_model.objects.filter(pgh_context_id=context, is_active=False)
    for user in User.objects.filter(retiree=person, is_active=False):
        if closed.filter(pgh_obj=user.pk).exists():
            user.is_active = True
            user.save(update_fields=["is_active"])
