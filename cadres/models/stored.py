"""Numbers that are counted in the background, where counting takes too long for a page."""

from django.db import models


class StoredFigures(models.Model):
    """存下的数：后台定时数好的，页面上注明是什么时候数的"""

    name = models.CharField("名称", max_length=20, primary_key=True)
    numbers = models.JSONField("数")
    counted_at = models.DateTimeField("什么时候数的")

    class Meta:
        verbose_name = "存下的数"
        verbose_name_plural = "存下的数"

    def __str__(self):
        return self.name
