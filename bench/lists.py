"""The people's list at 1,878 and at 187,800 people, ours and the stock admin's."""

import statistics
import time
from collections.abc import Iterator
from functools import partial

from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from bench import database, people, roster
from bench.table import Contender, Row, measure
from branches.models import Branch
from cadres.models import Area, Retiree, Township, Unit

LARGE = database.PREFIX + "large"
COPIES = 99
REQUESTS = 10
#: The same pages in both admins where both have them; ours has the age bands as well.
STOCK = {
    "township": "township__id__exact",
    "area": "township__area__id__exact",
    "branch": "memberships__branch__id__exact",
    "unit": "unit__id__exact",
    "sector": "unit__sector",
    "unit_level": "unit__unit_level__exact",
    "activity_class": "activity_class__exact",
    "political_status": "political_status__exact",
    "rank": "rank",
    "sex": "sex__exact",
    "status": "status__exact",
}


def rows() -> Iterator[Row]:
    """Each page at both sizes; of the filters, the one that suffers most from the size."""
    roster.make_full()
    database.make(LARGE, roster.FULL)
    people.fill(LARGE, COPIES)
    searches, filters = _pages()
    found = [_compare(what, {"q": term}, {"q": term}) for what, term in searches.items()]
    found.append(_compare("名单", {}, {}))
    boxes = [
        _compare(f"筛选 {n}", {n: v}, {STOCK[n]: v} if n in STOCK else None)
        for n, v in filters.items()
    ]
    boxes.sort(key=lambda pair: pair[1].ours.seconds / pair[0].ours.seconds)
    for pair in (*found, *boxes):
        yield from pair


def _pages() -> tuple[dict[str, str], dict[str, str | int]]:
    database.use(roster.FULL)
    someone = Retiree.objects.select_related("unit").exclude(id_number=None).order_by("pk")[7]
    surname, *given = someone.name_pinyin.split()
    searches = {
        "查姓名": someone.name,
        "查姓氏": someone.name[0],
        "查拼音": surname + given[0],
        "查首字母": surname[0] + given[0][0],
        "查证号后四位": someone.id_number[-4:],
    }
    filters = {
        "township": someone.township_id or Township.objects.first().pk,
        "area": Area.objects.first().pk,
        "branch": Branch.objects.first().pk,
        "unit": someone.unit_id or Unit.objects.first().pk,
        "sector": someone.unit.sector,
        "unit_level": someone.unit.unit_level,
        "activity_class": "A",
        "political_status": "member",
        "rank": someone.rank,
        "sex": "M",
        "status": "active",
        "age": "70-79",
    }
    return searches, filters


def _compare(what: str, ours: dict, stock: dict | None) -> tuple[Row, Row]:
    """Both sizes take turns, so that a busy moment hits them alike."""
    here, there = reverse("admin:cadres_retiree_changelist"), "/stock/cadres/retiree/"
    sizes = (("1,878", roster.FULL), ("187,800", LARGE))
    mine = [Contender(partial(_visit, name, here, ours)) for _, name in sizes]
    peers = [Contender(partial(_visit, name, there, stock)) for _, name in sizes if stock is not None]
    measure(*mine, *peers)
    found = [
        Row(f"{what}（{size} 人）", one, None, peer)
        for (size, _), one, peer in zip(sizes, mine, peers or (None, None), strict=True)
    ]
    found[1].at_most("÷1,878 人", mine[1].seconds / mine[0].seconds, 2)
    found[1].same("查询相同", mine[1].queries, mine[0].queries)
    return found[0], found[1]


def _visit(name: str, path: str, query: dict) -> tuple[float, int]:
    """The 95th percentile of some requests, the first one not counted, and one's queries."""
    database.use(name)
    user, _ = get_user_model().objects.get_or_create(
        username="bench", defaults={"is_staff": True, "is_superuser": True}
    )
    client = Client(HTTP_HOST="localhost")
    client.force_login(user)
    times = []
    for _ in range(REQUESTS + 1):
        sent = database.sent()
        began = time.perf_counter()
        response = client.get(path, query)
        times.append(time.perf_counter() - began)
        if response.status_code != 200:
            raise ValueError(f"{response.status_code} {path} {query}")
    return statistics.quantiles(times[1:], n=20)[-1], database.sent() - sent
