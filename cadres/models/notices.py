"""What is announced to those who look after a person."""

from django.conf import settings
from django.db import models

from cadres.models.people import Retiree


class Announcement(models.Model):
    """通知（与公示不同）：关于一位老同志的，联系他的党支部看得到"""

    title = models.CharField("标题", max_length=80)
    text = models.CharField("内容", max_length=300)
    retiree = models.ForeignKey(
        Retiree, models.PROTECT, null=True, blank=True, related_name="announcements"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField("时间", auto_now_add=True)

    class Meta:
        verbose_name = "通知"
        verbose_name_plural = "通知"
        ordering = ["-id"]

    def __str__(self):
        return self.title
