"""The form of a comparison: a list, what it is called, and with whom it is compared."""

from django import forms

from branches.comparison.read import SCOPES
from branches.forms.imports import RosterUploadForm
from branches.models import Scope


class ComparisonForm(RosterUploadForm):
    """A list of people that some office has."""

    effective_on = None
    source = forms.CharField(
        label="名单来源",
        max_length=100,
        help_text="写清是谁的、什么名单，例如：民政局2026年去世人员。",
        error_messages={"required": "请写明这是谁的、什么名单。"},
    )
    scope = forms.ChoiceField(
        label="和我们的哪些人比",
        choices=SCOPES.items(),
        initial=Scope.NONE,
        help_text="选“表中各单位”或“全县在册”，还会列出只在我们这里、没在表里的人。",
        error_messages={"required": "请选择和哪些人比。", "invalid_choice": "请在列表中选择。"},
    )
    field_order = ["source", "file", "scope"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        file = self.fields["file"]
        file.label = "名单文件"
        file.help_text = (
            "Excel（.xlsx、.xls）或 CSV，不超过 5 MB。要有“姓名”，"
            "还要有身份证号、出生年月、单位等至少一列。表头行和说明行不用删。"
        )
        file.error_messages |= {"required": "请选择名单文件。", "missing": "请选择名单文件。"}
