"""Forms of the page on which somebody leaves the roster, or comes back onto it."""

from django import forms
from django.utils import timezone

from cadres.desk import DateInput
from cadres.models import Status

_DATE_ERRORS = {"required": "请填写日期。", "invalid": "日期不对，例如 2025-12-31。"}


def _not_yet(day):
    if day > timezone.localdate():
        raise forms.ValidationError("这个日期还没有到，请填今天或更早的日期。")
    return day


class DepartureForm(forms.Form):
    """Death or moving away, on which day; what would follow is shown before it is written."""

    kind = forms.ChoiceField(
        label="登记什么",
        choices=[
            (Status.DECEASED, "去世"),
            (Status.MOVED_AWAY, "转出（迁往外地，不再由本县服务）"),
        ],
        error_messages={"required": "请选择去世还是转出。"},
    )
    on = forms.DateField(
        label="日期",
        widget=DateInput,
        help_text="去世或转出的那一天。",
        error_messages=_DATE_ERRORS,
    )
    place = forms.CharField(
        label="地点", max_length=60, required=False, help_text="去世的地方，或者转往哪里。"
    )
    words = forms.CharField(
        label="情况",
        max_length=300,
        required=False,
        help_text="只在登记去世时填，记入关心关爱台账。",
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean_on(self):
        return _not_yet(self.cleaned_data["on"])


class ReturnForm(forms.Form):
    """Who had moved away is back."""

    on = forms.DateField(label="从哪天起回来住", widget=DateInput, error_messages=_DATE_ERRORS)
    reason = forms.CharField(
        label="情况",
        max_length=120,
        help_text="联系的党支部看得到。",
        error_messages={"required": "请写明情况。"},
    )

    def clean_on(self):
        return _not_yet(self.cleaned_data["on"])


class TakeBackForm(forms.Form):
    """The registration was a mistake."""

    reason = forms.CharField(
        label="为什么撤销",
        max_length=120,
        help_text="例如：同名同姓，登记错了人。联系的党支部看得到。",
        error_messages={"required": "请写明为什么撤销。"},
    )
