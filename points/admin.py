"""The rules of the 时间银行 at the desk: to be looked at; they change by a new version only."""

from django.contrib import admin

from cadres.desk import OfficeAdmin, ReadOnly
from cadres.tables import TableExportAdmin
from points.models import Rule
from points.resources import RuleResource


@admin.register(Rule)
class RuleAdmin(TableExportAdmin, ReadOnly, OfficeAdmin):
    resource_class = RuleResource
    list_display = ["name", "direction", "points", "per", "cap_per_cycle", "verified_by"]
    list_display += ["is_enabled"]
    #: Not `code`, `cause` and `credited`: those are for the program.
    fields = ["name", "direction", "points", "per", "cap_per_cycle", "verified_by"]
    fields += ["valid_from", "is_enabled"]
