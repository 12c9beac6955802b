"""Forms about points: the filters of the lists, and what the office asks for and decides."""

from django import forms
from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import Rank
from django.utils import timezone

from branches.access import sees_all, visible_retirees
from branches.models import Branch, Membership, MembershipKind
from cadres.desk import DateInput, FilterForm, select
from cadres.models import Area, Retiree, Status, Township
from cadres.roles import is_office
from points.models import (
    Account,
    Cycle,
    Direction,
    Rule,
    SettlementKind,
    Transfer,
    TransferKind,
)
from points.snapshots import NO_BRANCH
from points.totals import FLOWS, with_earned

#: The cycle of today's year, or else the newest.
THIS_YEAR = "this"
NONE = "none"
_DATE = {"required": "请填写日期。", "invalid": "日期不对，例如 2025-12-31。"}


def _years() -> list[tuple[int, str]]:
    return [(year, f"{year} 年") for year in Cycle.objects.values_list("year", flat=True)]


def _rules() -> list[tuple[str, str]]:
    """Code and the newest name of each rule, also of those that are switched off."""
    newest = Rule.objects.order_by("code", "-valid_from").distinct("code")
    names = dict(newest.values_list("code", "name"))
    return sorted(names.items(), key=lambda pair: pair[1])


def _served(branch: str) -> QuerySet:
    """The people whom a branch serves today, or whom none does."""
    served = Membership.objects.on(timezone.localdate()).filter(kind=MembershipKind.SERVED)
    if branch == NONE:
        return Retiree.objects.exclude(pk__in=served.values("retiree_id"))
    return Retiree.objects.filter(pk__in=served.filter(branch=branch).values("retiree_id"))


class PointsFilter(FilterForm):
    """Rows that belong to a person and a cycle: which year, whose."""

    year = select("年度", [(THIS_YEAR, "本年度")])
    branch = select("党支部", [(NONE, NO_BRANCH)])
    area = select("片区")
    township = select("居住乡镇(街道)")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "year" in self.fields:  # some lists are of one year anyway
            self.offer(year=_years)
        people = {"branch": Branch, "area": Area, "township": Township}
        self.offer(
            **{
                name: model.objects.values_list("pk", "name")
                for name, model in people.items()
                if name in self.fields
            }
        )

    def of_people(self, rows: QuerySet, people: QuerySet) -> QuerySet:
        return rows.filter(retiree__in=people.order_by().values("pk"))

    def by_year(self, rows, value):
        if value == THIS_YEAR:
            return rows.filter(cycle=Cycle.objects.latest_on(timezone.localdate()))
        return rows.filter(cycle__year=value)

    def by_branch(self, rows, value):
        return self.of_people(rows, _served(value))

    def by_township(self, rows, value):
        return self.of_people(rows, Retiree.objects.filter(township=value))

    def by_area(self, rows, value):
        return self.of_people(rows, Retiree.objects.filter(township__area=value))


class LedgerFilter(PointsFilter):
    """The ledger, its sums and its workbook."""

    kind = select("种类", TransferKind.choices)
    flow = select("计入", FLOWS.items())
    rule = select("规则", [(NONE, "不按规则（手工调整、补扣等）")])
    since = forms.DateField(label="发生日期从", required=False, widget=DateInput)
    until = forms.DateField(label="到", required=False, widget=DateInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.offer(rule=_rules)

    def of_people(self, rows, people):
        theirs = Account.objects.of_members().filter(retiree__in=people.order_by().values("pk"))
        accounts = theirs.order_by().values("pk")
        return rows.filter(Q(from_account__in=accounts) | Q(to_account__in=accounts))

    def by_rule(self, rows, value):
        return rows.filter(rule=None) if value == NONE else rows.filter(rule__code=value)

    def by_since(self, rows, value):
        return rows.filter(occurred_on__gte=value)

    def by_until(self, rows, value):
        return rows.filter(occurred_on__lte=value)


class AccountFilter(PointsFilter):
    """Balances; those of zero stay hidden unless asked for."""

    show = select("显示", [("zero", "也显示零分的"), ("frozen", "只看冻结的")], "有积分的")

    def by_show(self, rows, value):
        return rows.filter(frozen_at__isnull=False) if value == "frozen" else rows

    def filter(self, queryset):
        found = super().filter(queryset)
        return found if self.chosen().get("show") else found.filter(balance__gt=0)


class RankingFilter(PointsFilter):
    """One year at a time: this one, unless told otherwise."""

    year = select("年度", every="本年度")
    township = None

    def filter(self, queryset):
        found = super().filter(queryset)
        return found if self.chosen().get("year") else self.by_year(found, THIS_YEAR)

    def in_words(self) -> str:
        """The year is always said."""
        words = super().in_words()
        return (
            words if self.chosen().get("year") else "；".join(filter(None, ["年度：本年度", words]))
        )


def ledger_of(filled: dict, user) -> QuerySet[Transfer]:
    """The transfers of a filled filter: the same on the page and in its workbook."""
    if not sees_all(user):
        return Transfer.objects.none()
    form = LedgerFilter(filled)
    found = form.filter(Transfer.objects.with_member())
    if filled.get("q"):
        found = form.of_people(
            found, visible_retirees(user).search(filled["q"], by_number=is_office(user))
        )
    return found


def accounts_of(filled: dict, user) -> QuerySet[Account]:
    """Members' accounts of a filled filter."""
    people = visible_retirees(user)
    if filled.get("q"):
        people = people.search(filled["q"], by_number=is_office(user))
    accounts = Account.objects.of_members().filter(retiree__in=people.order_by().values("pk"))
    return AccountFilter(filled).filter(accounts)


def ranking_of(filled: dict, user) -> QuerySet[Account]:
    """The living by what they have earned in a year: `place` counts as in competitions, 1 2 2 4."""
    people = visible_retirees(user).filter(status=Status.ACTIVE)
    accounts = Account.objects.of_members().filter(retiree__in=people.order_by().values("pk"))
    found = with_earned(RankingFilter(filled).filter(accounts)).filter(earned__gt=0)
    place = Window(Rank(), order_by=F("earned").desc())
    return found.annotate(place=place).order_by("place", "retiree__name_pinyin", "id")


def words_with_search(form_class: type[FilterForm]):
    """A filled filter, and what was searched for, as people read it."""

    def in_words(filled: dict) -> str:
        searched = [f"搜索：{filled['q']}"] if filled.get("q") else []
        return "；".join(filter(None, [form_class(filled).in_words(), *searched]))

    return in_words


def _digits() -> forms.TextInput:
    """No spin buttons: they change a number by a slip of the finger."""
    return forms.TextInput(attrs={"inputmode": "numeric"})


# ---- asking and deciding -------------------------------------------------------------------------


def _reason(label: str, hint: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=200,
        help_text=hint,
        error_messages={"required": f"请填写{label}。", "max_length": f"{label}请不超过 200 字。"},
    )


class AdjustForm(forms.Form):
    """Points by hand: plus or minus, in which year, why."""

    direction = forms.ChoiceField(label="加分还是减分", choices=[("+", "加分"), ("-", "减分")])
    points = forms.IntegerField(
        widget=_digits(),
        label="多少分",
        min_value=1,
        max_value=9999,
        error_messages={
            "required": "请填写多少分。",
            "invalid": "请填写整数，例如 5。",
            "min_value": "分数要大于零。",
            "max_value": "一次最多 9999 分。",
        },
    )
    year = forms.TypedChoiceField(
        label="记在哪一年", coerce=int, error_messages={"invalid_choice": "请在列表中选择年度。"}
    )
    reason = _reason("原因", "会写在本人的存折上，请写本人看得懂的话。")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        movable = Cycle.objects.movable(timezone.localdate())
        self.fields["year"].choices = [(cycle.year, str(cycle)) for cycle in movable]

    def asked(self) -> dict:
        """For the action: the cycle, the amount with its sign, the reason."""
        filled = self.cleaned_data
        amount = filled["points"] if filled["direction"] == "+" else -filled["points"]
        cycle = Cycle.objects.get(year=filled["year"])
        return {"cycle": cycle, "amount": amount, "reason": filled["reason"]}


class DeductForm(forms.Form):
    """A rule that costs points, applied to a person."""

    code = forms.ChoiceField(
        label="按哪一条扣分", error_messages={"invalid_choice": "请在列表中选择规则。"}
    )
    on = forms.DateField(label="哪一天的事", widget=DateInput, error_messages=_DATE)
    reason = _reason("原因", "会写在本人的存折上，请写本人看得懂的话。")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        rules = Rule.objects.on(timezone.localdate()).filter(
            direction=Direction.DEDUCT, is_enabled=True
        )
        self.fields["code"].choices = [
            (rule.code, f"{rule.name}（扣 {rule.points} 分）") for rule in rules.order_by("id")
        ]

    def clean_on(self):
        if self.cleaned_data["on"] > timezone.localdate():
            raise forms.ValidationError("日期不能晚于今天。")
        return self.cleaned_data["on"]

    def asked(self) -> dict:
        return self.cleaned_data


class SettleForm(forms.Form):
    """What becomes of the points of a frozen account."""

    kind = forms.ChoiceField(label="怎样处理", choices=SettlementKind.choices)
    receiver = forms.CharField(
        label="谁领取",
        max_length=60,
        required=False,
        help_text="转给家属的必填，例如：儿子张小三。",
        error_messages={"max_length": "谁领取，请不超过 60 字。"},
    )
    reason = _reason("说明")

    def clean(self):
        found = super().clean()
        if found.get("kind") == SettlementKind.FAMILY and not found.get("receiver"):
            self.add_error("receiver", "转给家属，请填写谁领取。")
        return found

    def asked(self) -> dict:
        return self.cleaned_data


class WaiveForm(forms.Form):
    """Why what is still owed should be waived."""

    reason = _reason("为什么免去")

    def asked(self) -> dict:
        return self.cleaned_data


class DecideForm(forms.Form):
    """A second person's word: whoever does not agree says why."""

    agreed = forms.ChoiceField(
        choices=[("yes", "同意"), ("no", "不同意")],
        error_messages={"required": "请选同意或不同意。", "invalid_choice": "请选同意或不同意。"},
    )
    words = forms.CharField(
        max_length=200, required=False, error_messages={"max_length": "意见请不超过 200 字。"}
    )

    def clean(self):
        found = super().clean()
        if found.get("agreed") == "no" and not found.get("words"):
            self.add_error("words", "不同意的，请写明原因。")
        return found

    @property
    def is_agreed(self) -> bool:
        return self.cleaned_data["agreed"] == "yes"


class RuleForm(forms.Form):
    """A new version of a rule: from which day, how many points, how many at most."""

    valid_from = forms.DateField(label="从哪天起用", widget=DateInput, error_messages=_DATE)
    points = forms.IntegerField(
        widget=_digits(),
        label="分值",
        min_value=1,
        max_value=999,
        error_messages={
            "required": "请填写分值。",
            "invalid": "请填写整数。",
            "min_value": "分值要大于零。",
            "max_value": "分值最多 999。",
        },
    )
    cap_per_cycle = forms.IntegerField(
        widget=_digits(),
        label="年度上限",
        min_value=1,
        max_value=9999,
        required=False,
        help_text="一年最多记多少分；不设上限就空着。",
        error_messages={
            "invalid": "请填写整数。",
            "min_value": "年度上限要大于零；不设上限就空着。",
            "max_value": "年度上限最多 9999。",
        },
    )
    name = forms.CharField(label="名称", max_length=80, error_messages={"required": "请填写名称。"})
    is_enabled = forms.TypedChoiceField(
        label="是否启用",
        choices=[("yes", "启用"), ("no", "停用")],
        coerce=lambda value: value == "yes",
    )

    def __init__(self, *args, rule: Rule, **kwargs):
        initial = {
            "valid_from": timezone.localdate(),
            "points": rule.points,
            "cap_per_cycle": rule.cap_per_cycle,
            "name": rule.name,
            "is_enabled": "yes" if rule.is_enabled else "no",
        }
        super().__init__(*args, initial=initial, **kwargs)
