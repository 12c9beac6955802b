"""Forms about people: the filter of their list, another class for many, a number in full."""

import datetime

from django import forms
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, F, Func, Q, QuerySet
from django.utils import timezone

from branches.access import sees_all, visible_retirees
from branches.models import Branch, Membership, MembershipKind
from cadres.asat import as_at, with_status_then
from cadres.desk import DateInput, FilterForm, select
from cadres.models import (
    PARTY_MEMBERS,
    ActivityClass,
    Area,
    ClassReason,
    PoliticalStatus,
    Retiree,
    Secret,
    Sex,
    Status,
    Township,
    Unit,
    UnitLevel,
)
from cadres.roles import is_office

UNCLASSED = "none"
#: Of those of whom no place of residence is registered.
NOWHERE = "none"
AGE_BANDS = {
    "0-59": "60岁以下",
    "60-69": "60–69岁",
    "70-79": "70–79岁",
    "80-89": "80–89岁",
    "90-": "90岁以上",
}


class RetireeFilter(FilterForm):
    """The people's list and its Excel are narrowed by the same boxes."""

    activity_class = select("活动类别", [*ActivityClass.choices, (UNCLASSED, "未分类")])
    status = select("状态", Status.choices)
    township = select("居住乡镇(街道)", [(NOWHERE, "没有登记")])
    area = select("片区")
    branch = select("党支部")
    unit = select("原工作单位")
    sector = select("行业")
    unit_level = select("单位层级", UnitLevel.choices)
    rank = select("职级")
    sex = select("性别", Sex.choices)
    age = select("年龄", AGE_BANDS.items())
    political_status = select("政治面貌", PoliticalStatus.choices)
    is_party_member = select("是否党员", [("yes", "党员（含预备党员）"), ("no", "不是党员")])
    lives_in_county = select("长期在奉居住", [("yes", "是"), ("no", "否")])

    def __init__(self, *args, user=None, **kwargs):
        """Of whoever sees few people, the ranks of others are no choice: neither offered nor
        taken, or the answer would tell that there are such."""
        super().__init__(*args, **kwargs)
        self.offer(
            township=Township.objects.values_list("pk", "name"),
            area=Area.objects.values_list("pk", "name"),
            branch=Branch.objects.values_list("pk", "name"),
            unit=Unit.objects.values_list("pk", "name"),
            sector=lambda: _same(dict.fromkeys(Unit.objects.values_list("sector", flat=True))),
            rank=lambda: _same(_ranks(user)),
        )

    def by_activity_class(self, people, value):
        return people.filter(activity_class="" if value == UNCLASSED else value)

    def by_township(self, people, value):
        return people.filter(township=None if value == NOWHERE else value)

    def by_area(self, people, value):
        return people.filter(township__in=Township.objects.filter(area=value))

    def by_branch(self, people, value):
        """Whom the branch serves."""
        served = Membership.objects.on(timezone.localdate()).filter(
            kind=MembershipKind.SERVED, branch=value
        )
        return people.filter(_is_one_of(served.order_by().values("retiree_id")))

    def by_is_party_member(self, people, value):
        is_member = Q(political_status__in=PARTY_MEMBERS)
        return people.filter(is_member if value == "yes" else ~is_member)

    def by_lives_in_county(self, people, value):
        return people.filter(lives_in_county=value == "yes")

    def by_sector(self, people, value):
        return people.filter(unit__sector=value)

    def by_unit_level(self, people, value):
        return people.filter(unit__unit_level=value)

    def by_age(self, people, value):
        low, high = value.split("-")
        return people.aged(int(low), int(high) if high else None, timezone.localdate())


def _ranks(user) -> list[str]:
    if user is None or sees_all(user):
        return Retiree.objects.ranks()
    own = visible_retirees(user).exclude(rank="").order_by("rank")
    return list(own.values_list("rank", flat=True).distinct())


def _same(values) -> list[tuple[str, str]]:
    return [(value, value) for value in values]


def _is_one_of(ids: QuerySet) -> Func:
    """`id = ANY(ARRAY(…))`: the few are looked up first, then put in the list's order.

    Of `IN`, the planner makes a walk through all people in that order.
    """
    return Func(
        F("pk"),
        ArraySubquery(ids),
        template="%(expressions)s)",
        arg_joiner=" = ANY(",
        output_field=BooleanField(),
    )


class PeopleFilter(RetireeFilter):
    """The same boxes, asked as at any day: status, class, residence and branch of that day."""

    on = forms.DateField(label="截至哪一天", required=False, widget=DateInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.order_fields(["on"])

    @property
    def day(self) -> datetime.date:
        """The day that is asked about: today, unless an earlier one is given."""
        return min(self.chosen().get("on") or timezone.localdate(), timezone.localdate())

    def filter(self, people):
        """With a day and no status, those who were on the roster on it."""
        people = as_at(people, self.day)
        if self.is_past and "status" not in self.chosen():
            people = with_status_then(people, Status.ACTIVE, self.day)
        return super().filter(people)

    @property
    def is_past(self) -> bool:
        return self.day < timezone.localdate()

    @property
    def status_then(self) -> str:
        """The one status that all who are found had on an earlier day; empty for today."""
        return self.chosen().get("status", Status.ACTIVE) if self.is_past else ""

    def by_on(self, people, value):
        return people  # the other boxes ask for its day

    def by_status(self, people, value):
        return with_status_then(people, value, self.day)

    def by_activity_class(self, people, value):
        if not self.is_past:
            return super().by_activity_class(people, value)
        return people.filter(class_then=None if value == UNCLASSED else value)

    def by_township(self, people, value):
        return people.filter(township_then=None if value == NOWHERE else value)

    def by_area(self, people, value):
        return people.filter(township_then__in=Township.objects.filter(area=value))

    def by_branch(self, people, value):
        served = Membership.objects.on(self.day).filter(kind=MembershipKind.SERVED, branch=value)
        return people.filter(_is_one_of(served.order_by().values("retiree_id")))

    def by_age(self, people, value):
        low, high = value.split("-")
        return people.aged(int(low), int(high) if high else None, self.day)


def people_of(filled: dict, user):
    """The people of a filled filter that a user may see: the same on a page and in its workbook."""
    people = PeopleFilter(filled, user=user).filter(visible_retirees(user))
    return people.search(filled["q"], by_number=is_office(user)) if filled.get("q") else people


def filter_in_words(filled: dict, user) -> str:
    """A user's filled filter, and what was searched for, as people read it."""
    parts = [PeopleFilter(filled, user=user).in_words()]
    if filled.get("q"):
        parts.append(f"搜索：{filled['q']}")
    return "；".join(filter(None, parts))


class ReclassifyForm(forms.Form):
    """One class for all chosen people: from when, why, and until when if it is temporary."""

    activity_class = forms.ChoiceField(label="调整为", choices=ActivityClass.choices)
    on = forms.DateField(
        label="从哪天起",
        widget=DateInput,
        error_messages={"required": "请填写从哪天起。", "invalid": "日期不对，例如 2025-12-31。"},
    )
    reason_kind = forms.ChoiceField(
        label="原因",
        choices=[
            (kind.value, kind.label)
            for kind in ClassReason
            if kind not in (ClassReason.LAPSED, ClassReason.IMPORT, ClassReason.FIRST)
        ],
    )
    reason = forms.CharField(label="说明", max_length=200, required=False)
    until = forms.DateField(
        label="到哪天为止",
        widget=DateInput,
        required=False,
        help_text="临时调整才填，到期自动恢复原来的类别，并通知支部。",
        error_messages={"invalid": "日期不对，例如 2025-12-31。"},
    )


class RevealForm(forms.Form):
    """Which number, and why."""

    secret = forms.ChoiceField(label="看哪一个号码", choices=Secret.choices)
    reason = forms.CharField(
        label="为什么要看",
        max_length=200,
        help_text="会记入查阅记录，本人可以看到。",
        error_messages={"required": "请写明为什么要看。"},
    )
