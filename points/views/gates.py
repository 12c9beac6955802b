"""Who may see and do what about redemption days; what is not theirs does not exist."""

from django.db.models import Q
from django.shortcuts import get_object_or_404
from django.utils import timezone

from branches.access import cared_for, secretary_branches, sees_all, visible_retirees
from cadres.models import Retiree
from cadres.roles import is_office
from points.models import Redemption, RedemptionDay


def visible_days(user):
    """All for the office and leaders; for others those at whose till they work."""
    days = RedemptionDay.objects.select_related("cycle")
    return days if sees_all(user) else days.filter(operators=user)


def till_day(user, pk: int) -> RedemptionDay:
    return get_object_or_404(visible_days(user), pk=pk)


def works_at(user, day: RedemptionDay) -> bool:
    """The office at any time; the operators of a day on the day itself."""
    if is_office(user):
        return True
    is_today = day.date == timezone.localdate()
    return is_today and day.operators.filter(pk=user.pk).exists()


def visible_redemptions(user):
    """Those of the people whom a user sees, and of the days at whose till he works today."""
    found = Redemption.objects.with_lines()
    if sees_all(user):
        return found
    mine = Q(retiree__in=visible_retirees(user).order_by().values("pk"))
    todays = visible_days(user).filter(date=timezone.localdate())
    return found.filter(mine | Q(day__in=todays.order_by().values("pk")))


def acts_for(user, retiree: Retiree) -> bool:
    """Oneself, the people one's branch serves, and everybody for the office."""
    return user.retiree_id == retiree.pk or cared_for(user).filter(pk=retiree.pk).exists()


def reserves(user) -> bool:
    """Whether reserving is for this user at all."""
    return is_office(user) or user.retiree_id is not None or secretary_branches(user).exists()


def frame(user) -> dict:
    """The office works at a desk, the others read large type."""
    return {
        "frame": "desk.html" if sees_all(user) else "base.html",
        "is_office": is_office(user),
        "sees_all": sees_all(user),
    }
