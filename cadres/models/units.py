"""The 112 units whose retired people the office looks after."""

from django.db import models

from cadres.history import tracked


class Nature(models.TextChoices):
    """单位性质"""

    ORGAN = "机关", "机关"
    INSTITUTION = "事业单位", "事业单位"
    COMPANY = "国有企业", "国有企业"


class UnitLevel(models.TextChoices):
    """层级"""

    COUNTY = "县级", "县级"
    TOWNSHIP = "乡镇级", "乡镇级"


class UnitQuerySet(models.QuerySet):
    def with_people(self):
        """Of each unit the people whom the county counts, in all and by class (three letters)."""
        counted = models.Q(retiree__status="active", retiree__lives_in_county=True)
        return self.annotate(
            people=models.Count("retiree", filter=counted, distinct=True),
            **{
                f"people_{code}": models.Count(
                    "retiree",
                    filter=counted & models.Q(retiree__activity_class=code.upper()),
                    distinct=True,
                )
                for code in "abc"
            },
        )


@tracked()
class Unit(models.Model):
    """原工作单位"""

    name = models.CharField("名称", max_length=80, unique=True)
    nature = models.CharField("性质", max_length=10, choices=Nature)
    sector = models.CharField("行业", max_length=20)
    unit_level = models.CharField("层级", max_length=10, choices=UnitLevel)

    objects = UnitQuerySet.as_manager()

    class Meta:
        verbose_name = "单位"
        verbose_name_plural = "单位"
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(nature__in=Nature.values),
                name="unit_nature_listed",
                violation_error_message="单位性质请在列表中选择。",
            ),
            models.CheckConstraint(
                condition=models.Q(unit_level__in=UnitLevel.values),
                name="unit_level_listed",
                violation_error_message="单位层级请在列表中选择。",
            ),
        ]

    def __str__(self):
        return self.name


@tracked()
class UnitAlias(models.Model):
    """单位别名"""

    unit = models.ForeignKey(Unit, models.CASCADE, related_name="aliases", verbose_name="单位")
    name = models.CharField("别名", max_length=80, unique=True)

    class Meta:
        verbose_name = "单位别名"
        verbose_name_plural = "单位别名"
        ordering = ["id"]

    def __str__(self):
        return self.name
