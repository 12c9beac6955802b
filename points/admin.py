"""Rules (to be looked at: they change by a new version only) and rewards at the desk."""

from django import forms
from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from cadres.desk import OfficeAdmin, ReadOnly
from cadres.jobs import RefusedError
from cadres.tables import TableAdmin, TableExportAdmin
from points import pictures
from points.models import Reward, Rule
from points.resources import RewardResource, RuleResource


@admin.register(Rule)
class RuleAdmin(TableExportAdmin, ReadOnly, OfficeAdmin):
    resource_class = RuleResource
    list_display = ["name", "direction", "points", "per", "cap_per_cycle", "verified_by"]
    list_display += ["is_enabled"]
    #: Not `code`, `cause` and `credited`: those are for the program.
    fields = ["name", "direction", "points", "per", "cap_per_cycle", "verified_by"]
    fields += ["valid_from", "is_enabled"]


class RewardForm(forms.ModelForm):
    """A picture is drawn anew and kept as soon as it is there; `upload` is its name."""

    upload = forms.FileField(
        label="图片",
        required=False,
        help_text="JPG 或 PNG 照片，不超过 5 MB；不换就空着。",
        widget=forms.FileInput(attrs={"accept": "image/*"}),
        error_messages={"empty": "这个文件是空的，请重新选择。"},
    )
    without = forms.BooleanField(label="去掉图片", required=False)

    def clean_upload(self):
        file = self.cleaned_data["upload"]
        if not file:
            return None
        try:
            return pictures.keep(pictures.redrawn(file))
        except RefusedError as refusal:
            raise forms.ValidationError(str(refusal)) from None


@admin.register(Reward)
class RewardAdmin(TableAdmin, OfficeAdmin):
    resource_class = RewardResource
    form = RewardForm
    list_display = ["name", "kind", "points", "value", "is_offered"]
    search_fields = ["name"]
    search_help_text = "名称"
    fields = ["name", "kind", "points", "value", "is_offered", "shown", "upload", "without"]
    readonly_fields = ["shown"]

    @admin.display(description="现在的图片")
    def shown(self, reward):
        if not (reward and reward.picture):
            return "还没有"
        address = reverse("points:picture", args=[reward.pk])
        return format_html('<img src="{}" alt="{}" width="160">', address, reward.name)

    def save_model(self, request, obj, form, change):
        if name := form.cleaned_data.get("upload"):
            obj.picture = name
        elif form.cleaned_data.get("without"):
            obj.picture = ""
        super().save_model(request, obj, form, change)
