"""Rules of the 时间银行: what earns and costs points. A change is a new version."""

import datetime

from django.db import models

from cadres.history import tracked


class Direction(models.TextChoices):
    """方向"""

    AWARD = "award", "加分"
    DEDUCT = "deduct", "扣分"


class RuleQuerySet(models.QuerySet):
    def on(self, day: datetime.date):
        """Of each code the version that counts on a day, switched off ones among them."""
        found = self.filter(valid_from__lte=day).order_by("code", "-valid_from", "-id")
        return self.filter(pk__in=found.distinct("code").values("pk"))


@tracked()
class Rule(models.Model):
    """积分规则：改动即新立一版，旧账仍按旧版"""

    code = models.SlugField("代码", max_length=40)
    valid_from = models.DateField("起用日期")
    name = models.CharField("名称", max_length=80)
    direction = models.CharField("方向", max_length=6, choices=Direction)
    points = models.PositiveSmallIntegerField("分值")
    per = models.CharField("计量单位", max_length=4)
    cap_per_cycle = models.PositiveSmallIntegerField("年度上限", null=True, blank=True)
    verified_by = models.CharField("审核人", max_length=40)
    cause = models.CharField("得分事由", max_length=120)
    credited = models.CharField("记给谁", max_length=40)
    is_enabled = models.BooleanField("启用", default=True)

    objects = RuleQuerySet.as_manager()

    class Meta:
        verbose_name = "积分规则"
        verbose_name_plural = "积分规则"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["code", "valid_from"], name="rule_one_version_a_day"),
            models.CheckConstraint(
                condition=models.Q(direction__in=Direction.values), name="rule_direction_listed"
            ),
            models.CheckConstraint(
                condition=models.Q(points__gt=0),
                name="rule_points_positive",
                violation_error_message="分值应大于零。",
            ),
        ]

    def __str__(self):
        return self.name
