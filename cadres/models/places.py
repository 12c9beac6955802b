"""The county's administrative divisions, with official codes, and the areas that group them."""

from django.db import models

from cadres.history import tracked


@tracked()
class Area(models.Model):
    """片区"""

    name = models.CharField("名称", max_length=40, unique=True)
    brand = models.CharField("品牌", max_length=60, blank=True, help_text="一片区一品牌")

    class Meta:
        verbose_name = "片区"
        verbose_name_plural = "片区"
        ordering = ["id"]

    def __str__(self):
        return self.name


@tracked()
class Township(models.Model):
    """乡镇(街道)"""

    code = models.CharField("区划代码", max_length=12, unique=True)
    name = models.CharField("名称", max_length=40, unique=True)
    area = models.ForeignKey(Area, models.PROTECT, null=True, blank=True, verbose_name="片区")

    class Meta:
        verbose_name = "乡镇(街道)"
        verbose_name_plural = "乡镇(街道)"
        ordering = ["code"]

    def __str__(self):
        return self.name


@tracked()
class Community(models.Model):
    """村(社区)"""

    code = models.CharField("区划代码", max_length=12, unique=True)
    name = models.CharField("全称", max_length=60)
    short_name = models.CharField("简称", max_length=40)
    township = models.ForeignKey(Township, models.PROTECT, verbose_name="乡镇(街道)")

    class Meta:
        verbose_name = "村(社区)"
        verbose_name_plural = "村(社区)"
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["township", "name"], name="community_once_per_township")
        ]

    def __str__(self):
        return self.short_name


@tracked()
class TownshipAlias(models.Model):
    """乡镇旧称、别名：不填对应乡镇的，表示要请经办人选定"""

    name = models.CharField("旧称或别名", max_length=40, unique=True)
    township = models.ForeignKey(
        Township, models.PROTECT, null=True, blank=True, verbose_name="现乡镇(街道)"
    )
    note = models.CharField("说明", max_length=200, blank=True)

    class Meta:
        verbose_name = "乡镇旧称"
        verbose_name_plural = "乡镇旧称"
        ordering = ["name"]

    def __str__(self):
        return self.name


@tracked()
class CommunityAlias(models.Model):
    """村(社区)别名：同一个名字在不同乡镇可以指不同的村"""

    community = models.ForeignKey(
        Community, models.CASCADE, related_name="aliases", verbose_name="村(社区)"
    )
    township = models.ForeignKey(Township, models.PROTECT, verbose_name="乡镇(街道)")
    name = models.CharField("别名", max_length=60)

    class Meta:
        verbose_name = "村(社区)别名"
        verbose_name_plural = "村(社区)别名"
        ordering = ["township", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["township", "name"], name="community_alias_once_per_township"
            )
        ]

    def __str__(self):
        return self.name

    def save(self, *args, **kwargs):
        """The township stands beside, so that the database can hold one meaning in each."""
        self.township = self.community.township
        super().save(*args, **kwargs)
