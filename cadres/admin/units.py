"""Units whose retired people the office looks after."""

from django.contrib import admin

from cadres.desk import OfficeAdmin, PartInline, filtered_by
from cadres.forms import UnitFilter
from cadres.models import Unit, UnitAlias
from cadres.resources import UnitResource
from cadres.tables import TableAdmin


class AliasInline(PartInline):
    model = UnitAlias


@admin.register(Unit)
class UnitAdmin(TableAdmin, OfficeAdmin):
    resource_class = UnitResource
    list_display = ["name", "nature", "sector", "unit_level", "people_count"]
    list_filter = filtered_by(UnitFilter)
    search_fields = ["name", "aliases__name"]
    search_help_text = "名称或别名"
    inlines = [AliasInline]
    history_parts = ("aliases",)

    def get_queryset(self, request):
        return super().get_queryset(request).with_people()

    @admin.display(description="在册老同志", ordering="people")
    def people_count(self, unit):
        return unit.people
