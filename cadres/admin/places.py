"""Areas, townships and communities."""

from django import forms
from django.contrib import admin
from django.db.models import Count, Q

from cadres.admin.forms import communities_by_township
from cadres.desk import FilterForm, OfficeAdmin, PartInline, filtered_by, select
from cadres.models import (
    Area,
    Community,
    CommunityAlias,
    Status,
    Township,
    TownshipAlias,
)
from cadres.resources import AreaResource, TownshipResource
from cadres.tables import TableAdmin

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
class AreaAdmin(TableAdmin, OfficeAdmin):
    resource_class = AreaResource
    list_display = ["name", "brand", "township_count"]
    search_fields = ["name", "brand"]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(with_townships=Count("township"))

    @admin.display(description="乡镇(街道)数")
    def township_count(self, area):
        return area.with_townships


@admin.register(Township)
class TownshipAdmin(TableAdmin, OfficeAdmin):
    resource_class = TownshipResource
    list_display = ["name", "code", "area", "people_count"]
    list_select_related = ["area"]
    list_filter = filtered_by(AreaFilter)
    search_fields = ["name", "code"]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(with_people=LIVING)

    @admin.display(description="在册老同志", ordering="with_people")
    def people_count(self, township):
        return township.with_people


class CommunityAliasForm(forms.ModelForm):
    """The same other name may stand for one village in each township."""

    class Meta:
        model = CommunityAlias
        fields = ["name", "community"]

    def clean(self):
        data = super().clean()
        community = data.get("community") or getattr(self.instance, "community", None)
        name = data.get("name")
        if community and name:
            self._refuse_second_meaning(community, name)
        return data

    def _refuse_second_meaning(self, community: Community, name: str) -> None:
        others = CommunityAlias.objects.exclude(pk=self.instance.pk)
        taken = others.filter(township=community.township_id, name=name).first()
        if taken:
            self.add_error(
                "name", f"在{community.township}，“{name}”已经是{taken.community}的别名。"
            )


class CommunityAliasInline(PartInline):
    model = CommunityAlias
    form = CommunityAliasForm
    fields = ["name"]


@admin.register(Community)
class CommunityAdmin(OfficeAdmin):
    list_display = ["short_name", "name", "township", "code", "people_count"]
    list_select_related = ["township"]
    list_filter = filtered_by(PlaceFilter)
    search_fields = ["name", "short_name", "code", "aliases__name"]
    search_help_text = "名称、别名或代码"
    inlines = [CommunityAliasInline]
    history_parts = ("aliases",)

    def get_queryset(self, request):
        living = Q(retiree__status=Status.ACTIVE)
        people = Count("retiree", filter=living, distinct=True)
        return super().get_queryset(request).annotate(with_people=people)

    def save_model(self, request, obj, form, change):
        """A community that comes to another township takes its aliases along."""
        super().save_model(request, obj, form, change)
        obj.aliases.exclude(township=obj.township_id).update(township=obj.township_id)

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


@admin.register(CommunityAlias)
class CommunityAliasAdmin(OfficeAdmin):
    form = CommunityAliasForm
    list_display = ["name", "community", "township"]
    list_select_related = ["community", "township"]
    list_filter = filtered_by(PlaceFilter)
    search_fields = ["name", "community__name", "community__short_name"]
    search_help_text = "别名或村(社区)名称"
    is_deletable = True

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "community":
            field.choices = communities_by_township()
        return field
