"""The rules of the 时间银行 at the desk: to be looked at; they change by a new version only."""

from django.contrib import admin

from cadres.desk import OfficeAdmin, ReadOnly
from points.models import Rule


@admin.register(Rule)
class RuleAdmin(ReadOnly, OfficeAdmin):
    list_display = ["name", "direction", "points", "per", "cap_per_cycle", "verified_by"]
    list_display += ["is_enabled"]
