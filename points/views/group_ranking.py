"""Ranking of branches and of areas by what their people have earned in a year."""

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal

from django.http import Http404
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from branches.access import visible_retirees, with_branch
from branches.models import Branch
from cadres.keys import key_in
from cadres.models import Area, Status
from cadres.roles import is_office
from points.models import Account, Cycle
from points.totals import with_earned
from points.views.books import sees_points


@require_GET
def ranking(request, by: str):
    """Branches or areas by what their people have earned in a year."""
    sees_points(request.user)
    if by not in ("branches", "areas"):
        raise Http404
    cycle = Cycle.objects.filter(year=key_in(request.GET.get("year"))).first()
    cycle = cycle or Cycle.objects.latest_on(timezone.localdate())
    context = {
        "by": by,
        "cycle": cycle,
        "cycles": Cycle.objects.all(),
        "rows": groups(by, cycle, request.user) if cycle else [],
        "is_office": is_office(request.user),
    }
    return render(request, "points/year_end/ranking_groups.html", context)


def groups(by: str, cycle: Cycle, user) -> list[dict]:
    """Each branch or area with people: place, people, points, and points a head."""
    key = {"branches": "with_branch", "areas": "township__area"}[by]
    living = with_branch(visible_retirees(user).filter(status=Status.ACTIVE))
    home = dict(living.order_by().values_list("pk", key))
    earned: dict[int | None, int] = defaultdict(int)
    people: dict[int | None, int] = defaultdict(int)
    active: dict[int | None, int] = defaultdict(int)
    for group in home.values():
        people[group] += 1
    accounts = with_earned(Account.objects.of_members().filter(cycle=cycle))
    for pk, points in accounts.order_by().values_list("retiree", "earned"):
        if pk in home:
            earned[home[pk]] += points
            active[home[pk]] += points > 0
    model = {"branches": Branch, "areas": Area}[by]
    names = dict(model.objects.values_list("pk", "name"))
    rows = [
        {
            "name": names[pk],
            "key": pk,
            "people": people[pk],
            "active": active[pk],
            "earned": earned[pk],
            "average": _average(earned[pk], people[pk]),
        }
        for pk in people
        if pk
    ]
    return _placed(sorted(rows, key=lambda row: (-row["average"], -row["earned"], row["name"])))


def _average(points: int, people: int) -> Decimal:
    return (Decimal(points) / people).quantize(Decimal("0.1"), ROUND_HALF_UP)


def _placed(rows: list[dict]) -> list[dict]:
    """As in competitions: 1 2 2 4."""
    place, last = 0, None
    for number, row in enumerate(rows, 1):
        if row["average"] != last:
            place, last = number, row["average"]
        row["place"] = place
    return rows
