"""What a cause is owed and got, what could not be taken back, and rulings by two persons."""

from django.db import models
from django.db.models import F, Q

from cadres.history import tracked
from cadres.models import Retiree
from points.models.accounts import Account, Cycle, Transfer, user_link
from points.models.rules import Rule


class PostingState(models.TextChoices):
    """入账状态"""

    POSTED = "posted", "已入账"
    REVERSED = "reversed", "已冲销"
    WAITING = "waiting", "待审核"
    REFUSED = "refused", "不予入账"


class Posting(models.Model):
    """入账：一件事该得（或该扣）多少，实得多少；锁的就是这一行"""

    source = models.CharField("来源", max_length=100)
    retiree = models.ForeignKey(
        Retiree, models.PROTECT, related_name="postings", verbose_name="老同志"
    )
    rule = models.ForeignKey(Rule, models.PROTECT, verbose_name="规则", db_index=False)
    code = models.SlugField("规则代码", max_length=40, db_index=False)
    account = models.ForeignKey(
        Account, models.PROTECT, null=True, blank=True, db_index=False, verbose_name="账户"
    )
    occurred_on = models.DateField("发生日期")
    due = models.PositiveIntegerField("应得")
    posted = models.PositiveIntegerField("实得", default=0)
    cut = models.PositiveIntegerField("超上限未计", default=0)
    short = models.PositiveIntegerField("欠扣", default=0)
    revision = models.PositiveIntegerField("次", default=0)
    state = models.CharField("状态", max_length=8, choices=PostingState)
    waits_why = models.CharField("为什么待审核", max_length=60, blank=True)
    is_reversal_waiting = models.BooleanField("冲销待审核", default=False)
    transfer = models.ForeignKey(
        Transfer, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    memo = models.CharField("摘要", max_length=200, blank=True)
    sent_by = user_link("谁办的", db_index=False)
    decided_by = user_link("谁审核的", db_index=False)
    decided_at = models.DateTimeField("审核时间", null=True, blank=True)
    reason = models.CharField("审核意见", max_length=200, blank=True)

    class Meta:
        verbose_name = "入账"
        verbose_name_plural = "入账"
        ordering = ["id"]
        indexes = [
            # What a rule's cap has left is asked for under the account's lock.
            models.Index(
                fields=["account", "code"], condition=Q(state="posted"), name="posting_of_cap"
            ),
            models.Index(
                fields=["id"],
                condition=Q(state="waiting") | Q(is_reversal_waiting=True),
                name="posting_waiting",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["source"], name="posting_one_a_source"),
            models.CheckConstraint(
                condition=Q(state__in=PostingState.values), name="posting_state_listed"
            ),
            models.CheckConstraint(
                condition=~Q(state="posted") | Q(due=F("posted") + F("cut") + F("short")),
                name="posting_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(state="posted") | Q(posted=0, cut=0, short=0, transfer=None),
                name="posting_counts_while_posted",
            ),
            models.CheckConstraint(
                condition=Q(posted=0) | Q(transfer__isnull=False), name="posting_has_its_transfer"
            ),
            models.CheckConstraint(
                condition=Q(is_reversal_waiting=False) | Q(state="posted"),
                name="posting_reversal_of_what_counts",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | Q(sent_by=None) | ~Q(decided_by=F("sent_by")),
                name="posting_second_person",
            ),
        ]

    def __str__(self):
        return f"入账 {self.pk}"


class Shortfall(models.Model):
    """欠扣：要扣回时已经用掉的部分；以后得分先抵这一笔，或由第二人免去"""

    retiree = models.ForeignKey(
        Retiree, models.PROTECT, related_name="shortfalls", verbose_name="老同志"
    )
    posting = models.ForeignKey(Posting, models.PROTECT, related_name="shortfalls")
    amount = models.PositiveIntegerField("欠扣")
    left = models.PositiveIntegerField("还欠")
    waived = models.PositiveIntegerField("已免", default=0)
    cancelled = models.PositiveIntegerField("不再欠", default=0)
    waived_by = user_link("谁免的")
    asked_by = user_link("谁提出的")
    reason = models.CharField("免去的原因", max_length=200, blank=True)
    created_at = models.DateTimeField("时间")

    class Meta:
        verbose_name = "欠扣"
        verbose_name_plural = "欠扣"
        ordering = ["id"]
        indexes = [
            models.Index(fields=["retiree", "id"], condition=Q(left__gt=0), name="shortfall_open")
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, left__lte=F("amount") - F("waived") - F("cancelled")),
                name="shortfall_never_grows",
            ),
            models.CheckConstraint(
                condition=Q(waived=0)
                | (Q(waived_by__isnull=False, asked_by__isnull=False) & ~Q(reason="")),
                name="shortfall_waived_with_reason",
            ),
            models.CheckConstraint(
                condition=Q(waived_by=None) | ~Q(waived_by=F("asked_by")),
                name="shortfall_second_person",
            ),
        ]

    def __str__(self):
        return f"欠扣 {self.pk}"


class RulingState(models.TextChoices):
    """审批状态"""

    WAITING = "waiting", "待审批"
    APPROVED = "approved", "已同意"
    DECLINED = "declined", "不同意"


_SECOND = Q(decided_by=None) | ~Q(decided_by=F("asked_by"))
_DECIDED = Q(state="waiting", decided_by=None) | (~Q(state="waiting") & ~Q(decided_by=None))


@tracked()
class Adjustment(models.Model):
    """积分调整：手工加减，要写原因，由第二人审批；带规则的按规则扣分"""

    retiree = models.ForeignKey(
        Retiree, models.PROTECT, related_name="adjustments", verbose_name="老同志"
    )
    cycle = models.ForeignKey(Cycle, models.PROTECT, verbose_name="周期")
    amount = models.IntegerField("分数", help_text="加分填正数，减分填负数")
    rule = models.ForeignKey(Rule, models.PROTECT, null=True, blank=True, verbose_name="规则")
    occurred_on = models.DateField("发生日期")
    reason = models.CharField("原因", max_length=200)
    state = models.CharField("状态", max_length=8, choices=RulingState, default=RulingState.WAITING)
    asked_by = models.ForeignKey(
        "cadres.User", models.PROTECT, related_name="+", verbose_name="谁提出的"
    )
    asked_at = models.DateTimeField("提出时间", auto_now_add=True)
    decided_by = user_link("谁审批的")
    decided_at = models.DateTimeField("审批时间", null=True, blank=True)
    words = models.CharField("审批意见", max_length=200, blank=True)

    class Meta:
        verbose_name = "积分调整"
        verbose_name_plural = "积分调整"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(amount=0),
                name="adjustment_is_something",
                violation_error_message="分数不能是零。",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="adjustment_says_why"),
            models.CheckConstraint(
                condition=_SECOND,
                name="adjustment_second_person",
                violation_error_message="自己提出的调整，要由另一个人审批。",
            ),
            models.CheckConstraint(condition=_DECIDED, name="adjustment_decided_by_somebody"),
        ]

    def __str__(self):
        return f"积分调整 {self.pk}"


class SettlementKind(models.TextChoices):
    """冻结账户的处理"""

    FAMILY = "family", "转给家属"
    PAID = "paid", "结清"
    VOID = "void", "作废"


@tracked()
class Settlement(models.Model):
    """冻结账户的处理：转家属、结清、作废，要两个人"""

    account = models.ForeignKey(
        Account, models.PROTECT, related_name="settlements", verbose_name="账户"
    )
    kind = models.CharField("处理", max_length=8, choices=SettlementKind)
    receiver = models.CharField("谁领取", max_length=60, blank=True)
    reason = models.CharField("说明", max_length=200)
    state = models.CharField("状态", max_length=8, choices=RulingState, default=RulingState.WAITING)
    asked_by = models.ForeignKey(
        "cadres.User", models.PROTECT, related_name="+", verbose_name="谁提出的"
    )
    asked_at = models.DateTimeField("提出时间", auto_now_add=True)
    decided_by = user_link("谁审批的")
    decided_at = models.DateTimeField("审批时间", null=True, blank=True)
    words = models.CharField("审批意见", max_length=200, blank=True)

    class Meta:
        verbose_name = "冻结账户处理"
        verbose_name_plural = "冻结账户处理"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=SettlementKind.values), name="settlement_kind_listed"
            ),
            models.CheckConstraint(
                condition=~Q(kind="family") | ~Q(receiver=""),
                name="settlement_names_receiver",
                violation_error_message="转给家属，请填写谁领取。",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="settlement_says_why"),
            models.CheckConstraint(
                condition=_SECOND,
                name="settlement_second_person",
                violation_error_message="自己提出的处理，要由另一个人审批。",
            ),
            models.CheckConstraint(condition=_DECIDED, name="settlement_decided_by_somebody"),
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(state="waiting"),
                name="settlement_one_waiting",
                violation_error_message="这个账户已有一份处理在等审批。",
            ),
        ]

    def __str__(self):
        return f"冻结账户处理 {self.pk}"


class AuditRun(models.Model):
    """账目核对：每晚一次，也可随时运行"""

    ran_at = models.DateTimeField("时间", auto_now_add=True)
    transfers = models.PositiveIntegerField("流水笔数")
    findings = models.JSONField("不符", default=list)
    seconds = models.FloatField("用时（秒）")

    class Meta:
        verbose_name = "账目核对"
        verbose_name_plural = "账目核对"
        ordering = ["-id"]

    def __str__(self):
        return f"账目核对 {self.pk}"

    @property
    def is_clean(self) -> bool:
        return not self.findings
