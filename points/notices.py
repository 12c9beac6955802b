"""公示: what everybody may read, for five working days, and what is said against it."""

from django.db import transaction
from django.utils import timezone

from cadres import workdays
from cadres.jobs import RefusedError
from cadres.models import Retiree, User
from points import ledger
from points.models import (
    Cycle,
    NoticeKind,
    NoticeState,
    Objection,
    Posting,
    PostingState,
    PublicNotice,
)
from points.snapshots import Homes, of_quarter, quarter_ends_on

#: So many working days a notice stands, counted from the day after.
WORKING_DAYS = 5


class NoticeRefusedError(RefusedError):
    """Not done with a notice or an objection; the text says why."""


# ---- the year's end ------------------------------------------------------------------------------


def of_rollover(cycle: Cycle) -> PublicNotice | None:
    """The notice of the rollover that stands, if one does."""
    return cycle.notices.shown().filter(kind=NoticeKind.ROLLOVER).first()


def publish_rollover(*, cycle: Cycle, snapshot: dict, by: User) -> PublicNotice:
    """The notice of a rollover; only `rollover.publish` makes it."""
    return PublicNotice.objects.create(
        kind=NoticeKind.ROLLOVER, cycle=cycle, snapshot=snapshot, made_by=by, **_published(by)
    )


def _published(by: User) -> dict:
    today = timezone.localdate()
    return {
        "state": NoticeState.PUBLISHED,
        "opens_on": today,
        "closes_on": workdays.after(today, WORKING_DAYS),
        "published_by": by,
    }


# ---- a quarter -----------------------------------------------------------------------------------


@transaction.atomic
def make(*, cycle: Cycle, quarter: int, with_names: bool, homes: Homes, by: User) -> PublicNotice:
    """A draft of a quarter's notice, or the draft anew. Raises NoticeRefusedError."""
    if timezone.localdate() <= quarter_ends_on(cycle, quarter):
        raise NoticeRefusedError("这个季度还没有结束。")
    Cycle.objects.select_for_update(no_key=True).get(pk=cycle.pk)
    snapshot = of_quarter(cycle, quarter, with_names, homes)
    values = {"with_names": with_names, "snapshot": snapshot}
    found = PublicNotice.objects.filter(cycle=cycle, kind=NoticeKind.QUARTER, quarter=quarter)
    notice = found.exclude(state=NoticeState.WITHDRAWN).first()
    if notice is None:
        return PublicNotice.objects.create(
            kind=NoticeKind.QUARTER, cycle=cycle, quarter=quarter, made_by=by, **values
        )
    if notice.state == NoticeState.PUBLISHED:
        raise NoticeRefusedError("这个季度已经公示。要重做，请先撤回。")
    return _saved(notice, made_by=by, **values)


@transaction.atomic
def publish(*, notice: PublicNotice, by: User) -> PublicNotice:
    """Everybody reads the draft from now on, as it is; again: nothing.

    Raises NoticeRefusedError when nobody's points moved in it.
    """
    notice = _locked(notice)
    if notice.state != NoticeState.DRAFT:
        return notice
    if notice.is_empty:
        raise NoticeRefusedError(
            "这份公示里没有人有积分变动，不能发布。积分按记账的日期计，"
            "补记的算在补记的那个季度；记了账以后，请重做草稿。"
        )
    return _saved(notice, **_published(by))


@transaction.atomic
def withdraw(*, notice: PublicNotice, reason: str, by: User) -> PublicNotice:
    """Nobody reads it any more; the notice of a rollover goes only with the rollover's own."""
    notice = _locked(notice)
    if notice.state != NoticeState.PUBLISHED:
        return notice
    if not reason.strip():
        raise NoticeRefusedError("请写明为什么撤回。")
    if notice.kind == NoticeKind.ROLLOVER and notice.cycle.published_at:
        raise NoticeRefusedError("年度结转的公示，请由负责人在年度结转页面撤回。")
    return _saved(notice, state=NoticeState.WITHDRAWN, withdrawn_by=by, reason=reason.strip()[:200])


def _locked(notice: PublicNotice) -> PublicNotice:
    found = PublicNotice.objects.select_for_update(no_key=True, of=("self",))
    return found.select_related("cycle").get(pk=notice.pk)


def _saved(row, **values):
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=list(values))
    return row


# ---- objections ----------------------------------------------------------------------------------


@transaction.atomic
def object_to(
    *, notice: PublicNotice, text: str, by: User, retiree: Retiree | None = None, caller: str = ""
) -> Objection:
    """Somebody does not agree, or the office writes down what a caller says; within the days.

    The same words of the same user are one objection: a form sent twice.
    """
    if not text.strip():
        raise NoticeRefusedError("请写明有什么意见。")
    notice = _locked(notice)
    if not is_open(notice):
        raise NoticeRefusedError("公示期已经过了，请打办公室电话。")
    values = {"text": text.strip()[:500], "caller": caller.strip()[:40], "retiree": retiree}
    found = notice.objections.filter(raised_by=by, **values).first()
    return found or Objection.objects.create(notice=notice, raised_by=by, **values)


def is_open(notice: PublicNotice) -> bool:
    """Whether objections may still be raised."""
    return notice.state == NoticeState.PUBLISHED and timezone.localdate() <= notice.closes_on


@transaction.atomic
def answer(
    *,
    objection: Objection,
    is_justified: bool,
    words: str,
    by: User,
    posting: Posting | None = None,
) -> Objection:
    """The office's answer, once. A correction it names waits for a second person."""
    objection = _held(objection)
    if objection.answer:
        return objection
    if not words.strip():
        raise NoticeRefusedError("请写明答复。")
    if posting and not is_justified:
        raise NoticeRefusedError("理由不成立的，不更正积分。")
    if posting and posting.state != PostingState.POSTED:
        raise NoticeRefusedError("这一笔现在没有入账，不能更正。")
    return _saved(
        objection,
        is_justified=is_justified,
        answer=words.strip()[:500],
        posting=posting,
        answered_by=by,
        answered_at=timezone.now(),
    )


@transaction.atomic
def confirm(*, objection: Objection, by: User) -> str:
    """A second person agrees to the correction, and the posting is reversed.

    In a year that does not move any more it waits among the supplements. Gives what became of it.
    """
    objection = _held(objection)
    if objection.posting is None or objection.confirmed_by_id:
        return "nothing"
    if objection.answered_by_id == by.pk:
        raise ledger.SecondPersonError("自己提出的更正，要由另一个人审核。")
    done = ledger.reverse(
        source=objection.posting.source, by=objection.answered_by, memo="公示意见成立，更正"
    )
    _saved(objection, confirmed_by=by, confirmed_at=timezone.now())
    return done


@transaction.atomic
def decline(*, objection: Objection, by: User) -> Objection:
    """A second person does not agree: the objection is to be answered anew."""
    objection = _held(objection)
    if objection.posting is None or objection.confirmed_by_id:
        return objection
    if objection.answered_by_id == by.pk:
        raise ledger.SecondPersonError("自己提出的更正，要由另一个人审核。")
    return _saved(
        objection, is_justified=None, answer="", answered_by=None, answered_at=None, posting=None
    )


def _held(objection: Objection) -> Objection:
    found = Objection.objects.select_for_update(no_key=True, of=("self",))
    return found.select_related("posting", "answered_by").get(pk=objection.pk)


def to_answer() -> int:
    """How many objections wait for the office."""
    return Objection.objects.filter(answer="").count()


def to_confirm(user: User) -> int:
    """How many corrections wait for this user as the second person."""
    waiting = Objection.objects.filter(posting__isnull=False, confirmed_by=None)
    return waiting.exclude(answered_by=user).count()
