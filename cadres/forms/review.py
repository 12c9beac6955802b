"""Forms of the review list: who is due, and what is decided."""

import re

from django import forms
from django.utils import timezone

from branches.access import visible_retirees
from cadres.classification import Due
from cadres.desk import DateInput, select
from cadres.forms.people import RetireeFilter
from cadres.review_list import due_conditions, due_people
from cadres.reviews import Seen
from cadres.roles import is_office

#: What a row of the list posts: key, class and suggestion as they were shown.
_SEEN = re.compile(r"(\d{1,18})-([ABC]?)-([ABC]?)")


class ReviewFilter(RetireeFilter):
    """The boxes of the people's list, and why somebody is due; all of them are on the roster."""

    status = None
    why = select("为什么要复核", Due.choices, every="任何一种")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.order_fields(["why"])

    def by_why(self, people, value):
        return people  # the view counts all reasons and then picks one


def people_to_review(filled: dict, user):
    """The people of a filled filter among whom those who are due are looked for."""
    people = ReviewFilter(filled, user=user).filter(visible_retirees(user).active())
    return people.search(filled["q"], by_number=is_office(user)) if filled.get("q") else people


def due_of(filled: dict, user):
    """Those of a filled filter whose class is due, on the page and in its workbook."""
    people, conditions = people_to_review(filled, user), due_conditions(timezone.localdate())
    why = ReviewFilter(filled, user=user).chosen().get("why", "")
    return due_people(people, conditions, why).order_by("name_pinyin", "id")


def review_filter_in_words(filled: dict, user) -> str:
    """A user's filled filter, and what was searched for, as people read it."""
    parts = [ReviewFilter(filled, user=user).in_words()]
    if filled.get("q"):
        parts.append(f"搜索：{filled['q']}")
    return "；".join(filter(None, parts))


class ReviewForm(forms.Form):
    """From which day the decision holds, for all who are decided about at once."""

    on = forms.DateField(
        label="从哪天起",
        widget=DateInput,
        initial=timezone.localdate,
        error_messages={"required": "请填写从哪天起。", "invalid": "日期不对，例如 2025-12-31。"},
    )
    reason = forms.CharField(
        label="说明",
        max_length=200,
        required=False,
        error_messages={"max_length": "说明请写在 200 字以内。"},
    )


def seen_in(values: list[str]) -> list[Seen]:
    """What the rows of the list posted; anything else is passed over."""
    found = [_SEEN.fullmatch(value) for value in values]
    return [Seen(int(m[1]), m[2], m[3]) for m in dict.fromkeys(found) if m]
