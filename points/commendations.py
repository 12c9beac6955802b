"""表彰激励: who of a year reaches a threshold; a list that one proposes and the head approves."""

from django.db import IntegrityError, transaction
from django.db.models import F, Max, QuerySet
from django.utils import timezone

from cadres.jobs import RefusedError
from cadres.models import Status, User
from points.ledger import SecondPersonError
from points.models import (
    Account,
    Commendation,
    CommendationKind,
    CommendationList,
    Cycle,
    RulingState,
    Threshold,
)
from points.totals import with_earned


class CommendationRefusedError(RefusedError):
    """Not done with a list; the text says why."""


@transaction.atomic
def set_threshold(
    *, cycle: Cycle, kind: str, points: int, amount: int | None, by: User
) -> Threshold:
    """From how many points on somebody is a candidate; a subsidy also says how much."""
    if kind == CommendationKind.SUBSIDY and not amount:
        raise CommendationRefusedError("资金补贴要写每人多少元。")
    if kind != CommendationKind.SUBSIDY:
        amount = None
    values = {"points": points, "amount": amount, "set_by": by}
    found, _ = Threshold.objects.update_or_create(cycle=cycle, kind=kind, defaults=values)
    return found


def candidates(threshold: Threshold) -> QuerySet[Account]:
    """Accounts of the living who reach it and stand in no list yet, who has earned most first."""
    taken = Commendation.objects.filter(cycle=threshold.cycle_id, kind=threshold.kind).exclude(
        list__state=RulingState.DECLINED
    )
    accounts = Account.objects.of_members().filter(
        cycle=threshold.cycle_id, retiree__status=Status.ACTIVE, frozen_at=None
    )
    found = with_earned(accounts.exclude(retiree__in=taken.values("retiree")))
    reached = found.filter(earned__gte=threshold.points)
    return reached.order_by("-earned", "retiree__name_pinyin", "id")


@transaction.atomic
def propose(*, threshold: Threshold, accounts: list[int], by: User) -> CommendationList:
    """Proposes some of the candidates (keys of accounts). Raises CommendationRefusedError."""
    Cycle.objects.select_for_update(no_key=True).get(pk=threshold.cycle_id)
    threshold = Threshold.objects.get(pk=threshold.pk)
    lists = CommendationList.objects.filter(cycle=threshold.cycle_id, kind=threshold.kind)
    if lists.filter(state=RulingState.WAITING).exists():
        raise CommendationRefusedError("已有一份名单在等审批。")
    chosen = list(candidates(threshold).filter(pk__in=accounts))
    if not chosen or len(chosen) != len(set(accounts)):
        raise CommendationRefusedError("请在人选里选要表彰的人；名单有变动，请重新看过再提。")
    made = CommendationList.objects.create(
        cycle_id=threshold.cycle_id, kind=threshold.kind, points=threshold.points, asked_by=by
    )
    Commendation.objects.bulk_create(
        Commendation(
            list=made,
            cycle_id=threshold.cycle_id,
            kind=threshold.kind,
            retiree_id=account.retiree_id,
            earned=account.earned,
            amount=threshold.amount,
        )
        for account in chosen
    )
    return made


@transaction.atomic
def decide(*, found: CommendationList, agreed: bool, by: User, words: str = "") -> CommendationList:
    """A second person agrees, and everybody of the list gets a number; or does not. Once."""
    Cycle.objects.select_for_update(no_key=True).get(pk=found.cycle_id)
    found = CommendationList.objects.select_for_update(no_key=True).get(pk=found.pk)
    if found.state != RulingState.WAITING:
        return found
    if found.asked_by_id == by.pk:
        raise SecondPersonError("自己提出的名单，要由另一个人审批。")
    found.state = RulingState.APPROVED if agreed else RulingState.DECLINED
    found.decided_by, found.decided_at, found.words = by, timezone.now(), words[:200]
    found.save(update_fields=["state", "decided_by", "decided_at", "words"])
    if agreed:
        _number(found)
    return found


def _number(found: CommendationList) -> None:
    """Who has earned most comes first; numbers go on from the year's last of the kind."""
    others = Commendation.objects.filter(cycle=found.cycle_id, kind=found.kind)
    last = others.aggregate(last=Max("number"))["last"] or 0
    people = list(found.people.order_by("-earned", "retiree__name_pinyin", "id"))
    for place, person in enumerate(people, last + 1):
        person.number = place
    try:
        with transaction.atomic():
            Commendation.objects.bulk_update(people, ["number"])
    except IntegrityError:
        raise CommendationRefusedError("名单里有人已经表彰过，请重新提名单。") from None


def granted(cycle: Cycle, kind: str) -> QuerySet[Commendation]:
    """Who was commended, by number."""
    found = Commendation.objects.granted().filter(cycle=cycle, kind=kind)
    return found.select_related("cycle", "retiree__unit", "list").order_by(F("number"))


def to_decide(user: User) -> int:
    """How many lists wait for this head, who proposed none of them."""
    waiting = CommendationList.objects.filter(state=RulingState.WAITING)
    return waiting.exclude(asked_by=user).count()
