"""What all pages of the office's desk (the admin) share.

Nobody deletes, dates are typed into the browser's own field, a list's filters are one form above
it, and 历史 shows the database's own record.
"""

import datetime
import functools
from functools import partial

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.db import IntegrityError, models
from django.http import HttpResponseRedirect

from cadres.changes import History
from cadres.jobs import RefusedError


class DateInput(forms.DateInput):
    """The browser's own date field: works without JavaScript, old browsers show a text field."""

    input_type = "date"

    def __init__(self, attrs=None):
        super().__init__(attrs, format="%Y-%m-%d")


def select(label: str, choices=(), every: str = "全部") -> forms.ChoiceField:
    """A box of a filter form; nothing chosen means everything."""
    return forms.ChoiceField(label=label, required=False, choices=[("", every), *choices])


class FilterForm(forms.Form):
    """Narrows a list. A value that is not among the choices is ignored, never an error.

    A field filters the model field of its name unless there is a method `by_<name>`.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, auto_id="filter-%s", **kwargs)

    def offer(self, **choices) -> None:
        """Adds choices that the database knows: field → pairs of value and label, or a function
        that finds them. Asked for when the box is shown or filled, and once."""
        for name, pairs in choices.items():
            find = pairs if callable(pairs) else partial(list, pairs)
            own = list(self.fields[name].choices)
            self.fields[name].choices = functools.cache(partial(_joined, own, find))

    def chosen(self) -> dict[str, str]:
        """What is really narrowed by: field → value."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}

    def in_words(self) -> str:
        """As people read it: 活动类别：正常活动；居住乡镇(街道)：永安街道."""
        return "；".join(
            f"{self.fields[name].label}：{_in_words(self.fields[name], value)}"
            for name, value in self.chosen().items()
        )

    def filter(self, queryset):
        for name, value in self.chosen().items():
            by = getattr(self, f"by_{name}", None)
            queryset = by(queryset, value) if by else queryset.filter(**{name: value})
        return queryset


def _joined(own: list, find) -> list:
    return [*own, *find()]


def _in_words(field: forms.Field, value) -> str:
    if isinstance(value, datetime.date):
        return value.isoformat()
    return {str(key): label for key, label in field.choices}.get(value, value)


class FormFilter(admin.ListFilter):
    """A whole filter form as the one filter of a list."""

    title = "筛选"
    template = "admin/form_filter.html"
    form_class = FilterForm

    def __init__(self, request, params, model, model_admin):
        super().__init__(request, params, model, model_admin)
        for name in self.expected_parameters():
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1]
        self.form = self.form_class(self.used_parameters)

    def expected_parameters(self):
        return list(self.form_class.base_fields)

    def has_output(self):
        return True

    def choices(self, changelist):
        return []

    def queryset(self, request, queryset):
        return self.form.filter(queryset)


def filtered_by(form_class: type[FilterForm]) -> list:
    """For `list_filter`: the select boxes of a filter form."""
    return [type(f"{form_class.__name__}List", (FormFilter,), {"form_class": form_class})]


class NamedSelect(AutocompleteSelect):
    """Says what to type, and is named after its field (office.js)."""

    @property
    def media(self):
        return super().media + forms.Media(js=["admin_skin/office.js"])

    def optgroups(self, name, value, attrs=None):
        """What is no key is no choice (the stock widget asks the database for it)."""
        return super().optgroups(name, [v for v in value if str(v).isdecimal()], attrs)

    def build_attrs(self, base_attrs, extra_attrs=None):
        attrs = super().build_attrs(base_attrs, extra_attrs)
        return attrs | {"data-placeholder": "输入姓名或拼音查找"}


class PlainFields:
    """Fields of a form or an inline that work without JavaScript wherever they can."""

    formfield_overrides = {models.DateField: {"widget": DateInput}}

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        """Without the pop-up buttons beside a choice: they need JavaScript and windows."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        for verb in ("add", "change", "delete", "view"):
            if hasattr(getattr(field, "widget", None), f"can_{verb}_related"):
                setattr(field.widget, f"can_{verb}_related", False)
        return field

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs["widget"] = NamedSelect(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class PartInline(PlainFields, admin.TabularInline):
    """Parts of a record, a row each; every box carries its column's name."""

    extra = 1

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field:
            field.widget.attrs["aria-label"] = field.label
            getattr(field.widget, "widget", field.widget).attrs["aria-label"] = field.label
        return field


class OfficeAdmin(PlainFields, admin.ModelAdmin):
    """One kind of record on the office's desk."""

    actions = None
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    view_on_site = False
    #: Reverse relations whose own history stands below the record's: accessor names.
    history_parts: tuple = ()
    is_deletable = False

    def lookup_allowed(self, lookup, value, request):
        """Only the boxes of the filter form: any other would read hidden numbers digit by digit."""
        return any(lookup in spec.form_class.base_fields for spec in self.list_filter)

    def has_delete_permission(self, request, obj=None):
        return self.is_deletable and super().has_delete_permission(request, obj)

    def changelist_view(self, request, extra_context=None):
        title = {"title": self.opts.verbose_name_plural}
        return super().changelist_view(request, {**title, **(extra_context or {})})

    def changeform_view(self, request, *args, **kwargs):
        """What the form could not foresee (somebody was faster) is a sentence, not an error."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except RefusedError as refusal:
            messages.error(request, f"没有保存：{refusal}")
        except IntegrityError:
            messages.error(request, "刚才有人改动了相关的内容，这次没有保存，请核对后再填一遍。")
        return HttpResponseRedirect(request.get_full_path())

    def history_view(self, request, object_id, extra_context=None):
        history = History(self.model, object_id, self.history_parts, request.GET.get("page"))
        return super().history_view(
            request, object_id, {"history": history, **(extra_context or {})}
        )


class ReadOnly:
    """For an inline or an admin of records that are only looked at."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class Ledger(ReadOnly, admin.TabularInline):
    """Dated entries below a person, as a plain table."""

    template = "admin/ledger_inline.html"
