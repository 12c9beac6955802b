"""Forms about care: one record, one visit to many, the filter of the list, and the two lists."""

from django import forms
from django.utils import timezone

from branches.access import visible_branches, visible_care
from branches.models import Branch, Membership, MembershipKind
from cadres.care import FOR_MANY
from cadres.desk import DateInput, FilterForm, select
from cadres.models import CareKind, Retiree, Township
from cadres.roles import is_office
from cadres.visiting import WHY_LABELS

_DATE_ERRORS = {"required": "请填写日期。", "invalid": "日期不对，例如 2025-12-31。"}
MONTHS = [(str(month), f"{month}月") for month in range(1, 13)]


def _text(label: str, length: int, hint: str = "", rows: int = 0) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows}) if rows else forms.TextInput()
    return forms.CharField(
        label=label, max_length=length, required=False, help_text=hint, widget=widget
    )


class CareForManyForm(forms.Form):
    """What was done for several people on one day."""

    kind = forms.ChoiceField(
        label="种类",
        choices=[(kind.value, kind.label) for kind in FOR_MANY],
        error_messages={"required": "请选择种类。", "invalid_choice": "请在列表中选择种类。"},
    )
    on = forms.DateField(label="日期", widget=DateInput, error_messages=_DATE_ERRORS)
    place = _text("地点", 60)
    visitors = _text("看望的人", 100, "例如：支部书记、办公室小李。")
    given = _text("慰问品或慰问金", 100, "例如：慰问金 500 元。")
    words = _text("情况", 300, rows=3)


class CareForm(CareForManyForm):
    """One record of one person; all fields stand on the page, each says which kind needs it."""

    until = forms.DateField(
        label="出院日期",
        required=False,
        widget=DateInput,
        help_text="只有住院才填；还没有出院就空着。",
        error_messages=_DATE_ERRORS,
    )
    field_order = ["kind", "on", "until", "place", "visitors", "given", "words"]

    def __init__(self, *args, kinds, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [
            ("", "请选择"),
            *((kind.value, kind.label) for kind in kinds),
        ]
        self.fields["on"].help_text = "住院填入院的那一天。"
        self.fields["place"].help_text = "住院填哪家医院；走访填在哪里。"
        self.fields["given"].help_text = "走访慰问、生日、困难帮扶时填，例如：慰问金 500 元。"
        self.fields["visitors"].help_text = "去看望了才填，例如：支部书记、办公室小李。"


class VoidForm(forms.Form):
    reason = forms.CharField(
        label="为什么撤销",
        max_length=200,
        help_text="例如：登记错了人；同一次走访登记了两遍。",
        error_messages={"required": "请写明为什么撤销。"},
    )


def _day(label: str) -> forms.DateField:
    return forms.DateField(label=label, required=False, widget=DateInput)


class BranchesForm(FilterForm):
    """Narrows to one branch; a page shows the user the own ones alone."""

    branch = select("党支部")

    def __init__(self, *args, user=None, **kwargs):
        super().__init__(*args, **kwargs)
        branches = visible_branches(user) if user else Branch.objects.all()
        self.offer(branch=branches.values_list("pk", "name"))
        if user and len(list(self.fields["branch"].choices)) <= 2:
            del self.fields["branch"]  # a secretary's only one


class CareFilter(BranchesForm):
    """The list of care and its Excel are narrowed by the same boxes."""

    kind = select("种类", CareKind.choices)
    since = _day("从哪天")
    until = _day("到哪天")
    township = select("居住乡镇(街道)")
    field_order = ["kind", "since", "until", "branch", "township"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.offer(township=Township.objects.values_list("pk", "name"))

    def by_since(self, records, value):
        return records.filter(on__gte=value)

    def by_until(self, records, value):
        return records.filter(on__lte=value)

    def by_township(self, records, value):
        return records.filter(retiree__township=value)

    def by_branch(self, records, value):
        """Whom the branch serves."""
        served = Membership.objects.on(timezone.localdate()).filter(
            kind=MembershipKind.SERVED, branch=value
        )
        return records.filter(retiree__in=served.order_by().values("retiree_id"))


class BirthdayFilter(BranchesForm):
    month = forms.ChoiceField(label="月份", choices=MONTHS, required=False)
    year = forms.ChoiceField(label="年份", required=False)
    field_order = ["year", "month", "branch"]

    def __init__(self, *args, today, **kwargs):
        super().__init__(*args, **kwargs)
        years = range(today.year - 1, today.year + 2)
        self.fields["year"].choices = [(str(year), f"{year}年") for year in years]


class VisitFilter(BranchesForm):
    why = select("原因", WHY_LABELS.items())
    field_order = ["branch", "why"]


def care_of(filled: dict, user):
    """The records of a filled filter that a user may see, on a page and in its workbook."""
    records = CareFilter(filled).filter(visible_care(user))
    if filled.get("q"):
        found = Retiree.objects.search(filled["q"], by_number=is_office(user))
        records = records.filter(retiree__in=found.order_by().values("pk"))
    return records


def people_of_care(filled: dict, user) -> int:
    """How many people's records they are."""
    return care_of(filled, user).order_by().values("retiree_id").distinct().count()


def care_filter_in_words(filled: dict) -> str:
    """A filled filter, and what was searched for, as people read it."""
    parts = [CareFilter(filled).in_words()]
    if filled.get("q"):
        parts.append(f"搜索：{filled['q']}")
    return "；".join(filter(None, parts))
