"""年度结转: who started it, for which day it is booked, and which job does the work."""

from django.db import models

from cadres.history import tracked
from cadres.jobs import Job
from points.models.accounts import Cycle, user_link


@tracked()
class Rollover(models.Model):
    """年度结转记账：谁开始的、记在哪一天、由哪个后台任务办"""

    cycle = models.OneToOneField(
        Cycle, models.PROTECT, related_name="rollover", verbose_name="周期"
    )
    posted_on = models.DateField("记账日期")
    accounts = models.PositiveIntegerField("账户数")
    started_by = user_link("谁开始的")
    started_at = models.DateTimeField("开始时间")
    job = models.ForeignKey(Job, models.PROTECT, related_name="+", verbose_name="后台任务")

    class Meta:
        verbose_name = "年度结转"
        verbose_name_plural = "年度结转"
        ordering = ["-cycle__year"]

    def __str__(self):
        return f"年度结转 {self.pk}"
