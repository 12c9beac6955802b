"""Forms of the notices: which quarter, an objection, its answer."""

from django import forms
from django.db.models import QuerySet
from django.utils.formats import date_format

from branches.access import visible_retirees
from cadres.models import Retiree
from points.models import Cycle, Objection, Posting, PostingState
from points.views.year_end_forms import words_field

#: So many postings are offered for a correction; who seeks others searches for the person.
OFFERED = 60
#: So many people found are named.
NAMED = 5


class MakeForm(forms.Form):
    """Which quarter, and whether people stand in it."""

    year = forms.TypedChoiceField(
        label="年度", coerce=int, error_messages={"invalid_choice": "请在列表中选择年度。"}
    )
    quarter = forms.TypedChoiceField(
        label="季度",
        choices=[(n, f"第{'一二三四'[n - 1]}季度") for n in range(1, 5)],
        coerce=int,
        error_messages={"invalid_choice": "请在列表中选择季度。"},
    )
    with_names = forms.TypedChoiceField(
        label="列不列个人",
        choices=[("", "只列总数和各支部"), ("yes", "也列兑换了的个人，姓名打星号")],
        coerce=bool,
        empty_value=False,
        required=False,
        help_text="没有本人书面同意，不公布完整姓名。",
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        years = Cycle.objects.values_list("year", flat=True)
        self.fields["year"].choices = [(year, f"{year} 年") for year in years]

    def asked(self) -> dict:
        filled = self.cleaned_data
        cycle = Cycle.objects.get(year=filled["year"])
        names = {name: filled[name] for name in ("quarter", "with_names")}
        return names | {"cycle": cycle}


class ObjectionForm(forms.Form):
    """What somebody does not agree with; the office writes whose call it was."""

    caller = words_field("谁打来的电话", 40, required=False)
    text = words_field("您的意见", 500, widget=forms.Textarea(attrs={"rows": 4}))

    def __init__(self, *args, is_office: bool, **kwargs):
        super().__init__(*args, **kwargs)
        if is_office:
            self.fields["text"].label = "意见"
        else:
            del self.fields["caller"]


class AnswerForm(forms.Form):
    """Justified or not, in words; a justified one may name what is to be corrected."""

    is_justified = forms.TypedChoiceField(
        label="理由成立吗",
        choices=[("no", "不成立"), ("yes", "成立")],
        coerce=lambda value: value == "yes",
        error_messages={"required": "请选理由是否成立。", "invalid_choice": "请选理由是否成立。"},
    )
    words = words_field("答复", 500, widget=forms.Textarea(attrs={"rows": 4}))
    posting = forms.ModelChoiceField(
        Posting.objects.none(),
        label="更正哪一笔",
        required=False,
        empty_label="不更正积分",
        error_messages={"invalid_choice": "请在列表中选择要更正的一笔。"},
    )

    def __init__(self, *args, postings: QuerySet[Posting], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["posting"].queryset = postings
        self.fields["posting"].label_from_instance = _in_words

    def clean(self):
        found = super().clean()
        if found.get("posting") and not found.get("is_justified"):
            self.add_error("posting", "理由不成立的，不更正积分。")
        return found

    def asked(self) -> dict:
        return self.cleaned_data


def _in_words(posting: Posting) -> str:
    sign = "-" if posting.rule.direction == "deduct" else "+"
    on = date_format(posting.occurred_on)
    return f"{posting.retiree.name}，{on}，{posting.rule.name}，{sign}{posting.posted} 分"


def people_of(objection: Objection, searched: str, user) -> list[Retiree]:
    """Who may have too few points: whom the office searches for, else who objects."""
    if searched:
        found = visible_retirees(user).search(searched).select_related("unit")
        return list(found.order_by("name_pinyin", "id")[:NAMED])
    return [objection.retiree] if objection.retiree else []


def postings_of(objection: Objection, searched: str, user) -> QuerySet[Posting]:
    """What may be corrected: of who objects, or of whom the office searches for; of that year."""
    cycle = objection.notice.cycle
    found = Posting.objects.filter(
        state=PostingState.POSTED, occurred_on__range=(cycle.starts_on, cycle.ends_on)
    ).select_related("rule", "retiree")
    if searched:
        people = visible_retirees(user).search(searched).order_by().values("pk")
        found = found.filter(retiree__in=people)
    elif objection.retiree_id:
        found = found.filter(retiree=objection.retiree_id)
    else:
        found = found.none()
    newest = found.order_by("-occurred_on", "-id").values("pk")[:OFFERED]
    chosen = Posting.objects.filter(pk__in=list(newest.values_list("pk", flat=True)))
    return chosen.select_related("rule", "retiree").order_by("-occurred_on", "-id")
