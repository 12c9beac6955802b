"""What is done for a person, and the yearly look at the activity class."""

from django.conf import settings
from django.db import models
from django.db.models import F, Max, Q
from django.urls import reverse

from cadres.history import tracked
from cadres.models.ledgers import ClassChange
from cadres.models.people import ActivityClass, Retiree, listed


class CareKind(models.TextChoices):
    """关心关爱的种类"""

    VISIT = "visit", "走访慰问"
    HOSPITAL = "hospital", "住院"
    BIRTHDAY = "birthday", "生日"
    HARDSHIP = "hardship", "困难帮扶"
    DEATH = "death", "去世"


class CareQuerySet(models.QuerySet):
    def latest_of_people(self):
        """Of each person, by `retiree_id`: when last visited, taken to hospital and not out, …"""
        last = {
            "visited_on": Q(kind=CareKind.VISIT),
            "in_hospital_since": Q(kind=CareKind.HOSPITAL, until=None),
            "hardship_on": Q(kind=CareKind.HARDSHIP),
        }
        days = {name: Max("on", filter=which) for name, which in last.items()}
        return self.order_by().values("retiree_id").annotate(left_on=Max("until"), **days)


class ValidManager(models.Manager.from_queryset(CareQuerySet)):
    def get_queryset(self):
        return super().get_queryset().filter(is_void=False)


@tracked()
class CareRecord(models.Model):
    """关心关爱（走访慰问、住院、生日、困难帮扶、去世）

    What was taken back is kept, and seen through `everything` alone.
    """

    retiree = models.ForeignKey(
        Retiree, models.PROTECT, related_name="care_records", verbose_name="老同志"
    )
    kind = models.CharField("种类", max_length=10, choices=CareKind)
    on = models.DateField("日期")
    until = models.DateField("出院日期", null=True, blank=True)
    place = models.CharField("地点", max_length=60, blank=True)
    visitors = models.CharField("看望的人", max_length=100, blank=True)
    given = models.CharField("慰问品或慰问金", max_length=100, blank=True)
    words = models.CharField("情况", max_length=300, blank=True)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="登记人",
    )
    created_at = models.DateTimeField("登记时间", auto_now_add=True)
    is_void = models.BooleanField("已撤销", default=False, editable=False)
    void_reason = models.CharField("撤销原因", max_length=200, blank=True, editable=False)

    objects = ValidManager()
    everything = CareQuerySet.as_manager()

    class Meta:
        verbose_name = "关心关爱"
        verbose_name_plural = "关心关爱"
        ordering = ["-on", "-id"]
        indexes = [models.Index(fields=["retiree", "kind", "on"], name="care_of_person")]
        constraints = [
            listed("kind", CareKind, "care_kind_listed"),
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gte=F("on"), kind=CareKind.HOSPITAL),
                name="care_until_after_on",
                violation_error_message="出院日期只用于住院，不能早于入院日期。",
            ),
            models.UniqueConstraint(
                fields=["retiree"],
                condition=Q(kind=CareKind.DEATH, is_void=False),
                name="care_dies_once",
                violation_error_message="已经登记过去世。",
            ),
            models.UniqueConstraint(
                fields=["retiree", "kind", "on"],
                condition=Q(is_void=False),
                name="care_once_a_day",
                violation_error_message="这一天已经登记过同一种关爱，请核对。",
            ),
            models.CheckConstraint(
                condition=Q(is_void=False, void_reason="") | (Q(is_void=True) & ~Q(void_reason="")),
                name="care_void_says_why",
                violation_error_message="请写明为什么撤销。",
            ),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} {self.pk}"

    def get_absolute_url(self):
        return reverse("cadres:care-record", args=[self.pk])

    @property
    def details(self) -> str:
        """Where, who, what was given, and how things are, in one line."""
        named = [("地点", self.place), ("看望的人", self.visitors), ("慰问", self.given)]
        said = [f"{label}：{text}" for label, text in named if text]
        return "；".join([*said, self.words] if self.words else said)

    @property
    def is_open_stay(self) -> bool:
        """In hospital, as far as is known."""
        return self.kind == CareKind.HOSPITAL and self.until is None


class ReviewOutcome(models.TextChoices):
    """类别复核的结果"""

    KEPT = "kept", "维持原类别"
    CHANGED = "changed", "调整"


@tracked()
class ClassReview(models.Model):
    """活动类别复核：谁在哪天看过，维持还是调整；系统建议过什么"""

    retiree = models.ForeignKey(
        Retiree, models.PROTECT, related_name="class_reviews", verbose_name="老同志"
    )
    reviewed_on = models.DateField("复核日期")
    outcome = models.CharField("结果", max_length=8, choices=ReviewOutcome)
    suggested = models.CharField("系统建议", max_length=1, choices=ActivityClass, blank=True)
    why = models.CharField("建议的理由", max_length=200, blank=True)
    reason = models.CharField("说明", max_length=200, blank=True)
    change = models.OneToOneField(
        ClassChange, models.PROTECT, null=True, blank=True, related_name="review"
    )
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="复核人",
    )
    created_at = models.DateTimeField("登记时间", auto_now_add=True)

    class Meta:
        verbose_name = "类别复核"
        verbose_name_plural = "类别复核"
        ordering = ["-reviewed_on", "-id"]
        indexes = [models.Index(fields=["retiree", "reviewed_on"], name="class_review_of_person")]
        constraints = [
            listed("outcome", ReviewOutcome, "class_review_outcome_listed"),
            listed("suggested", ActivityClass, "class_review_suggested_listed", optional=True),
            models.CheckConstraint(
                condition=Q(outcome=ReviewOutcome.CHANGED, change__isnull=False)
                | Q(outcome=ReviewOutcome.KEPT, change=None),
                name="class_review_change_with_outcome",
            ),
        ]

    def __str__(self):
        return f"类别复核 {self.pk}"
