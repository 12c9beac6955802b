"""Who looked at what: the access log, and files that were asked for."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from cadres.history import tracked
from cadres.jobs import Job, JobState
from cadres.models.people import Retiree

#: From so many people on a full export needs a second person.
SECOND_PERSON_FROM = 200


class AccessKind(models.TextChoices):
    """查阅方式"""

    REVEAL = "reveal", "查看完整号码"
    EXPORT = "export", "导出"
    FULL_EXPORT = "full_export", "导出完整号码"
    DOWNLOAD = "download", "下载导出文件"


class Secret(models.TextChoices):
    """平时不显示全部的号码"""

    ID_NUMBER = "id_number", "身份证号"
    PHONE = "phone", "联系电话"
    SECOND_PHONE = "second_phone", "第二电话"
    EMERGENCY_PHONE = "emergency_phone", "紧急联系电话"


class AccessEntry(models.Model):
    """查阅记录：只增不改"""

    at = models.DateTimeField("时间", auto_now_add=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="谁"
    )
    kind = models.CharField("方式", max_length=12, choices=AccessKind)
    retiree = models.ForeignKey(
        Retiree,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="access_entries",
        verbose_name="看了谁",
    )
    secret = models.CharField("看了什么", max_length=16, choices=Secret, blank=True)
    export = models.ForeignKey(
        "cadres.Export", models.PROTECT, null=True, blank=True, verbose_name="导出文件"
    )
    people = models.PositiveIntegerField("人数", default=1)
    reason = models.CharField("原因", max_length=200, blank=True)

    class Meta:
        verbose_name = "查阅记录"
        verbose_name_plural = "查阅记录"
        ordering = ["-id"]
        indexes = [models.Index(fields=["user", "kind", "at"], name="access_of_user")]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=AccessKind.values), name="access_kind_listed"
            ),
            models.CheckConstraint(
                condition=~Q(kind="reveal")
                | (Q(retiree__isnull=False) & ~Q(secret="") & ~Q(reason="")),
                name="access_reveal_says_why",
            ),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} {self.pk}"


class ExportState(models.TextChoices):
    """导出状态"""

    WAITING = "waiting", "等负责人同意"
    MAKING = "making", "正在生成"
    READY = "ready", "可以下载"
    DECLINED = "declined", "没有同意"


class ExportQuerySet(models.QuerySet):
    def being_made(self):
        """Not those whose job has failed: nothing more comes of them."""
        return self.filter(state=ExportState.MAKING).exclude(job__state=JobState.FAILED)


@tracked()
class Export(models.Model):
    """导出的文件：24 小时内，只给一个人下载"""

    kind = models.CharField("表", max_length=20)
    title = models.CharField("名称", max_length=80)
    params = models.JSONField("筛选条件", default=dict)
    filter_words = models.CharField("筛选", max_length=300, blank=True)
    is_full = models.BooleanField("含完整号码", default=False)
    people = models.PositiveIntegerField("人数", default=0)
    reason = models.CharField("用途", max_length=200, blank=True)
    state = models.CharField("状态", max_length=10, choices=ExportState)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="exports", verbose_name="谁要的"
    )
    asked_at = models.DateTimeField("提出时间", auto_now_add=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="谁同意的",
    )
    decided_at = models.DateTimeField("同意时间", null=True, blank=True)
    file = models.FileField("文件", upload_to="exports", blank=True)
    expires_at = models.DateTimeField("下载期限", null=True, blank=True)
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = ExportQuerySet.as_manager()

    class Meta:
        verbose_name = "导出"
        verbose_name_plural = "导出"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=ExportState.values), name="export_state_listed"
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("asked_by")),
                name="export_second_person",
                violation_error_message="自己提出的导出，要由另一位负责人同意。",
            ),
            models.CheckConstraint(
                condition=Q(is_full=False)
                | Q(people__lt=SECOND_PERSON_FROM)
                | Q(decided_by__isnull=False)
                | Q(state="waiting"),
                name="export_large_full_is_approved",
            ),
            models.CheckConstraint(
                condition=Q(is_full=False) | ~Q(reason=""), name="export_full_says_why"
            ),
        ]

    def __str__(self):
        return f"{self.title}（{self.number}）"

    def get_absolute_url(self):
        return reverse("export", args=[self.pk])

    @property
    def number(self) -> str:
        """The export number that stands in the file and in the access log."""
        return f"导{timezone.localtime(self.asked_at).year}-{self.pk:06d}"

    @property
    def has_failed(self) -> bool:
        """Its job gave up: asked for again, another one is made."""
        is_making = self.state == ExportState.MAKING and self.job is not None
        return is_making and self.job.state == JobState.FAILED

    @property
    def state_in_words(self) -> str:
        return "没有生成出来" if self.has_failed else self.get_state_display()

    @property
    def is_open(self) -> bool:
        """May still be downloaded."""
        return bool(
            self.state == ExportState.READY and self.file and timezone.now() < self.expires_at
        )
