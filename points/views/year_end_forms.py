"""Forms of the year's end: the filter of its list, the policy, a reason."""

from django import forms
from django.db.models import QuerySet

from branches.access import visible_retirees
from cadres.desk import select
from cadres.roles import is_office
from points.forms import PointsFilter
from points.models import Account, Cycle
from points.outcome import people


def digits() -> forms.TextInput:
    """No spin buttons: they change a number by a slip of the finger."""
    return forms.TextInput(attrs={"inputmode": "numeric"})


def words_field(label: str, most: int = 200, **kwargs) -> forms.CharField:
    """A line that people write, said in plain words when it is empty or too long."""
    faults = {"required": f"请填写{label}。", "max_length": f"{label}请不超过 {most} 字。"}
    return forms.CharField(label=label, max_length=most, error_messages=faults, **kwargs)


class RolloverFilter(PointsFilter):
    """Who of a year: where they live, who serves them, what becomes of their points."""

    year = None
    show = select(
        "显示",
        [("losing", "有积分要作废的"), ("reserved", "有预约没领的"), ("frozen", "账户冻结的")],
    )

    def by_show(self, rows, value):
        if value == "frozen":
            return rows.filter(frozen_at__isnull=False)
        return rows.filter(**{{"losing": "expiring__gt", "reserved": "reserved__gt"}[value]: 0})


def rollover_of(cycle: Cycle, filled: dict, user) -> QuerySet[Account]:
    """The accounts of a year that hold something, of a filled filter; page and workbook alike."""
    found = RolloverFilter(filled).filter(people(cycle))
    if filled.get("q"):
        wanted = visible_retirees(user).search(filled["q"], by_number=is_office(user))
        found = found.filter(retiree__in=wanted.order_by().values("pk"))
    return found


def losing_of(cycle: Cycle, user) -> QuerySet[Account]:
    """Those a user sees who are about to lose points."""
    seen = visible_retirees(user).order_by().values("pk")
    return people(cycle).filter(expiring__gt=0, retiree__in=seen)


class PolicyForm(forms.Form):
    """Which part is carried into the next year, and at most how much."""

    carry_percent = forms.IntegerField(
        widget=digits(),
        label="结转比例（%）",
        min_value=0,
        max_value=100,
        help_text="填 0，没有用完的全部作废。",
        error_messages={
            "required": "请填写结转比例，不结转填 0。",
            "invalid": "请填写整数，例如 50。",
            "min_value": "结转比例不能小于 0。",
            "max_value": "结转比例不能超过 100。",
        },
    )
    carry_cap = forms.IntegerField(
        widget=digits(),
        label="每人最多结转多少分",
        min_value=0,
        max_value=999_999,
        required=False,
        help_text="不设上限就空着。",
        error_messages={
            "invalid": "请填写整数，不设上限就空着。",
            "min_value": "上限不能小于 0。",
            "max_value": "上限最多 999999。",
        },
    )

    def __init__(self, *args, cycle: Cycle, **kwargs):
        initial = {"carry_percent": cycle.carry_percent, "carry_cap": cycle.carry_cap}
        super().__init__(*args, initial=initial, **kwargs)


class ReasonForm(forms.Form):
    """Why something is taken back."""

    reason = words_field("原因")
