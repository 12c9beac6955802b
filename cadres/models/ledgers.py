"""The dated ledgers of a person: where they live, and which activity class they are in."""

import datetime

from django.db import models
from django.db.models import F, Q

from cadres.history import tracked
from cadres.models.people import ActivityClass, Retiree, listed
from cadres.models.places import Community, Township


class DatedQuerySet(models.QuerySet):
    def on(self, day: datetime.date):
        """Rows whose period holds the day: since ≤ day < until."""
        return self.filter(Q(until=None) | Q(until__gt=day), since__lte=day)

    def current(self):
        return self.filter(until=None)


@tracked(exclude=("address",))
class Residence(models.Model):
    """居住地（按日期记录）"""

    retiree = models.ForeignKey(Retiree, models.PROTECT, related_name="residences")
    township = models.ForeignKey(
        Township, models.PROTECT, null=True, blank=True, verbose_name="乡镇(街道)"
    )
    community = models.ForeignKey(
        Community, models.PROTECT, null=True, blank=True, verbose_name="村(社区)"
    )
    address = models.CharField("详细地址", max_length=200, blank=True)
    address_digest = models.CharField(max_length=32, blank=True, editable=False)
    since = models.DateField("自")
    until = models.DateField("至", null=True, blank=True, help_text="不含当日")
    source = models.CharField("依据", max_length=60, blank=True)

    objects = DatedQuerySet.as_manager()

    class Meta:
        verbose_name = "居住地"
        verbose_name_plural = "居住地"
        ordering = ["-since"]
        constraints = [
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gt=F("since")),
                name="residence_until_after_since",
                violation_error_message="结束日期应晚于开始日期。",
            )
        ]

    def __str__(self):
        return f"居住地 {self.pk}"


@tracked()
class Absence(models.Model):
    """转出期间：从转出那天到转回那天（不含）

    Only those that are over: who is away now has `moved_away_on` in the own row.
    """

    retiree = models.ForeignKey(Retiree, models.PROTECT, related_name="absences")
    since = models.DateField("自")
    until = models.DateField("至", help_text="不含当日")

    objects = DatedQuerySet.as_manager()

    class Meta:
        verbose_name = "转出期间"
        verbose_name_plural = "转出期间"
        ordering = ["-since", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(until__gt=F("since")),
                name="absence_until_after_since",
                violation_error_message="结束日期应晚于开始日期。",
            )
        ]

    def __str__(self):
        return f"转出期间 {self.pk}"


class ClassReason(models.TextChoices):
    """活动类别变动的原因"""

    AGE = "age", "年龄"
    HEALTH = "health", "健康状况变化"
    HOSPITAL = "hospital", "住院"
    RECOVERED = "recovered", "康复"
    WISH = "wish", "本人申请"
    SURVEY = "survey", "问卷调查"
    REVIEW = "review", "年度复核"
    LAPSED = "lapsed", "临时类别到期"
    IMPORT = "import", "名册导入"
    FIRST = "first", "新登记"
    OTHER = "other", "其他"


class ClassChangeQuerySet(models.QuerySet):
    def latest_on(self, day: datetime.date):
        """Of each person the entry that counts on a day (set-based, by DISTINCT ON)."""
        found = self.filter(effective_from__lte=day).order_by(
            "retiree_id", "-effective_from", "-id"
        )
        return found.distinct("retiree_id")


@tracked()
class ClassChange(models.Model):
    """活动类别变动（台账）"""

    retiree = models.ForeignKey(Retiree, models.PROTECT, related_name="class_changes")
    activity_class = models.CharField("活动类别", max_length=1, choices=ActivityClass)
    effective_from = models.DateField("生效日期")
    until = models.DateField(
        "到期日期", null=True, blank=True, help_text="临时类别到这一天自动恢复原来的类别"
    )
    reason_kind = models.CharField(
        "原因", max_length=10, choices=ClassReason, default=ClassReason.OTHER
    )
    reason = models.CharField("说明", max_length=200, blank=True)
    source = models.CharField("依据", max_length=60, blank=True)
    decided_by = models.ForeignKey(
        "cadres.User", models.PROTECT, null=True, blank=True, verbose_name="审定人"
    )
    created_at = models.DateTimeField("登记时间", auto_now_add=True)

    objects = ClassChangeQuerySet.as_manager()

    class Meta:
        verbose_name = "活动类别变动"
        verbose_name_plural = "活动类别变动"
        ordering = ["-effective_from", "-id"]
        indexes = [models.Index(fields=["retiree", "effective_from"], name="class_change_ledger")]
        constraints = [
            listed("activity_class", ActivityClass, "class_change_class_listed"),
            listed("reason_kind", ClassReason, "class_change_reason_listed"),
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gt=F("effective_from")),
                name="class_change_until_after_start",
                violation_error_message="到期日期应晚于生效日期。",
            ),
        ]

    def __str__(self):
        return f"{self.get_activity_class_display()}（{self.effective_from}）"
