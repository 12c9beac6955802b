"""What two persons do together with points, and how rules change."""

import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format

from cadres.models import Retiree, User
from cadres.roles import Role, has_role
from points import ledger
from points.ledger import LedgerRefusedError, SecondPersonError
from points.models import (
    Account,
    Adjustment,
    Cycle,
    Direction,
    Posting,
    PostingState,
    Rule,
    RulingState,
    Settlement,
    Shortfall,
)


@transaction.atomic
def ask_adjustment(
    *, retiree: Retiree, cycle: Cycle, amount: int, reason: str, by: User, once: bool = False
) -> Adjustment:
    """Asks for points to be given or, with a negative amount, taken by hand.

    With `once` the same words on the same day are one wish: a form sent twice. Raises
    InsufficientPointsError for more than there is now.
    """
    if not amount:
        raise LedgerRefusedError("分数不能是零。")
    if not reason.strip():
        raise LedgerRefusedError("请写明原因。")
    return _asked(
        once,
        retiree=retiree,
        cycle=cycle,
        amount=amount,
        occurred_on=timezone.localdate(),
        reason=reason.strip()[:200],
        asked_by=by,
    )


def _refuse_too_much(retiree: Retiree, cycle: Cycle, amount: int) -> None:
    account = Account.objects.filter(retiree=retiree, cycle=cycle).first()
    balance = account.balance if account else 0
    if balance + amount < 0:
        words = f"{retiree}在{cycle}现有 {balance} 分，不能减 {-amount} 分。"
        much = f"请填 {balance} 分以内。" if balance else "没有可以减的积分。"
        raise ledger.InsufficientPointsError(balance, words + much)


def _asked(once: bool, *, retiree: Retiree, **values) -> Adjustment:
    found = None
    if once:  # what was declined may be asked anew
        Retiree.objects.select_for_update(no_key=True, of=("self",)).get(pk=retiree.pk)
        same = Adjustment.objects.filter(retiree=retiree, **values)
        found = same.exclude(state=RulingState.DECLINED).first()
    if found:
        return found
    if not values.get("rule"):  # a rule takes what is there, and the rest is a Shortfall
        _refuse_too_much(retiree, values["cycle"], values["amount"])
    return Adjustment.objects.create(retiree=retiree, **values)


@transaction.atomic
def ask_deduction(
    *, retiree: Retiree, code: str, on: datetime.date, reason: str, by: User, once: bool = False
) -> Adjustment:
    """Asks that a rule that costs points (受通报批评 …) be applied; `once` as above.

    Raises LedgerRefusedError for a day to come and for one on which nothing can be deducted.
    """
    if on > timezone.localdate():
        raise LedgerRefusedError("日期不能晚于今天。")
    rule = Rule.objects.on(on).filter(code=code, direction=Direction.DEDUCT).first()
    cycle = Cycle.objects.holding(on).first()
    if rule is None or not rule.is_enabled:
        raise LedgerRefusedError("这一天没有启用这条扣分规则，请核对日期，或者选别的规则。")
    if cycle is None:
        raise LedgerRefusedError(_no_cycle(on))
    if not reason.strip():
        raise LedgerRefusedError("请写明原因。")
    return _asked(
        once,
        retiree=retiree,
        cycle=cycle,
        amount=-rule.points,
        rule=rule,
        occurred_on=on,
        reason=reason.strip()[:200],
        asked_by=by,
    )


def _no_cycle(on: datetime.date) -> str:
    """What to do about a day on which no points were kept yet."""
    first = Cycle.objects.order_by("starts_on").first()
    if first is None:
        return f"{on.year} 年还没有开始记积分，不能扣分。"
    return f"{on.year} 年没有记积分，不能扣分。请填 {date_format(first.starts_on)}以后的日期。"


@transaction.atomic
def decide_adjustment(*, adjustment: Adjustment, agreed: bool, by: User, words: str = ""):
    """A second person agrees to an adjustment, or does not; once. Raises LedgerRefusedError."""
    found = Adjustment.objects.select_for_update().get(pk=adjustment.pk)
    if found.state != RulingState.WAITING:
        return found
    _decide(found, agreed, by, words)
    if agreed and found.rule_id:
        posting = ledger.deduct(
            source=f"points.adjustment:{found.pk}",
            retiree=found.retiree,
            code=found.rule.code,
            on=found.occurred_on,
            by=found.asked_by,
            approved_by=by,
            memo=found.reason,
        )
        if posting is None or posting.due != -found.amount:
            raise LedgerRefusedError("这条规则后来改了，分数和提出时不同。请不同意，再重新提出。")
    elif agreed:
        _adjust(found, by)
    return found


def _adjust(found: Adjustment, approved_by: User) -> None:
    try:
        ledger.adjust(
            key=f"points.adjustment:{found.pk}",
            retiree=found.retiree,
            cycle=found.cycle,
            amount=found.amount,
            memo=found.reason,
            by=found.asked_by,
            approved_by=approved_by,
        )
    except ledger.InsufficientPointsError as short:  # spent since it was asked for
        words = (
            f"{found.retiree}在{found.cycle}只剩 {short.balance} 分，减不了 {-found.amount} 分。"
            "请点“不同意”并写明原因，由提出的人改了重提；或者先放着，等积分够了再同意。"
        )
        raise ledger.InsufficientPointsError(short.balance, words) from None


def _decide(ruling: Adjustment | Settlement, agreed: bool, by: User, words: str) -> None:
    if ruling.asked_by_id == by.pk:
        raise SecondPersonError("自己提出的，要由另一个人审批。")
    ruling.state = RulingState.APPROVED if agreed else RulingState.DECLINED
    ruling.decided_by, ruling.decided_at, ruling.words = by, timezone.now(), words[:200]
    ruling.save(update_fields=["state", "decided_by", "decided_at", "words"])


@transaction.atomic
def ask_settlement(
    *, account: Account, kind: str, receiver: str, reason: str, by: User, once: bool = False
) -> Settlement:
    """Asks for a ruling on a frozen account; `once` as above. Raises LedgerRefusedError."""
    account = Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    if account.frozen_at is None or not account.balance:
        raise ledger.NothingThereError("这个账户没有冻结，或者没有积分。")
    if not reason.strip():
        raise LedgerRefusedError("请写明说明。")
    values = {"kind": kind, "receiver": receiver, "reason": reason.strip()[:200], "asked_by": by}
    waiting = account.settlements.filter(state=RulingState.WAITING)
    if once and (found := waiting.filter(**values).first()):
        return found
    if waiting.exists():
        raise LedgerRefusedError("这个账户已有一份处理在等审批。")
    return Settlement.objects.create(account=account, **values)


@transaction.atomic
def decide_settlement(*, settlement: Settlement, agreed: bool, by: User, words: str = ""):
    """A second person agrees to a ruling, or does not; once. Raises LedgerRefusedError."""
    found = Settlement.objects.select_for_update(of=("self",)).filter(pk=settlement.pk).first()
    if found is None:
        raise LedgerRefusedError("账户已经解冻，这份处理不用了。")
    if found.state != RulingState.WAITING:
        return found
    _decide(found, agreed, by, words)
    if agreed:
        ledger.settle(settlement=found, approved_by=by)
    return found


def late_postings():
    """Causes, and corrections, about which a second person has to decide."""
    return Posting.objects.filter(Q(state=PostingState.WAITING) | Q(is_reversal_waiting=True))


def to_decide(user: User) -> int:
    """How many things wait for this user of the office, who asked for none of them."""
    waiting = [
        late_postings().exclude(sent_by=user),
        Shortfall.objects.filter(left__gt=0, asked_by__isnull=False).exclude(asked_by=user),
    ]
    if has_role(user, Role.OFFICE_HEAD):
        waiting += [
            model.objects.filter(state=RulingState.WAITING).exclude(asked_by=user)
            for model in (Adjustment, Settlement)
        ]
    return sum(found.count() for found in waiting)


@transaction.atomic
def change_rule(*, rule: Rule, valid_from: datetime.date, by: User, **values) -> Rule:
    """A new version of a rule from a day on; what was posted keeps the old one."""
    latest = Rule.objects.filter(code=rule.code).latest("valid_from")
    if valid_from <= latest.valid_from:
        raise LedgerRefusedError(f"起用日期应晚于现在这一版的 {latest.valid_from:%Y-%m-%d}。")
    if valid_from < timezone.localdate():
        raise LedgerRefusedError("起用日期不能早于今天：已记的账仍按旧规则。")
    kept = {f.name: getattr(latest, f.name) for f in Rule._meta.fields if f.name != "id"}
    try:
        with transaction.atomic():
            return Rule.objects.create(
                **(kept | values | {"code": rule.code, "valid_from": valid_from})
            )
    except IntegrityError:  # somebody was faster
        raise LedgerRefusedError("刚才有人已经改了这条规则，请看过再改。") from None
