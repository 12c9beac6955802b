"""What one would obviously have taken instead: django-import-export, and the stock admin."""

from django.contrib import admin
from import_export import fields, resources, widgets
from import_export.formats.base_formats import XLSX

from cadres.models import Community, Retiree, Township, Unit


class Month(widgets.CharWidget):
    """1943.06 → 1943-06"""

    def clean(self, value, row=None, **kwargs):
        return super().clean(value, row, **kwargs).replace(".", "-")


class Word(widgets.CharWidget):
    """A value of a list, by the word it is shown as."""

    def __init__(self, choices):
        super().__init__()
        self.values = {label: value for value, label in choices}

    def clean(self, value, row=None, **kwargs):
        return self.values[value] if value else ""


class CommunityWidget(widgets.ForeignKeyWidget):
    """The same name occurs in several townships."""

    def get_queryset(self, value, row, *args, **kwargs):
        return Community.objects.filter(township__name=row["居住乡镇(街道)"])


_TEXTS = {
    "name": "姓名", "ethnic_group": "民族", "id_number": "身份证号", "former_post": "原职务",
    "rank": "职级", "phone": "联系电话", "address": "详细地址", "health": "健康状况",
    "skills": "特长", "remark": "备注",
}  # fmt: skip
_MONTHS = {"work_started": "参加工作时间", "party_joined": "入党时间", "retired_on": "离退休时间"}
_WORDS = {
    "sex": "性别",
    "political_status": "政治面貌",
    "retirement_kind": "离退休类别",
    "activity_class": "活动类别",
}
_FOUND = {
    "unit": ("原工作单位", widgets.ForeignKeyWidget(Unit, "name")),
    "township": ("居住乡镇(街道)", widgets.ForeignKeyWidget(Township, "name")),
    "community": ("村(社区)", CommunityWidget(Community, "name")),
}


def _field(name: str, heading: str, widget) -> fields.Field:
    return fields.Field(attribute=name, column_name=heading, widget=widget)


class RosterResource(resources.ModelResource):
    """As its manual says, unchanged rows skipped, without the branch, which it cannot write."""

    birth_date = _field("birth_date", "出生日", widgets.CharWidget())

    class Meta:
        model = Retiree
        fields = ["birth_date", *_TEXTS, *_MONTHS, *_WORDS, *_FOUND]
        import_id_fields = ["id_number"]
        skip_unchanged = True
        report_skipped = True
        use_transactions = True

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        for name, heading in _TEXTS.items():
            self.fields[name] = _field(name, heading, widgets.CharWidget())
        for name, heading in _MONTHS.items():
            self.fields[name] = _field(name, heading, Month())
        for name, heading in _WORDS.items():
            choices = Retiree._meta.get_field(name).choices
            self.fields[name] = _field(name, heading, Word(choices))
        for name, (heading, widget) in _FOUND.items():
            self.fields[name] = _field(name, heading, widget)

    def before_import_row(self, row, **kwargs):
        number = row["身份证号"]
        row["出生日"] = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"


def import_in_admin(path: str) -> dict:
    """The two steps of its admin: a dry run for the preview, then for good from the file again."""
    for dry_run in (True, False):
        with open(path, "rb") as file:
            dataset = XLSX().create_dataset(file.read())
        result = RosterResource().import_data(dataset, dry_run=dry_run, raise_errors=False)
        if result.has_errors() or result.has_validation_errors():
            wrong = [*result.base_errors, *result.row_errors(), *result.invalid_rows]
            raise ValueError(repr(getattr(wrong[0], "error", wrong[0])))
    return result.totals


class StockRetireeAdmin(admin.ModelAdmin):
    """The same columns, filters and searched fields, all of them stock."""

    list_display = ["name", "sex", "birth_date", "unit", "activity_class", "township"]
    list_display += ["phone", "status"]
    list_select_related = ["unit", "township"]
    list_per_page = 50
    list_filter = [
        "activity_class", "status", "township", "township__area", "memberships__branch", "unit",
        "unit__sector", "unit__unit_level", "rank", "sex", "political_status",
    ]  # fmt: skip
    search_fields = ["name", "name_pinyin", "id_number", "phone"]


stock = admin.AdminSite(name="stock")
stock.register(Retiree, StockRetireeAdmin)
