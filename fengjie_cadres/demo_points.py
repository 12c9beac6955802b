"""A modest year of points for the demo county, by hand-made causes until the real ones exist.

Every movement goes through the ledger. The year is 2025; its points may be redeemed long enough
for the demo to be tried whenever it is. This year has a few causes of its own.
"""

import datetime

from django.utils import timezone

from branches.models import Membership, MembershipKind
from cadres.models import Retiree, User
from fengjie_cadres.demo_redemptions import load_redemptions, spend_all
from points import actions, ledger
from points.ledger import Cause
from points.models import Cycle

YEAR = 2025
#: How many people have points, beside the members of the secretary's branch.
PEOPLE = 300
#: Day and month of the year's theme days, and what they were about.
MEETINGS = [(datetime.date(YEAR, month, 10), f"{month}月主题党日") for month in range(1, 13)]
STUDY = [(datetime.date(YEAR, month, 20), f"{month}月集中学习") for month in (2, 5, 8, 11)]
#: Rule, day, how often it counts, what it was; for the demo's own retiree.
OWN = [
    ("training", datetime.date(YEAR, 4, 15), 1, "数字素养培训班"),
    ("volunteer_hour", datetime.date(YEAR, 5, 6), 2.5, "清扫滨河步道"),
    ("volunteer_hour", datetime.date(YEAR, 9, 3), 3, "为老年大学新生引路"),
    ("suggestion_accepted", datetime.date(YEAR, 6, 2), 1, "在公园增设靠背椅"),
    ("suggestion_adopted", datetime.date(YEAR, 7, 1), 1, "在公园增设靠背椅"),
    ("honour_county", datetime.date(YEAR, 10, 9), 1, "县级优秀志愿者"),
]


def load_points() -> None:
    """Cycles, causes, some spending, and one of everything that waits for somebody."""
    today = timezone.localdate()
    year = max(today.year, YEAR)
    cycle = ledger.open_cycle(year=YEAR, redeem_until=datetime.date(year + 1, 1, 31))
    ledger.open_cycle(year=year)
    users = User.objects.in_bulk(["staff", "head", "secretary", "retiree"], field_name="username")
    own = _members(users["secretary"])
    rest = Retiree.objects.filter(activity_class__in="AB").exclude(pk__in=own).order_by("pk")
    others = list(rest.values_list("pk", flat=True)[:PEOPLE])
    _award(own, users["retiree"].retiree_id, users["secretary"])
    ledger.award_many(causes=_of_others(others, year, today), by=users["staff"])
    load_redemptions(cycle, [users["retiree"].retiree_id, *others[::5]], users)
    _exceptions(cycle, own, others, users)


def _members(secretary: User) -> list[int]:
    """Whom the secretary's branch serves."""
    served = Membership.objects.filter(
        kind=MembershipKind.SERVED, branch__seats__retiree=secretary.retiree_id
    )
    return sorted(served.values_list("retiree_id", flat=True))


def _award(members: list[int], retiree: int, secretary: User) -> None:
    """The branch's meetings, at which everybody was now and then; the retiree always.

    A batch is booked in the order of its sources: their days stand first.
    """
    held = sorted(MEETINGS + STUDY)
    causes = [
        Cause(f"demo:{on}:meeting:{pk}", pk, "study_meeting", on, memo=what)
        for number, (on, what) in enumerate(held)
        for place, pk in enumerate(members)
        if pk == retiree or (place + number) % 3
    ]
    causes += [
        Cause(f"demo:{on}:own:{number}", retiree, code, on, units, what)
        for number, (code, on, units, what) in enumerate(OWN)
    ]
    ledger.award_many(causes=causes, by=secretary)


def _of_others(people: list[int], year: int, today: datetime.date) -> list[Cause]:
    """Some meetings and hours of last year each, and one cause of this year."""
    causes = []
    for place, pk in enumerate(people):
        for on, what in MEETINGS[place % 4 :: 3]:
            causes.append(Cause(f"demo:{on}:meeting:{pk}", pk, "study_meeting", on, memo=what))
        on = datetime.date(YEAR, 1 + place % 12, 5)
        hours = 1 + place % 7
        causes.append(
            Cause(f"demo:{on}:hours:{pk}", pk, "volunteer_hour", on, hours, "社区志愿服务")
        )
        on = min(datetime.date(year, 1, 1) + datetime.timedelta(days=place % 60), today)
        causes.append(Cause(f"demo:{year}:report:{pk}", pk, "report_in", on, memo="到社区报到"))
    return causes


def _exceptions(cycle: Cycle, own: list[int], others: list[int], users: dict) -> None:
    """A correction of points already spent, an adjustment that waits, a frozen account."""
    staff, head = users["staff"], users["head"]
    spent, waits, frozen = (Retiree.objects.get(pk=pk) for pk in [own[2], own[3], others[7]])
    on = datetime.date(YEAR, 10, 10)
    more = {"retiree": spent, "code": "honour_city", "on": on, "by": staff, "memo": "报错的荣誉"}
    ledger.award(source="demo:honour", **more)
    spend_all(cycle, spent, staff)
    ledger.reverse(source="demo:honour", by=head, memo="荣誉是同名的另一位的")
    reason = "漏记一次主题党日，有签到表"
    actions.ask_adjustment(retiree=waits, cycle=cycle, amount=2, reason=reason, by=staff)
    ledger.freeze(retiree=frozen, why="家属来电，情况待核实")
    ledger.award(
        source="demo:late", retiree=frozen, code="training", on=datetime.date(YEAR, 12, 3),
        by=staff, memo="支部书记培训班",
    )  # fmt: skip
