"""Every figure: one number, one definition. Tile, list and workbook all ask here.

A figure about people *is* a filled filter of the people's list, so that its number, the list
that it opens and the list's workbook cannot differ.
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.db.models import QuerySet, Sum
from django.urls import reverse
from django.utils import timezone

from branches.access import visible_branches
from branches.forms import BranchFilter
from cadres.forms import AGE_BANDS, UNCLASSED, UnitFilter, people_of
from cadres.forms.review import due_of
from cadres.models import ActivityClass, Unit, User
from points.forms import THIS_YEAR, accounts_of, ledger_of

#: Those whom the county counts.
COUNTED = {"status": "active", "lives_in_county": "yes"}


@dataclass(frozen=True)
class Figure:
    """A number: code, name, unit of measure, one sentence of definition (口径), rows behind it.

    `rows(filled, user)` are those of the list at `page` (a URL name) filled with `filled`;
    `table` is the kind of export with the same rows.
    """

    code: str
    name: str
    measure: str
    definition: str
    rows: Callable[[dict, User], QuerySet]
    page: str
    table: str
    filled: dict[str, str] = field(default_factory=dict)
    #: What the number says of the rows: how many, or the sum of a column (`total` on the page).
    number: Callable[[QuerySet], int] = QuerySet.count

    def asked(self, on: datetime.date | None = None, **more: str) -> dict[str, str]:
        """The filled filter, as at a day; today is not said."""
        is_past = on is not None and on < timezone.localdate()
        day = {"on": on.isoformat()} if is_past else {}
        return self.filled | more | day

    def queryset(self, user: User, on: datetime.date | None = None) -> QuerySet:
        return self.rows(self.asked(on), user)

    def count(self, user: User, on: datetime.date | None = None) -> int:
        return self.number(self.queryset(user, on))

    def address(self, on: datetime.date | None = None, **more: str) -> str:
        """Of the list that the number opens."""
        query = urlencode(self.asked(on, **more))
        return reverse(self.page) + (f"?{query}" if query else "")

    def workbook_address(self, on: datetime.date | None = None) -> str:
        query = urlencode(self.asked(on))
        return reverse("export-new", args=[self.table]) + (f"?{query}" if query else "")


def _of_people(code: str, name: str, definition: str, **filled: str) -> Figure:
    filled = COUNTED | filled
    return Figure(code, name, "人", definition, people_of, "cadres:people", "roster", filled)


def _units(filled: dict, user: User) -> QuerySet:
    return UnitFilter(filled).filter(Unit.objects.all())


def _branches(filled: dict, user: User) -> QuerySet:
    return BranchFilter(filled).filter(visible_branches(user))


def _sum_of(column: str) -> Callable[[QuerySet], int]:
    return lambda rows: rows.aggregate(sum=Sum(column))["sum"] or 0


def _of_points(flow: str, name: str, definition: str) -> Figure:
    """Points that moved in the year of today, as the ledger's list sums them up."""
    filled = {"year": THIS_YEAR, "flow": flow}
    page, table = "points:ledger", "points-ledger"
    return Figure(
        f"points_{flow}", name, "分", definition, ledger_of, page, table, filled, _sum_of("counted")
    )


_POINTS = [
    _of_points(
        "issued",
        "本年度发放积分",
        "本年度得分和手工加分之和，减去扣分、减分和收回的。",
    ),
    _of_points("redeemed", "本年度兑换积分", "本年度兑换和结清的积分，减去退回的。"),
    _of_points("expired", "本年度作废积分", "本年度到期或由办公室决定作废的积分。"),
    Figure(
        "points_outstanding",
        "本年度结余积分",
        "分",
        "本年度所有老同志账户里现有的积分，冻结的也在内。",
        accounts_of,
        "points:accounts",
        "points-accounts",
        {"year": THIS_YEAR},
        _sum_of("balance"),
    ),
]
_CLASSES = [
    _of_people(
        f"class_{code.lower()}",
        label,
        f"长期在奉居住的在册人员中，活动类别为“{label}”的人。",
        activity_class=code,
    )
    for code, label in ActivityClass.choices
]
_AGES = [
    _of_people(
        f"age_{band.rstrip('-').replace('-', '_')}",
        label,
        f"长期在奉居住的在册人员中，当天满周岁数在“{label}”的人；只知道出生月份的，次月起算满周岁。",
        age=band,
    )
    for band, label in AGE_BANDS.items()
]
#: In the order in which they are shown.
FIGURES = {
    figure.code: figure
    for figure in [
        _of_people(
            "retirees",
            "长期在奉居住离退休干部",
            "状态为在册、长期在奉居住的离退休干部，一人算一次。",
        ),
        *_CLASSES,
        _of_people(
            "unclassed",
            "还没有分类",
            "长期在奉居住的在册人员中，还没有定活动类别的人。",
            activity_class=UNCLASSED,
        ),
        _of_people(
            "party_members",
            "党员",
            "长期在奉居住的在册人员中，政治面貌为中共党员或预备党员的人。",
            is_party_member="yes",
        ),
        *_AGES,
        Figure(
            "branches",
            "离退休干部党支部",
            "个",
            "系统里登记的离退休干部党支部。",
            _branches,
            "branches:branches",
            "branches",
        ),
        Figure(
            "units",
            "指导单位",
            "个",
            "离退休干部工作由老干部局指导的原工作单位。",
            _units,
            "cadres:units",
            "units",
        ),
        Figure(
            "review_due",
            "活动类别该复核",
            "人",
            "现在在册的人中，还没有定类别、系统有建议、临时类别快到期、过了复核年龄或一年没有看过的人，"
            "一人算一次。",
            due_of,
            "cadres:review-list",
            "review-list",
        ),
        *_POINTS,
    ]
}
