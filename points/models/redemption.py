"""以币换物: rewards, the days on which they are given out, and who takes what.

A day belongs to one cycle, and so do all its redemptions. The database itself counts what is taken
of a stock (points/sql/redemption.sql): no more can be taken than was brought, whoever asks.
"""

import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from cadres.history import tracked
from cadres.models import Retiree
from points.models.accounts import Cycle, Transfer, user_link

#: For so long anybody may take back what they have just reserved or handed out.
UNDO = datetime.timedelta(minutes=10)


class RewardKind(models.TextChoices):
    """兑换物品的种类"""

    GOODS = "goods", "物品"
    SERVICE = "service", "服务"


@tracked(exclude=("picture",))
class Reward(models.Model):
    """兑换物品：物品或服务，要多少积分"""

    name = models.CharField("名称", max_length=40, unique=True)
    kind = models.CharField("种类", max_length=7, choices=RewardKind, default=RewardKind.GOODS)
    points = models.PositiveIntegerField("积分")
    value = models.DecimalField(
        "单价（元）", max_digits=8, decimal_places=2, null=True, blank=True, help_text="供审计"
    )
    picture = models.CharField("图片", max_length=60, blank=True, editable=False)
    is_offered = models.BooleanField("可以兑换", default=True)

    class Meta:
        verbose_name = "兑换物品"
        verbose_name_plural = "兑换物品"
        ordering = ["kind", "points", "name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(points__gt=0),
                name="reward_costs_something",
                violation_error_message="积分应大于零。",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=RewardKind.values), name="reward_kind_listed"
            ),
            models.CheckConstraint(
                condition=Q(value=None) | Q(value__gte=0),
                name="reward_value_not_below_zero",
                violation_error_message="单价不能小于零。",
            ),
        ]

    def __str__(self):
        return self.name


class DayStatus(models.TextChoices):
    """兑换场次的状态"""

    PLANNED = "planned", "准备中"
    OPEN = "open", "可以预约"
    DONE = "done", "已结束"
    CANCELLED = "cancelled", "已取消"


class RedemptionDayQuerySet(models.QuerySet):
    def coming(self, now: datetime.datetime):
        """Open days whose closing time, by the county's clock, has not passed."""
        here = timezone.localtime(now)
        is_later = Q(date__gt=here.date()) | Q(date=here.date(), closes_at__gt=here.time())
        return self.filter(is_later, status=DayStatus.OPEN)


@tracked()
class RedemptionDay(models.Model):
    """兑换场次：定点、定时"""

    cycle = models.ForeignKey(
        Cycle, models.PROTECT, related_name="redemption_days", verbose_name="周期"
    )
    date = models.DateField("日期")
    opens_at = models.TimeField("开始")
    closes_at = models.TimeField("结束")
    place = models.CharField("地点", max_length=80)
    operators = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="+", verbose_name="经办人"
    )
    status = models.CharField("状态", max_length=9, choices=DayStatus, default=DayStatus.PLANNED)

    objects = RedemptionDayQuerySet.as_manager()

    class Meta:
        verbose_name = "兑换场次"
        verbose_name_plural = "兑换场次"
        ordering = ["-date", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["date", "place"],
                name="redemption_day_once_a_place",
                violation_error_message="这一天在这个地点已有一场。",
            ),
            models.CheckConstraint(
                condition=Q(opens_at__lt=F("closes_at")),
                name="redemption_day_opens_before_it_closes",
                violation_error_message="结束时间应在开始时间之后。",
            ),
            models.CheckConstraint(
                condition=Q(status__in=DayStatus.values), name="redemption_day_status_listed"
            ),
        ]

    def __str__(self):
        return f"{self.date.year}年{self.date.month}月{self.date.day}日 {self.place}"

    @property
    def has_come(self) -> bool:
        """Whether it is the day itself or later: before, nothing is handed out."""
        return self.date <= timezone.localdate()

    @property
    def last_day_to_cancel(self) -> datetime.date | None:
        """The eve of the day, until which anybody may cancel; None once the day has come."""
        return None if self.has_come else self.date - datetime.timedelta(days=1)

    @property
    def is_over(self) -> bool:
        """Whether its closing time has passed: then nobody reserves any more."""
        here = timezone.localtime()
        return (self.date, self.closes_at) <= (here.date(), here.time())


class DayStock(models.Model):
    """场次库存：这一场带多少、每人限几份；已被取走和预约的由数据库计数"""

    day = models.ForeignKey(
        RedemptionDay, models.PROTECT, related_name="stocks", verbose_name="场次"
    )
    reward = models.ForeignKey(Reward, models.PROTECT, verbose_name="兑换物品")
    points = models.PositiveIntegerField("积分", help_text="这一场按这个分数")
    value = models.DecimalField(
        "单价（元）", max_digits=8, decimal_places=2, null=True, blank=True, editable=False,
        help_text="填写物品时的单价，以后改价不影响这一场",
    )  # fmt: skip
    brought = models.PositiveIntegerField("带来多少")
    per_person = models.PositiveIntegerField("每人限几份", null=True, blank=True)
    taken = models.PositiveIntegerField("已约已领", default=0, editable=False)

    class Meta:
        verbose_name = "场次库存"
        verbose_name_plural = "场次库存"
        ordering = ["reward__kind", "points", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["day", "reward"],
                name="day_stock_once",
                violation_error_message="这一场已有这种物品。",
            ),
            models.CheckConstraint(
                condition=Q(taken__lte=F("brought")),
                name="day_stock_never_below_zero",
                violation_error_message="不能少于已经约出去的份数。",
            ),
            models.CheckConstraint(
                condition=Q(points__gt=0) & (Q(per_person=None) | Q(per_person__gt=0)),
                name="day_stock_costs_and_limits",
                violation_error_message="积分和每人限几份应大于零。",
            ),
        ]

    def __str__(self):
        return f"{self.reward}（{self.day}）"

    @property
    def left(self) -> int:
        return self.brought - self.taken


class RedemptionState(models.TextChoices):
    """兑换单的状态"""

    RESERVED = "reserved", "已预约"
    COLLECTED = "collected", "已领取"
    CANCELLED = "cancelled", "已取消"
    LAPSED = "lapsed", "过期未领"


#: States in which the articles are the person's and the points are spent.
HELD = (RedemptionState.RESERVED, RedemptionState.COLLECTED)


class RedemptionQuerySet(models.QuerySet):
    def held(self):
        return self.filter(state__in=HELD)

    def with_lines(self):
        found = self.select_related("day__cycle", "retiree", "reserved_by", "ended_by")
        return found.prefetch_related("lines__stock__reward")


@tracked()
class Redemption(models.Model):
    """兑换单：谁、哪一场、换了什么；积分与物品同时扣减"""

    day = models.ForeignKey(
        RedemptionDay, models.PROTECT, related_name="redemptions", verbose_name="场次"
    )
    retiree = models.ForeignKey(
        Retiree, models.PROTECT, related_name="redemptions", verbose_name="老同志"
    )
    state = models.CharField("状态", max_length=9, choices=RedemptionState)
    points = models.PositiveIntegerField("积分")
    #: Of the form that asked for it; sent again, it is the same redemption.
    key = models.UUIDField("表单号", unique=True, editable=False)
    transfer = models.OneToOneField(
        Transfer, models.PROTECT, related_name="redemption", verbose_name="流水"
    )
    reserved_at = models.DateTimeField("预约时间")
    reserved_by = user_link("谁约的")
    ended_at = models.DateTimeField("领取或取消时间", null=True, blank=True)
    ended_by = user_link("谁办的")
    collector = models.CharField("代领人", max_length=40, blank=True)
    relation = models.CharField("与本人的关系", max_length=20, blank=True)

    objects = RedemptionQuerySet.as_manager()

    class Meta:
        verbose_name = "兑换单"
        verbose_name_plural = "兑换单"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["day"], condition=Q(state="reserved"), name="redemption_reserved")
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=RedemptionState.values), name="redemption_state_listed"
            ),
            models.CheckConstraint(condition=Q(points__gt=0), name="redemption_costs_something"),
            models.CheckConstraint(
                condition=Q(state="reserved", ended_at=None)
                | (~Q(state="reserved") & Q(ended_at__isnull=False)),
                name="redemption_ends_once",
            ),
            models.CheckConstraint(
                condition=Q(collector="", relation="") | (~Q(collector="") & ~Q(relation="")),
                name="redemption_collector_with_relation",
                violation_error_message="代领要写明代领人和与本人的关系。",
            ),
        ]

    def __str__(self):
        return f"兑换单 {self.pk}"

    @property
    def number(self) -> str:
        """As it stands on the slip."""
        return f"{self.day.date:%Y%m%d}-{self.pk:05d}"

    @property
    def in_words(self) -> str:
        """What it is about: 大米 2 份、牙刷 1 份."""
        return "、".join(f"{line.stock.reward} {line.quantity} 份" for line in self.lines.all())

    @property
    def can_be_undone(self) -> bool:
        since = self.ended_at if self.state == RedemptionState.COLLECTED else self.reserved_at
        return self.state in HELD and timezone.now() - since < UNDO


class RedemptionLine(models.Model):
    """兑换单上的一行"""

    redemption = models.ForeignKey(
        Redemption, models.PROTECT, related_name="lines", verbose_name="兑换单"
    )
    stock = models.ForeignKey(
        DayStock, models.PROTECT, related_name="lines", verbose_name="场次库存"
    )
    quantity = models.PositiveIntegerField("份数")
    points = models.PositiveIntegerField("每份积分")

    class Meta:
        verbose_name = "兑换单的一行"
        verbose_name_plural = "兑换单的行"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["redemption", "stock"], name="redemption_line_once"),
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="redemption_line_takes_something"
            ),
        ]

    def __str__(self):
        return f"{self.stock.reward} × {self.quantity}"

    @property
    def sum(self) -> int:
        return self.points * self.quantity
