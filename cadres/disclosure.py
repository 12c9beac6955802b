"""Showing and handing out personal numbers: every time a logged act, with limits."""

import datetime

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from cadres import jobs
from cadres.jobs import RefusedError
from cadres.models import (
    SECOND_PERSON_FROM,
    AccessEntry,
    AccessKind,
    Export,
    ExportState,
    Retiree,
    Secret,
    User,
)
from cadres.roles import Role, has_role, is_office

#: How many numbers one user may look at in a day.
REVEALS_A_DAY = 50
#: How long a file can be downloaded.
OPEN_FOR = datetime.timedelta(hours=24)


class DisclosureRefusedError(RefusedError):
    """The number or the file is not given out; the text says why."""


@transaction.atomic
def reveal(*, retiree: Retiree, secret: Secret, reason: str, by: User) -> str:
    """One number in full, written into the access log first.

    Raises DisclosureRefusedError without a reason, past the day's quota, and for what the role
    may not see. Whether `by` may see the person at all is the caller's question.
    """
    if not reason.strip():
        raise DisclosureRefusedError("请写明为什么要看。")
    if secret == Secret.ID_NUMBER and not is_office(by):
        raise DisclosureRefusedError("身份证号只有工作人员能看。")
    User.objects.select_for_update().get(pk=by.pk)
    if reveals_today(by) >= REVEALS_A_DAY:
        raise DisclosureRefusedError(f"今天已经看了 {REVEALS_A_DAY} 次，请明天再看。")
    AccessEntry.objects.create(
        user=by,
        kind=AccessKind.REVEAL,
        retiree=retiree,
        secret=secret,
        reason=reason.strip()[:200],
    )
    return getattr(retiree, secret) or ""


def reveals_today(user: User) -> int:
    start = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    seen = AccessEntry.objects.filter(user=user, kind=AccessKind.REVEAL, at__gte=start)
    return seen.count()


@transaction.atomic
def ask_export(
    *,
    kind: str,
    title: str,
    params: dict,
    filter_words: str,
    people: int,
    by: User,
    is_full: bool = False,
    reason: str = "",
) -> Export:
    """Has a workbook made in the background; a large full one waits for a second person.

    `params` is what the filter form was filled with. Sent twice, the first one is found. Raises
    DisclosureRefusedError.
    """
    if is_full and not is_office(by):
        raise DisclosureRefusedError("带完整号码的表只有工作人员能导出。")
    if is_full and not reason.strip():
        raise DisclosureRefusedError("请写明用途。")
    asked = {"kind": kind, "params": params, "is_full": is_full, "reason": reason.strip()[:200]}
    if sent := _sent_just_now(by, asked):
        return sent
    waits = is_full and wants_second_person(by, people)
    export = Export.objects.create(
        **asked,
        title=title,
        filter_words=filter_words[:300],
        people=people,
        asked_by=by,
        state=ExportState.WAITING if waits else ExportState.MAKING,
    )
    AccessEntry.objects.create(
        user=by,
        kind=AccessKind.FULL_EXPORT if is_full else AccessKind.EXPORT,
        export=export,
        people=people,
        reason=export.reason,
    )
    if not waits:
        _make(export, by)
    return export


def wants_second_person(by: User, people: int) -> bool:
    """Whether a full export of so many needs one: all that nobody else agreed to count together,
    those of the last 24 hours, or a long list would be taken in short ones."""
    alone = Export.objects.filter(
        asked_by=by, is_full=True, decided_by=None, asked_at__gte=timezone.now() - OPEN_FOR
    ).exclude(state=ExportState.WAITING)
    taken = alone.aggregate(people=Sum("people"))["people"] or 0
    return taken + people >= SECOND_PERSON_FROM


def _sent_just_now(by: User, asked: dict) -> Export | None:
    """The export of the very same press of a button, unless nothing came of it."""
    User.objects.select_for_update().get(pk=by.pk)
    sent = Export.objects.filter(
        **asked, asked_by=by, asked_at__gte=timezone.now() - jobs.SAME_PRESS
    )
    return sent.exclude(state=ExportState.DECLINED).exclude(job__state=jobs.JobState.FAILED).first()


def _make(export: Export, by: User) -> None:
    export.job = jobs.enqueue(
        kind="export", title=f"生成“{export.title}”", params={"export": export.pk}, by=by
    )
    export.save(update_fields=["job"])


def exports_to_decide(user: User) -> int:
    """How many files wait for this user's decision as the second person."""
    if not has_role(user, Role.OFFICE_HEAD):
        return 0
    return Export.objects.filter(state=ExportState.WAITING).exclude(asked_by=user).count()


@transaction.atomic
def decide_export(*, export: Export, agreed: bool, by: User) -> Export:
    """The head agrees to somebody else's full export, or does not; once."""
    export = Export.objects.select_for_update(of=("self",)).get(pk=export.pk)
    if not has_role(by, Role.OFFICE_HEAD):
        raise DisclosureRefusedError("只有负责人可以决定。")
    if export.asked_by_id == by.pk:
        raise DisclosureRefusedError("自己提出的导出，要由另一位负责人同意。")
    if export.state != ExportState.WAITING:
        return export
    export.state = ExportState.MAKING if agreed else ExportState.DECLINED
    export.decided_by, export.decided_at = by, timezone.now()
    export.save(update_fields=["state", "decided_by", "decided_at"])
    if agreed:
        _make(export, export.asked_by)
    return export


@transaction.atomic
def finish_export(*, export: Export, write) -> Export:
    """Keeps the workbook that `write(file)` makes, for 24 hours; does nothing the second time."""
    export = Export.objects.select_for_update(of=("self",)).get(pk=export.pk)
    if export.state == ExportState.MAKING:
        write(export)
        export.state, export.expires_at = ExportState.READY, timezone.now() + OPEN_FOR
        export.save()
    return export


@transaction.atomic
def hand_over(*, export: Export, by: User) -> Export:
    """Logs a download. Raises DisclosureRefusedError for anybody but who asked, for full numbers
    when that one is no longer of the office, and too late."""
    export = Export.objects.select_for_update(of=("self",)).get(pk=export.pk)
    if export.asked_by_id != by.pk:
        raise DisclosureRefusedError("这个文件只给提出的人下载。")
    if export.is_full and not is_office(by):
        raise DisclosureRefusedError("带完整号码的表只有工作人员能下载。")
    if not export.is_open:
        raise DisclosureRefusedError("下载期限已过，请重新导出。")
    AccessEntry.objects.create(
        user=by, kind=AccessKind.DOWNLOAD, export=export, people=export.people
    )
    return export


def note_table(*, what: str, people: int, by: User) -> AccessEntry:
    """Logs that a small table of the desk was exported as it is listed."""
    return AccessEntry.objects.create(
        user=by, kind=AccessKind.EXPORT, people=people, reason=what[:200]
    )


def note_rows(*, what: str, people: int, by: User) -> AccessEntry:
    """Logs that rows with full numbers, which somebody had brought, were handed back as a file."""
    return AccessEntry.objects.create(
        user=by, kind=AccessKind.DOWNLOAD, people=people, reason=what[:200]
    )


def empty_old_exports() -> int:
    """Deletes the files whose time is over; the records stay. How many."""
    old = list(Export.objects.filter(expires_at__lt=timezone.now()).exclude(file=""))
    for export in old:
        export.file.delete(save=True)
    return len(old)
