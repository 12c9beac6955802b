"""Branches, who belongs to them and who leads them."""

import datetime

from django.db import models
from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from cadres.history import tracked
from cadres.models import Area, DatedQuerySet, Retiree, Status, Township


class BranchQuerySet(models.QuerySet):
    def with_people(self):
        """How many living people are affiliated to each branch, and served by it."""
        return self.annotate(affiliated=_people("affiliated"), served=_people("served"))

    def with_secretary(self, day: datetime.date | None = None):
        """The name of who holds the secretary's seat on a day, by default today."""
        seats = CommitteeSeat.objects.on(day or timezone.localdate()).filter(
            branch=OuterRef("pk"), kind=SeatKind.SECRETARY
        )
        return self.annotate(secretary_name=Subquery(seats.values("retiree__name")[:1]))


def _people(kind: str):
    """One look at the memberships for each kind: two joins at once would multiply the rows."""
    found = (
        Membership.objects.on(timezone.localdate())
        .filter(branch=OuterRef("pk"), kind=kind, retiree__status=Status.ACTIVE)
        .order_by()
        .values("branch")
        .annotate(people=Count("pk"))
    )
    return Coalesce(Subquery(found.values("people")), 0)


@tracked()
class Branch(models.Model):
    """离退休干部党支部"""

    name = models.CharField("名称", max_length=80, unique=True)
    area = models.ForeignKey(Area, models.PROTECT, verbose_name="片区")
    township = models.ForeignKey(
        Township, models.PROTECT, null=True, blank=True, verbose_name="所在乡镇(街道)"
    )
    founded_on = models.DateField("成立日期", null=True, blank=True)
    brand = models.CharField("特色", max_length=60, blank=True, help_text="一支部一特色")

    objects = BranchQuerySet.as_manager()

    class Meta:
        verbose_name = "党支部"
        verbose_name_plural = "党支部"
        ordering = ["id"]

    def __str__(self):
        return self.name


@tracked()
class BranchAlias(models.Model):
    """支部别名"""

    branch = models.ForeignKey(Branch, models.CASCADE, related_name="aliases")
    name = models.CharField("别名", max_length=80, unique=True)

    class Meta:
        verbose_name = "支部别名"
        verbose_name_plural = "支部别名"
        ordering = ["id"]

    def __str__(self):
        return self.name


class MembershipKind(models.TextChoices):
    """与支部的关系"""

    AFFILIATED = "affiliated", "组织关系"
    PARTICIPATING = "participating", "参加活动"
    SERVED = "served", "联系服务"


@tracked()
class Membership(models.Model):
    """老同志与支部的关系（按日期记录）"""

    retiree = models.ForeignKey(
        Retiree, models.PROTECT, related_name="memberships", verbose_name="老同志"
    )
    branch = models.ForeignKey(
        Branch, models.PROTECT, related_name="memberships", verbose_name="党支部"
    )
    kind = models.CharField("关系", max_length=14, choices=MembershipKind)
    since = models.DateField("自")
    until = models.DateField("至", null=True, blank=True, help_text="不含当日")
    source = models.CharField("依据", max_length=60, blank=True)

    objects = DatedQuerySet.as_manager()

    class Meta:
        verbose_name = "支部关系"
        verbose_name_plural = "支部关系"
        ordering = ["-since", "-id"]
        indexes = [
            models.Index(
                fields=["branch", "kind"], condition=Q(until=None), name="membership_current"
            ),
            models.Index(
                fields=["retiree", "kind"], condition=Q(until=None), name="membership_of_person"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=MembershipKind.values), name="membership_kind_listed"
            ),
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gt=F("since")),
                name="membership_until_after_since",
                violation_error_message="结束日期应晚于开始日期。",
            ),
        ]

    def __str__(self):
        return f"支部关系 {self.pk}"


class SeatKind(models.TextChoices):
    """支委职务"""

    SECRETARY = "secretary", "书记"
    DEPUTY = "deputy", "副书记"
    ORGANISATION = "organisation", "组织委员"
    PROPAGANDA = "propaganda", "宣传委员"
    DISCIPLINE = "discipline", "纪检委员"


@tracked()
class CommitteeSeat(models.Model):
    """支部委员会任职（按日期记录）"""

    branch = models.ForeignKey(Branch, models.PROTECT, related_name="seats", verbose_name="党支部")
    retiree = models.ForeignKey(
        Retiree, models.PROTECT, related_name="seats", verbose_name="老同志"
    )
    kind = models.CharField("职务", max_length=14, choices=SeatKind)
    since = models.DateField("自")
    until = models.DateField("至", null=True, blank=True, help_text="不含当日")

    objects = DatedQuerySet.as_manager()

    class Meta:
        verbose_name = "支委任职"
        verbose_name_plural = "支委任职"
        ordering = ["-since", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=SeatKind.values), name="seat_kind_listed"),
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gt=F("since")),
                name="seat_until_after_since",
                violation_error_message="结束日期应晚于开始日期。",
            ),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} {self.pk}"
