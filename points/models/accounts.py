"""Cycles, the accounts in them, and the transfers between accounts.

A transfer moves points from one account to another of the same cycle, so that nothing is made or
lost in between (the shape is that of TigerBeetle). The database moves the balances itself when a
transfer is written, and refuses every change of one: see points/sql/ledger.sql.
"""

import datetime

from django.conf import settings
from django.db import models
from django.db.models import BigIntegerField, Case, ExpressionWrapper, F, IntegerField, Q, When
from django.db.models.functions import Coalesce

from cadres.history import tracked
from cadres.models import Retiree
from points.models.rules import Rule


class CycleStatus(models.TextChoices):
    """周期状态"""

    OPEN = "open", "进行中"
    CLOSING = "closing", "待结转"
    CLOSED = "closed", "已结转"


class CycleQuerySet(models.QuerySet):
    def holding(self, day: datetime.date):
        """The cycle whose year holds a day."""
        return self.filter(starts_on__lte=day, ends_on__gte=day)

    def movable(self, today: datetime.date):
        """Cycles in which points can move today."""
        return self.filter(
            status__in=[CycleStatus.OPEN, CycleStatus.CLOSING],
            published_at=None,
            starts_on__lte=today,
            redeem_until__gte=today,
        )

    def ending(self, today: datetime.date):
        """Years that are over and not closed: what is left in them is about to expire."""
        return self.exclude(status=CycleStatus.CLOSED).filter(ends_on__lt=today).order_by("year")

    def latest_on(self, today: datetime.date):
        """The cycle of this year, else the newest; None when there is none."""
        return self.holding(today).first() or self.order_by("-year").first()


@tracked()
class Cycle(models.Model):
    """积分周期：一年一个"""

    year = models.PositiveSmallIntegerField("年度", unique=True)
    starts_on = models.DateField("开始")
    ends_on = models.DateField("结束")
    redeem_until = models.DateField("兑换截止")
    status = models.CharField("状态", max_length=8, choices=CycleStatus, default=CycleStatus.OPEN)
    published_at = models.DateTimeField("结转公示时间", null=True, blank=True, editable=False)
    carry_percent = models.PositiveSmallIntegerField("结转比例（%）", default=0)
    carry_cap = models.PositiveIntegerField("结转上限（分）", null=True, blank=True)

    objects = CycleQuerySet.as_manager()

    class Meta:
        verbose_name = "积分周期"
        verbose_name_plural = "积分周期"
        ordering = ["-year"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=CycleStatus.values), name="cycle_status_listed"
            ),
            models.CheckConstraint(
                condition=Q(starts_on__lt=F("ends_on"), ends_on__lte=F("redeem_until")),
                name="cycle_days_in_order",
                violation_error_message="开始、结束、兑换截止应依次在后。",
            ),
            models.CheckConstraint(
                condition=Q(carry_percent__lte=100),
                name="cycle_carries_at_most_all",
                violation_error_message="结转比例不能超过 100%。",
            ),
        ]

    def __str__(self):
        return f"{self.year} 年"

    def is_movable(self, today: datetime.date) -> bool:
        """Whether points can move in it today; see `movable`."""
        is_open = self.status != CycleStatus.CLOSED and self.published_at is None
        return is_open and self.starts_on <= today <= self.redeem_until


class AccountKind(models.TextChoices):
    """账户种类"""

    MEMBER = "member", "个人"
    ISSUED = "issued", "发放"
    REDEEMED = "redeemed", "兑换"
    EXPIRED = "expired", "作废"
    CARRIED_IN = "carried_in", "结转转入"
    CARRIED_OUT = "carried_out", "结转转出"


SYSTEM_KINDS = [kind for kind in AccountKind if kind != AccountKind.MEMBER]


class AccountQuerySet(models.QuerySet):
    def of_members(self):
        return self.filter(kind=AccountKind.MEMBER)

    def for_retiree(self, retiree: Retiree):
        """The person's accounts, the latest cycle first."""
        return self.filter(retiree=retiree).select_related("cycle").order_by("-cycle__year")


@tracked(exclude=("balance",))
class Account(models.Model):
    """积分账户：每人每周期一个；发放、兑换、作废、结转各周期一个"""

    cycle = models.ForeignKey(Cycle, models.PROTECT, related_name="accounts", verbose_name="周期")
    kind = models.CharField("种类", max_length=12, choices=AccountKind)
    retiree = models.ForeignKey(
        Retiree,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="accounts",
        verbose_name="老同志",
    )
    balance = models.IntegerField("余额", null=True, editable=False)
    frozen_at = models.DateTimeField("冻结时间", null=True, blank=True)
    frozen_why = models.CharField("冻结原因", max_length=60, blank=True)

    objects = AccountQuerySet.as_manager()

    class Meta:
        verbose_name = "积分账户"
        verbose_name_plural = "积分账户"
        ordering = ["id"]
        indexes = [
            # The year's end asks at every batch whether a frozen account holds points.
            models.Index(
                fields=["cycle"], condition=Q(frozen_at__isnull=False), name="account_frozen"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["cycle", "retiree"],
                condition=Q(kind="member"),
                name="account_one_a_person_and_cycle",
            ),
            models.UniqueConstraint(
                fields=["cycle", "kind"],
                condition=~Q(kind="member"),
                name="account_one_of_the_system_a_cycle",
            ),
            # What the transfers' composite keys point to.
            models.UniqueConstraint(fields=["id", "cycle"], name="account_in_its_cycle"),
            models.CheckConstraint(
                condition=Q(kind="member", retiree__isnull=False, balance__isnull=False)
                | (~Q(kind="member") & Q(retiree=None, balance=None, frozen_at=None)),
                name="account_of_a_person_or_the_system",
            ),
            models.CheckConstraint(
                condition=Q(balance=None) | Q(balance__gte=0),
                name="account_never_below_zero",
                violation_error_message="积分不够。",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=AccountKind.values), name="account_kind_listed"
            ),
        ]

    def __str__(self):
        return f"账户 {self.pk}"


class TransferKind(models.TextChoices):
    """流水种类"""

    AWARD = "award", "得分"
    DEDUCT = "deduct", "扣分"
    SPEND = "spend", "兑换"
    REFUND = "refund", "退回"
    EXPIRE = "expire", "到期作废"
    CARRY = "carry", "结转"
    ADJUST = "adjust", "调整"
    SETTLE = "settle", "结清"
    REVERSE = "reverse", "冲销"


def _account(related_name: str, label: str) -> models.ForeignKey:
    """The composite foreign key (account, cycle) stands in the migration."""
    return models.ForeignKey(
        Account, models.PROTECT, related_name=related_name, verbose_name=label, db_constraint=False
    )


def user_link(label: str, **kwargs) -> models.ForeignKey:
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=label,
        **kwargs,
    )


#: Accounts of the system out of which points come to a member; into the others they go.
SOURCES = [AccountKind.ISSUED, AccountKind.CARRIED_IN]


class TransferQuerySet(models.QuerySet):
    def of(self, account: Account):
        return self.filter(Q(from_account=account) | Q(to_account=account))

    def with_member(self):
        """Beside each transfer its person, and the points as they count for them: plus or minus.

        `flow` is the system's account on the other side; `counted` are the points as they count
        in its figure (issued, carried in: what came; redeemed, expired, carried out: what went).
        """
        goes_out = Q(from_account__kind=AccountKind.MEMBER)
        number = IntegerField()
        points = Case(
            When(goes_out, then=ExpressionWrapper(-F("amount"), number)),
            default=F("amount"),
            output_field=number,
        )
        found = self.annotate(
            member=Coalesce(
                "from_account__retiree", "to_account__retiree", output_field=BigIntegerField()
            ),
            points=points,
            flow=Case(When(goes_out, then=F("to_account__kind")), default=F("from_account__kind")),
        )
        return found.annotate(
            counted=Case(When(flow__in=SOURCES, then=F("points")), default=-F("points"))
        )


class Transfer(models.Model):
    """积分流水：从一个账户到另一个账户，只增不改"""

    #: Held by the composite keys of the two accounts.
    cycle = models.ForeignKey(
        Cycle, models.PROTECT, verbose_name="周期", db_index=False, db_constraint=False
    )
    from_account = _account("outgoing", "从")
    to_account = _account("incoming", "到")
    amount = models.PositiveIntegerField("分数")
    kind = models.CharField("种类", max_length=8, choices=TransferKind)
    rule = models.ForeignKey(
        Rule, models.PROTECT, null=True, blank=True, verbose_name="规则", db_index=False
    )
    posting = models.ForeignKey(
        "points.Posting", models.PROTECT, null=True, blank=True, related_name="transfers"
    )
    shortfall = models.ForeignKey(
        "points.Shortfall", models.PROTECT, null=True, blank=True, related_name="payments",
        db_index=False,
    )  # fmt: skip
    key = models.CharField("凭证号", max_length=120)
    reverses = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="reversed_by"
    )
    occurred_on = models.DateField("发生日期")
    posted_at = models.DateTimeField("记账时间")
    posted_by = user_link("记账人", db_index=False)
    approved_by = user_link("审核人", db_index=False)
    memo = models.CharField("摘要", max_length=200, blank=True)

    objects = TransferQuerySet.as_manager()

    class Meta:
        verbose_name = "积分流水"
        verbose_name_plural = "积分流水"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["key"], name="transfer_key_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="transfer_moves_something"),
            models.CheckConstraint(
                condition=~Q(from_account=F("to_account")), name="transfer_goes_elsewhere"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=TransferKind.values), name="transfer_kind_listed"
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None) | Q(posted_by=None) | ~Q(approved_by=F("posted_by")),
                name="transfer_second_person",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["adjust", "settle"])
                | (Q(approved_by__isnull=False, posted_by__isnull=False) & ~Q(memo="")),
                name="transfer_by_hand_is_approved",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["reverse", "refund"]) | Q(reverses__isnull=False),
                name="transfer_back_names_what",
            ),
        ]

    def __str__(self):
        return f"流水 {self.pk}"
