"""Areas, townships and communities."""

from django.contrib import admin
from django.db.models import Count, Q

from cadres.desk import FilterForm, OfficeAdmin, filtered_by, select
from cadres.models import Area, Community, Status, Township, TownshipAlias

LIVING = Count("retiree", filter=Q(retiree__status=Status.ACTIVE))


class PlaceFilter(FilterForm):
    township = select("乡镇(街道)")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.offer(township=Township.objects.values_list("pk", "name"))


class AreaFilter(FilterForm):
    area = select("片区")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.offer(area=Area.objects.values_list("pk", "name"))


@admin.register(Area)
class AreaAdmin(OfficeAdmin):
    list_display = ["name", "brand", "township_count"]
    search_fields = ["name", "brand"]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(with_townships=Count("township"))

    @admin.display(description="乡镇(街道)数")
    def township_count(self, area):
        return area.with_townships


@admin.register(Township)
class TownshipAdmin(OfficeAdmin):
    list_display = ["name", "code", "area", "people_count"]
    list_select_related = ["area"]
    list_filter = filtered_by(AreaFilter)
    search_fields = ["name", "code"]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(with_people=LIVING)

    @admin.display(description="在册老同志", ordering="with_people")
    def people_count(self, township):
        return township.with_people


@admin.register(Community)
class CommunityAdmin(OfficeAdmin):
    list_display = ["short_name", "name", "township", "code", "people_count"]
    list_select_related = ["township"]
    list_filter = filtered_by(PlaceFilter)
    search_fields = ["name", "short_name", "code"]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(with_people=LIVING)

    @admin.display(description="在册老同志", ordering="with_people")
    def people_count(self, community):
        return community.with_people


@admin.register(TownshipAlias)
class TownshipAliasAdmin(OfficeAdmin):
    list_display = ["name", "stands_for", "note"]
    list_select_related = ["township"]
    search_fields = ["name", "note"]
    is_deletable = True

    @admin.display(description="现乡镇(街道)", ordering="township")
    def stands_for(self, alias):
        return alias.township or "导入时请经办人选定"

    def get_form(self, request, obj=None, change=False, **kwargs):
        words = "不填的，导入名册遇到这个名字时请经办人选定。"
        return super().get_form(
            request, obj, change, **{"help_texts": {"township": words}, **kwargs}
        )
