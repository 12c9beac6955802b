"""A person's bankbook of a cycle: every movement in plain words, and what did not move and why.

The lines stand in the order in which they were booked; the balance after each is a running sum.
"""

import datetime
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Q, Sum
from django.utils import timezone
from django.utils.formats import date_format

from cadres.models import Retiree, User
from points.models import (
    Account,
    AccountKind,
    Cycle,
    CycleStatus,
    Direction,
    Posting,
    PostingState,
    Shortfall,
    Transfer,
    TransferKind,
)


@dataclass(frozen=True)
class Line:
    """One line: the day, what for, plus or minus (0: nothing moved), the balance after it.

    `who` confirmed it; `notes` say what was cut, or could not be taken; `flow` is the system's
    account on the other side (`issued`, `redeemed` …; empty when nothing moved). `booked_on` is
    the day of booking; `is_correction` says that it takes back or gives back an earlier line.
    """

    on: datetime.date
    words: str
    detail: str
    points: int
    balance: int
    who: str
    notes: tuple[str, ...] = ()
    flow: str = ""
    booked_on: datetime.date | None = None
    is_correction: bool = False

    @property
    def booked(self) -> str:
        """When it was booked, if that is more than a day from the day of the matter."""
        if self.booked_on is None or abs(self.booked_on - self.on) <= datetime.timedelta(days=1):
            return ""
        is_same_year = self.booked_on.year == self.on.year
        return f"{date_format(self.booked_on, 'n月j日' if is_same_year else 'Y年n月j日')}记账"

    @property
    def change(self) -> str:
        """In words: colour and a small sign are not enough for old eyes."""
        if not self.points:
            return "没有变动"
        return f"加 {self.points} 分" if self.points > 0 else f"减 {-self.points} 分"


@dataclass(frozen=True)
class Summary:
    """What an account came to: balance = earned - deducted + carried_in - redeemed - expired
    - carried_out.

    `earned` is all that was given, `deducted` all that was taken, both without what was corrected
    later: a wrong award was never earned. `owed` is what the person still owes of all years.
    """

    balance: int
    earned: int
    deducted: int
    redeemed: int
    expired: int
    carried_in: int
    carried_out: int
    owed: int


@dataclass(frozen=True)
class Waiting:
    """A cause about which the office has not decided, or has decided against."""

    on: datetime.date
    words: str
    detail: str
    points: int
    why: str


def statement(account: Account) -> list[Line]:
    """The lines of an account, the oldest first; three queries whatever their number."""
    transfers = list(
        Transfer.objects.of(account)
        .select_related(
            "from_account", "to_account", "rule", "posting__rule", "reverses__rule", "posted_by",
            "approved_by",
        )
        .order_by("id")
    )  # fmt: skip
    shortfalls = list(
        Shortfall.objects.filter(posting__account=account).select_related("posting__rule")
    )
    moved = _with_notes(account, transfers, shortfalls)
    told = {key for _, _, keys in moved for key in keys}
    events = [((transfer.id, 0, 0), transfer, notes) for transfer, notes, _ in moved]
    events += _without_transfer(account, transfers)
    events += _untaken([s for s in shortfalls if s.pk not in told], transfers)
    return _lines(account, sorted(events, key=lambda event: event[0]))


def _with_notes(account: Account, transfers: list[Transfer], shortfalls: list[Shortfall]) -> list:
    """(transfer, its notes, the shortfalls that they tell of)."""
    by_cause = defaultdict(list)
    for owed in shortfalls:
        by_cause[owed.posting_id, owed.created_at].append(owed)
    found = []
    for transfer in transfers:
        cause, notes = transfer.posting, []
        if cause and cause.transfer_id == transfer.pk and cause.cut:
            notes.append(_cut(cause.cut))
        owed = []
        if cause and transfer.shortfall_id is None:
            owed = by_cause[cause.pk, transfer.posted_at]
        notes += [_owed(one) for one in owed]
        found.append((transfer, notes, [one.pk for one in owed]))
    return found


def _cut(points: int) -> str:
    return f"已达年度上限，少记 {points} 分"


def _owed(owed: Shortfall) -> str:
    words = f"有 {owed.amount} 分已经用掉，以后得分先抵这一笔"
    if owed.waived:
        words += f"；已免去 {owed.waived} 分"
    if owed.cancelled:
        words += f"；其中 {owed.cancelled} 分不再扣"
    return f"{words}；还欠 {owed.left} 分" if owed.left else f"{words}；现在已不欠"


def _without_transfer(account: Account, transfers: list[Transfer]) -> list:
    """Causes that moved nothing: cut to nothing, or refused; each stands after those before it."""
    causes = (
        Posting.objects.filter(account=account)
        .filter(
            Q(state=PostingState.POSTED, transfer=None, cut__gt=0) | Q(state=PostingState.REFUSED)
        )
        .select_related("rule", "sent_by", "decided_by")
        .order_by("id")
    )
    first = [(t.posting_id, t.pk) for t in transfers if t.posting_id and t.key.endswith("#1")]
    before, latest = sorted(first), 0
    anchors = []  # of each cause the last transfer of an earlier one
    for _, pk in before:
        latest = max(latest, pk)
        anchors.append(latest)
    keys = [cause for cause, _ in before]
    events = []
    for cause in causes:
        place = bisect_right(keys, cause.pk)
        events.append(((anchors[place - 1] if place else 0, 1, cause.pk), cause, []))
    return events


def _untaken(shortfalls: list[Shortfall], transfers: list[Transfer]) -> list:
    """What could not be taken at all, each after what was booked before it."""
    events = []
    for owed in shortfalls:
        earlier = [
            t.pk for t in transfers if t.posted_at <= owed.created_at and t.shortfall_id != owed.pk
        ]
        events.append(((max(earlier, default=0), 2, owed.pk), owed, [_owed(owed)]))
    return events


def _lines(account: Account, events: list) -> list[Line]:
    balance, lines = 0, []
    for _, event, notes in events:
        if isinstance(event, Transfer):
            line = _moved(account, event, balance, notes)
        elif isinstance(event, Posting):
            line = _unmoved(event, balance)
        else:
            line = _short(event, balance, notes)
        balance = line.balance
        lines.append(line)
    return lines


def _moved(account: Account, transfer: Transfer, balance: int, notes: list[str]) -> Line:
    is_out = transfer.from_account_id == account.pk
    points = -transfer.amount if is_out else transfer.amount
    other = transfer.to_account if is_out else transfer.from_account
    return Line(
        transfer.occurred_on,
        words_of(transfer, is_out=is_out),
        detail_of(transfer),
        points,
        balance + points,
        who(transfer.posted_by, transfer.approved_by),
        tuple(notes),
        other.kind,
        timezone.localdate(transfer.posted_at),
        transfer.kind == TransferKind.REVERSE,
    )


def _unmoved(cause: Posting, balance: int) -> Line:
    if cause.state == PostingState.REFUSED:
        note = f"审核后没有入账（应得 {cause.due} 分）：{cause.reason}"
    else:
        note = _cut(cause.cut)
    by = who(cause.sent_by, cause.decided_by)
    return Line(cause.occurred_on, cause.rule.name, cause.memo, 0, balance, by, (note,))


def _short(owed: Shortfall, balance: int, notes: list[str]) -> Line:
    cause = owed.posting
    is_back = cause.rule.direction == Direction.AWARD
    words = f"更正，收回：{cause.rule.name}" if is_back else cause.rule.name
    on = timezone.localdate(owed.created_at)
    return Line(on, words, cause.memo, 0, balance, "", tuple(notes))


# ---- in plain words ------------------------------------------------------------------------------


def words_of(transfer: Transfer, *, is_out: bool) -> str:
    """What a transfer was for."""
    kind = transfer.kind
    if transfer.shortfall_id and kind == TransferKind.DEDUCT:
        return "补扣以前欠扣的积分"
    if kind == TransferKind.REVERSE:
        rule = transfer.rule or transfer.reverses.rule
        return f"更正，{'收回' if is_out else '退还'}：{rule.name if rule else '补扣的积分'}"
    if kind == TransferKind.CARRY:
        return "转入下一年" if is_out else "上一年转来"
    if kind == TransferKind.ADJUST:
        return "手工减分" if is_out else "手工加分"
    if transfer.rule:
        # A deduction given back too late for its own cycle comes as an award.
        is_back = kind == TransferKind.AWARD and transfer.rule.direction == Direction.DEDUCT
        return f"更正，退还：{transfer.rule.name}" if is_back else transfer.rule.name
    return _PLAIN.get(kind, transfer.get_kind_display())


_PLAIN = {
    TransferKind.SPEND: "兑换",
    TransferKind.REFUND: "兑换退回",
    TransferKind.EXPIRE: "到期作废",
    TransferKind.SETTLE: "账户结清",
}


def detail_of(transfer: Transfer) -> str:
    """The memo; of a supplement of what was owed, the cause that owed it."""
    if transfer.shortfall_id and transfer.posting:
        return transfer.posting.rule.name
    return transfer.memo


def who(posted_by: User | None, approved_by: User | None) -> str:
    """Who confirmed something: both names when there were two."""
    if posted_by and approved_by:
        return f"{posted_by}经办，{approved_by}审核"
    return str(posted_by or approved_by or "")


def policy(cycle: Cycle, today: datetime.date) -> str:
    """Until when the points of a cycle count, and what becomes of the rest."""
    if cycle.status == CycleStatus.CLOSED:
        return f"{cycle}的积分已经结转，不能再兑换。"
    if cycle.published_at or today > cycle.redeem_until:
        return f"{cycle}的积分兑换期已过，正在结转。"
    until = f"这些积分到 {date_format(cycle.redeem_until)} 为止兑换。"
    if not cycle.carry_percent:
        return f"{until}到期没有用完的作废，不转入下一年。"
    most = f"，最多 {cycle.carry_cap} 分" if cycle.carry_cap is not None else ""
    return f"{until}到期没有用完的，{cycle.carry_percent}% 转入下一年{most}，其余作废。"


# ---- what it comes to ----------------------------------------------------------------------------


def summary(account: Account, lines: list[Line]) -> Summary:
    """The sums of a statement's lines, and what the person still owes."""
    flows, earned = defaultdict(int), 0
    for line in lines:
        flows[line.flow] += line.points
        if line.flow == AccountKind.ISSUED and (line.points > 0) != line.is_correction:
            earned += line.points
    owed = Shortfall.objects.filter(retiree=account.retiree_id).aggregate(left=Sum("left"))
    return Summary(
        balance=account.balance,
        earned=earned,
        deducted=earned - flows[AccountKind.ISSUED],
        redeemed=-flows[AccountKind.REDEEMED],
        expired=-flows[AccountKind.EXPIRED],
        carried_in=flows[AccountKind.CARRIED_IN],
        carried_out=-flows[AccountKind.CARRIED_OUT],
        owed=owed["left"] or 0,
    )


def waiting(retiree: Retiree) -> list[Waiting]:
    """What waits for the office, of all years; and what it refused that belongs to no account."""
    causes = (
        Posting.objects.filter(retiree=retiree)
        .filter(
            Q(state=PostingState.WAITING)
            | Q(is_reversal_waiting=True)
            | Q(state=PostingState.REFUSED, account=None)
        )
        .select_related("rule")
        .order_by("id")
    )
    return [_waiting(cause) for cause in causes]


def _waiting(cause: Posting) -> Waiting:
    points, why = cause.due, f"等办公室审核：{cause.waits_why}"
    if cause.is_reversal_waiting:
        points, why = -cause.posted, "要更正，等办公室审核"
        if cause.rule.direction == Direction.DEDUCT:
            points = cause.posted
    elif cause.state == PostingState.REFUSED:
        why = f"审核后没有入账：{cause.reason}"
    return Waiting(cause.occurred_on, cause.rule.name, cause.memo, points, why)
