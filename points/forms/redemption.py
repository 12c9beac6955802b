"""Forms of redemption: days and what they bring, baskets, the list's filter."""

from django import forms
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.utils import timezone

from branches.access import sees_all, visible_retirees
from branches.models import CommitteeSeat, SeatKind
from cadres.desk import DateInput, select
from cadres.jobs import RefusedError
from cadres.roles import Role, is_office
from points import days
from points.forms import PointsFilter
from points.models import (
    Cycle,
    DayStock,
    Redemption,
    RedemptionDay,
    RedemptionState,
    Reward,
)

#: More of one article in one go is a slip of the finger.
MOST = 99
_WHOLE = {
    "invalid": "请填整数。", "min_value": "不能小于零。", "max_value": f"最多 {MOST} 份。",
}  # fmt: skip


def digits(**attrs) -> forms.TextInput:
    """No spin buttons: they change a number by a slip of the finger."""
    return forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", **attrs})


class HourField(forms.TimeField):
    """09:00, also with a Chinese colon; as text, because a time box may ask for AM and PM."""

    widget = forms.TimeInput(format="%H:%M", attrs={"inputmode": "numeric", "maxlength": 5})
    input_formats = ["%H:%M"]

    def to_python(self, value):
        return super().to_python(value.replace("：", ":") if isinstance(value, str) else value)


def may_operate() -> QuerySet:
    """Users who can be asked to work at a till: the office, contacts, secretaries of today."""
    seats = CommitteeSeat.objects.on(timezone.localdate()).filter(kind=SeatKind.SECRETARY)
    roles = [Role.OFFICE_STAFF.label, Role.OFFICE_HEAD.label, Role.CONTACT.label]
    asked = Q(groups__name__in=roles) | Q(retiree__in=seats.order_by().values("retiree"))
    users = get_user_model().objects.filter(asked, is_active=True)
    return users.distinct().order_by("name", "id")


class DayForm(forms.ModelForm):
    """A day: when, where, of which cycle, by whom."""

    cycle = forms.ModelChoiceField(
        Cycle.objects.none(),
        label="用哪一年的积分",
        required=False,
        empty_label="按兑换日期所在的年度",
        help_text="一月份可以再办上一年的，到兑换截止那天为止。",
        error_messages={"invalid_choice": "请在列表中选择年度。"},
    )

    class Meta:
        model = RedemptionDay
        fields = ["date", "opens_at", "closes_at", "place", "cycle", "operators"]
        widgets = {
            "date": DateInput,
            "operators": forms.CheckboxSelectMultiple,
        }
        field_classes = {"opens_at": HourField, "closes_at": HourField}
        error_messages = {
            "date": {"required": "请填写日期。", "invalid": "日期不对，例如 2025-12-31。"},
            "opens_at": {"required": "请填写开始时间。", "invalid": "时间不对，例如 09:00。"},
            "closes_at": {"required": "请填写结束时间。", "invalid": "时间不对，例如 16:30。"},
            "place": {"required": "请填写地点。", "max_length": "地点请不超过 80 字。"},
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["cycle"]  # the points of a day are those of its year for ever
        else:
            self.fields["cycle"].queryset = Cycle.objects.movable(timezone.localdate())
        self.fields["operators"].queryset = may_operate()
        self.fields["operators"].error_messages["invalid_choice"] = "请在列表中选择经办人。"

    def clean(self):
        found = super().clean()
        date = found.get("date")
        if date is None:
            return found
        if "date" in self.changed_data and date < timezone.localdate():
            self.add_error("date", "日期不能早于今天。")
            return found
        try:
            chosen = self.instance.cycle if self.instance.pk else found.get("cycle")
            self.instance.cycle = found["cycle"] = days.cycle_of(date, chosen)
        except RefusedError as refusal:
            self.add_error("date", str(refusal))
        return found


class StockForm(forms.Form):
    """How much of one reward a day brings; empty: none."""

    brought = forms.IntegerField(
        label="带来多少", required=False, min_value=0, max_value=9999, widget=digits(),
        error_messages={**_WHOLE, "max_value": "最多 9999 份。"},
    )  # fmt: skip
    per_person = forms.IntegerField(
        label="每人限几份", required=False, min_value=1, max_value=MOST, widget=digits(),
        error_messages={**_WHOLE, "min_value": "要大于零；不限就空着。"},
    )  # fmt: skip
    points = forms.IntegerField(
        label="积分", min_value=1, max_value=9999, widget=digits(),
        error_messages={
            "required": "请填积分。", "invalid": "请填整数。", "min_value": "积分要大于零。",
            "max_value": "积分最多 9999。",
        },
    )  # fmt: skip

    def __init__(self, *args, reward: Reward, stock: DayStock | None, **kwargs):
        initial = {"points": reward.points}
        if stock:
            initial = {
                "brought": stock.brought, "per_person": stock.per_person, "points": stock.points,
            }  # fmt: skip
        super().__init__(*args, prefix=f"r{reward.pk}", initial=initial, **kwargs)
        self.reward, self.stock = reward, stock
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = f"{reward}：{field.label}"

    def wanted(self) -> days.Wanted:
        return days.Wanted(self.reward, **self.cleaned_data)


class BasketForm(forms.Form):
    """So many of each article of a day; the key makes sending it twice one wish."""

    key = forms.UUIDField(
        widget=forms.HiddenInput,
        error_messages={"required": "请重新打开页面再办。", "invalid": "请重新打开页面再办。"},
    )

    def __init__(self, *args, stocks: list[DayStock], **kwargs):
        super().__init__(*args, **kwargs)
        self.stocks = stocks
        for stock in stocks:
            self.fields[f"s{stock.pk}"] = forms.IntegerField(
                label=stock.reward.name, required=False, min_value=0, max_value=MOST,
                error_messages={key: f"{stock.reward}：{words}" for key, words in _WHOLE.items()},
                widget=digits(**{"aria-label": f"{stock.reward}几份", "data-points": stock.points}),
            )  # fmt: skip

    def basket(self) -> dict[int, int]:
        """Stock → how many, of what is wanted."""
        wanted = {stock.pk: self.cleaned_data[f"s{stock.pk}"] for stock in self.stocks}
        return {pk: quantity for pk, quantity in wanted.items() if quantity}

    def typed(self, stock: DayStock) -> str:
        """As it stands in the box, also when it is nonsense."""
        value = self[f"s{stock.pk}"].value()
        return "" if value in (None, 0, "0") else str(value)


def collector_fields() -> dict[str, forms.CharField]:
    lengths = {"max_length": "代领人请不超过 40 字，关系不超过 20 字。"}
    return {
        "collector": forms.CharField(
            label="代领人", max_length=40, required=False, error_messages=lengths
        ),
        "relation": forms.CharField(
            label="与本人的关系", max_length=20, required=False, error_messages=lengths
        ),
    }


class TillForm(BasketForm):
    """A basket that is handed out at once, perhaps to somebody who came for the person."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields |= collector_fields()

    def clean(self):
        found = super().clean()
        if bool(found.get("collector")) != bool(found.get("relation")):
            self.add_error("relation", "代领要写明代领人和与本人的关系。")
        return found

    def to_whom(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in ("collector", "relation")}


# ---- the list ------------------------------------------------------------------------------------


class RedemptionFilter(PointsFilter):
    """兑换清单: the page and its workbook."""

    area = None
    township = None
    day = select("场次")
    state = select("状态", RedemptionState.choices)
    field_order = ["day", "state", "year", "branch"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.offer(day=lambda: [(day.pk, str(day)) for day in RedemptionDay.objects.all()])

    def by_year(self, rows, value):
        if value == "this":
            return rows.filter(day__cycle=Cycle.objects.latest_on(timezone.localdate()))
        return rows.filter(day__cycle__year=value)


def redemptions_of(filled: dict, user) -> QuerySet[Redemption]:
    """The redemptions of a filled filter: the same on the page and in its workbook."""
    if not sees_all(user):
        return Redemption.objects.none()
    found = RedemptionFilter(filled).filter(Redemption.objects.all())
    if filled.get("q"):
        people = visible_retirees(user).search(filled["q"], by_number=is_office(user))
        found = found.filter(retiree__in=people.order_by().values("pk"))
    return found
