"""Units whose retired people the office looks after."""

from django.contrib import admin
from django.db.models import Count, Q

from cadres.desk import FilterForm, OfficeAdmin, PartInline, filtered_by, select
from cadres.models import Nature, Status, Unit, UnitAlias, UnitLevel
from cadres.resources import UnitResource
from cadres.tables import TableAdmin


class UnitFilter(FilterForm):
    nature = select("性质", Nature.choices)
    sector = select("行业")
    unit_level = select("层级", UnitLevel.choices)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        found = Unit.objects.order_by("sector").values_list("sector", flat=True).distinct()
        self.offer(sector=[(sector, sector) for sector in found])


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
        people = Count("retiree", filter=Q(retiree__status=Status.ACTIVE), distinct=True)
        return super().get_queryset(request).annotate(with_people=people)

    @admin.display(description="在册老同志", ordering="with_people")
    def people_count(self, unit):
        return unit.with_people
