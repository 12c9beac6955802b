"""表彰激励: thresholds of a year, lists that two persons decide, and who is commended."""

from django.db import models
from django.db.models import F, Q

from cadres.history import tracked
from cadres.models import Retiree
from points.models.accounts import Cycle, user_link
from points.models.causes import RulingState


class CommendationKind(models.TextChoices):
    """表彰的种类"""

    COMMENDED = "commended", "通报表扬"
    CERTIFICATE = "certificate", "证书"
    SUBSIDY = "subsidy", "资金补贴"


@tracked()
class Threshold(models.Model):
    """表彰标准：一年得多少分可以列为人选"""

    cycle = models.ForeignKey(Cycle, models.PROTECT, related_name="thresholds", verbose_name="周期")
    kind = models.CharField("种类", max_length=11, choices=CommendationKind)
    points = models.PositiveIntegerField("至少得多少分")
    amount = models.PositiveIntegerField("每人补贴（元）", null=True, blank=True)
    set_by = user_link("谁定的")

    class Meta:
        verbose_name = "表彰标准"
        verbose_name_plural = "表彰标准"
        ordering = ["-cycle__year", "kind"]
        constraints = [
            models.UniqueConstraint(fields=["cycle", "kind"], name="threshold_one_a_kind"),
            models.CheckConstraint(condition=Q(points__gt=0), name="threshold_is_something"),
            models.CheckConstraint(
                condition=Q(kind="subsidy", amount__gt=0) | (~Q(kind="subsidy") & Q(amount=None)),
                name="threshold_amount_of_subsidies",
                violation_error_message="资金补贴要写每人多少元。",
            ),
        ]

    def __str__(self):
        return f"表彰标准 {self.pk}"


@tracked()
class CommendationList(models.Model):
    """表彰名单：工作人员提出，负责人审批"""

    cycle = models.ForeignKey(
        Cycle, models.PROTECT, related_name="commendation_lists", verbose_name="周期"
    )
    kind = models.CharField("种类", max_length=11, choices=CommendationKind)
    points = models.PositiveIntegerField("标准（分）")
    state = models.CharField("状态", max_length=8, choices=RulingState, default=RulingState.WAITING)
    asked_by = models.ForeignKey(
        "cadres.User", models.PROTECT, related_name="+", verbose_name="谁提出的"
    )
    asked_at = models.DateTimeField("提出时间", auto_now_add=True)
    decided_by = user_link("谁审批的")
    decided_at = models.DateTimeField("审批时间", null=True, blank=True)
    words = models.CharField("审批意见", max_length=200, blank=True)

    class Meta:
        verbose_name = "表彰名单"
        verbose_name_plural = "表彰名单"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["cycle", "kind"],
                condition=Q(state="waiting"),
                name="commendation_list_one_waiting",
                violation_error_message="已有一份名单在等审批。",
            ),
            models.CheckConstraint(
                condition=Q(state__in=RulingState.values), name="commendation_list_state_listed"
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("asked_by")),
                name="commendation_list_second_person",
                violation_error_message="自己提出的名单，要由另一个人审批。",
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", decided_by=None)
                | (~Q(state="waiting") & ~Q(decided_by=None)),
                name="commendation_list_decided_by_somebody",
            ),
        ]

    def __str__(self):
        return f"表彰名单 {self.pk}"


class CommendationQuerySet(models.QuerySet):
    def granted(self):
        return self.filter(number__isnull=False)


@tracked()
class Commendation(models.Model):
    """表彰：一位老同志一年的通报表扬、证书或资金补贴；审批后编号"""

    list = models.ForeignKey(
        CommendationList, models.PROTECT, related_name="people", verbose_name="名单"
    )
    cycle = models.ForeignKey(Cycle, models.PROTECT, verbose_name="周期")
    kind = models.CharField("种类", max_length=11, choices=CommendationKind)
    retiree = models.ForeignKey(
        Retiree, models.PROTECT, related_name="commendations", verbose_name="老同志"
    )
    earned = models.PositiveIntegerField("全年得分")
    amount = models.PositiveIntegerField("补贴（元）", null=True, blank=True)
    number = models.PositiveIntegerField("编号", null=True, blank=True)

    objects = CommendationQuerySet.as_manager()

    class Meta:
        verbose_name = "表彰"
        verbose_name_plural = "表彰"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["cycle", "kind", "number"], name="commendation_number_once"
            ),
            models.UniqueConstraint(
                fields=["cycle", "kind", "retiree"],
                condition=Q(number__isnull=False),
                name="commendation_once_a_person",
            ),
            models.UniqueConstraint(fields=["list", "retiree"], name="commendation_once_a_list"),
        ]

    def __str__(self):
        return f"表彰 {self.pk}"

    @property
    def number_in_words(self) -> str:
        """As it stands on paper: 奉老证〔2025〕第 001 号."""
        if self.number is None:
            return ""
        sign = {"commended": "奉老表", "certificate": "奉老证", "subsidy": "奉老补"}[self.kind]
        return f"{sign}〔{self.cycle.year}〕第 {self.number:03d} 号"
