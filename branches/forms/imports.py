"""Forms of the branches' pages."""

from django import forms
from django.utils import timezone

from branches.models import Scope
from cadres.spreadsheets import MAX_BYTES, REFUSALS


class RosterUploadForm(forms.Form):
    """A roster file, from which day it counts, and what it claims to cover."""

    file = forms.FileField(
        label="名册文件",
        help_text="Excel（.xlsx、.xls）或 CSV，不超过 5 MB。表头行和说明行不用删。",
        widget=forms.FileInput(attrs={"accept": ".xlsx,.xls,.csv"}),
        error_messages={
            "required": "请选择名册文件。",
            "empty": "这个文件是空的，请重新选择。",
            "missing": "请选择名册文件。",
        },
    )
    effective_on = forms.DateField(
        label="从哪天起算",
        help_text="活动类别、住址、支部的变动从这一天生效，一般填名册的日期。",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "required": "请填写从哪天起算。",
            "invalid": "请填写日期，例如 2025-12-31。",
        },
    )
    scope = forms.ChoiceField(
        label="名册涵盖谁",
        required=False,
        choices=[("", "由系统看了再定"), *Scope.choices],
        help_text="涵盖全县或全单位时，系统会列出没在表里的人。",
    )

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(REFUSALS["too_big"])
        return file

    def clean_effective_on(self):
        day = self.cleaned_data["effective_on"]
        if day > timezone.localdate() or day.year < 1990:
            raise forms.ValidationError("这个日期不对，请填今天或更早的日期。")
        return day

    def clean(self):
        """A browser sends a file once: with another answer to mend it has to be chosen again."""
        found = super().clean()
        if self.errors and "file" not in self.errors:
            self.add_error("file", "文件要重新选择一次。")
        return found
