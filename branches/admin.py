"""The desk's pages about branches, who belongs to them, who leads them, and roster imports."""

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpResponseRedirect
from django.utils import timezone
from django.utils.html import format_html

from branches.forms import BranchFilter
from branches.models import (
    Branch,
    BranchAlias,
    CommitteeSeat,
    ImportBatch,
    Membership,
    MembershipKind,
    SeatKind,
)
from branches.resources import BranchResource
from cadres.desk import FilterForm, OfficeAdmin, PartInline, ReadOnly, filtered_by, select
from cadres.roles import is_office
from cadres.tables import TableAdmin

_CURRENT = [("current", "现在的"), ("ended", "已结束的")]


class DatedFilter(FilterForm):
    """By branch, by kind, and whether it holds now."""

    branch = select("党支部")
    period = select("时间", _CURRENT)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.offer(branch=Branch.objects.values_list("pk", "name"))

    def by_period(self, entries, value):
        today = timezone.localdate()
        return entries.on(today) if value == "current" else entries.filter(until__lte=today)


class MembershipFilter(DatedFilter):
    kind = select("关系", MembershipKind.choices)


class SeatFilter(DatedFilter):
    kind = select("职务", SeatKind.choices)


class DatedForm(forms.ModelForm):
    """An entry with a period. The database refuses overlaps; here it is said beforehand."""

    def clean(self):
        data = super().clean()
        since, until = data.get("since"), data.get("until")
        if since and until and until <= since:
            self.add_error("until", "结束日期应晚于开始日期。")
        elif since:
            self.refuse_overlap(data, since, until)
        return data

    def refuse_overlap(self, data: dict, since, until) -> None:
        """Adds an error when the period collides with another entry."""

    def overlapping(self, since, until, **same):
        """The first other entry of the same kind that shares a day with the period."""
        others = self._meta.model.objects.exclude(pk=self.instance.pk).filter(**same)
        others = others.filter(Q(until=None) | Q(until__gt=since))
        if until:
            others = others.filter(since__lt=until)
        return others.select_related("retiree", "branch").first()


def _period(entry) -> str:
    return f"{entry.since:%Y-%m-%d} 起" + (f"，{entry.until:%Y-%m-%d} 止" if entry.until else "")


class MembershipForm(DatedForm):
    def refuse_overlap(self, data, since, until):
        retiree, kind, branch = (data.get(name) for name in ("retiree", "kind", "branch"))
        if not (retiree and kind and branch):
            return
        if kind == MembershipKind.AFFILIATED and not retiree.is_party_member:
            self.add_error("kind", f"{retiree}不是党员，没有组织关系，请选“参加活动”或“联系服务”。")
        same = {"retiree": retiree, "kind": kind}
        if kind == MembershipKind.PARTICIPATING:
            same["branch"] = branch
        other = self.overlapping(since, until, **same)
        if other:
            label = MembershipKind(kind).label
            self.add_error(
                "since",
                f"{retiree}在这段时间已有“{label}”：{other.branch}（{_period(other)}）。"
                "请先给那一条填上结束日期。",
            )


class SeatForm(DatedForm):
    def refuse_overlap(self, data, since, until):
        branch = data.get("branch") or getattr(self.instance, "branch", None)
        if data.get("kind") != SeatKind.SECRETARY or not branch or not branch.pk:
            return
        other = self.overlapping(since, until, branch=branch, kind=SeatKind.SECRETARY)
        if other:
            self.add_error(
                "since",
                f"这段时间的书记已经是{other.retiree}（{_period(other)}），请先填上其结束日期。",
            )


class AliasInline(PartInline):
    model = BranchAlias


class SeatInline(PartInline):
    model = CommitteeSeat
    form = SeatForm
    autocomplete_fields = ["retiree"]
    can_delete = False

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("retiree")


@admin.register(Branch)
class BranchAdmin(TableAdmin, OfficeAdmin):
    resource_class = BranchResource
    list_display = ["name", "area", "township", "affiliated_count", "served_count", "brand"]
    list_select_related = ["area", "township"]
    list_filter = filtered_by(BranchFilter)
    search_fields = ["name", "aliases__name"]
    search_help_text = "名称或别名"
    inlines = [SeatInline, AliasInline]
    history_parts = ("seats", "aliases")

    def get_queryset(self, request):
        return super().get_queryset(request).with_people()

    @admin.display(description="组织关系在此", ordering="affiliated")
    def affiliated_count(self, branch):
        return branch.affiliated

    @admin.display(description="联系服务", ordering="served")
    def served_count(self, branch):
        return branch.served


class DatedAdmin(OfficeAdmin):
    list_display = ["retiree", "branch", "kind", "since", "until"]
    list_select_related = ["retiree", "branch"]
    autocomplete_fields = ["retiree"]
    search_fields = ["retiree__name"]
    search_help_text = "老同志姓名、拼音"
    fields = ["retiree", "branch", "kind", "since", "until"]

    def get_changeform_initial_data(self, request):
        return {
            "since": timezone.localdate(),
            **super().get_changeform_initial_data(request),
        }

    def get_search_results(self, request, queryset, search_term):
        if not search_term.strip():
            return queryset, False
        people = self.model._meta.get_field("retiree").related_model.objects
        found = people.search(search_term, by_number=is_office(request.user))
        return queryset.filter(retiree__in=found.order_by()), False


@admin.register(Membership)
class MembershipAdmin(DatedAdmin):
    form = MembershipForm
    list_filter = filtered_by(MembershipFilter)


@admin.register(CommitteeSeat)
class CommitteeSeatAdmin(DatedAdmin):
    form = SeatForm
    list_filter = filtered_by(SeatFilter)


@admin.register(ImportBatch)
class ImportBatchAdmin(ReadOnly, OfficeAdmin):
    """The list only: a batch has a page of its own."""

    list_display = ["page_link", "state", "effective_on", "rows", "created", "updated"]
    list_display += ["unchanged", "rejected", "uploaded_by", "uploaded_at"]
    list_display_links = None
    list_select_related = ["uploaded_by"]

    def get_queryset(self, request):
        return super().get_queryset(request).imports()

    @admin.display(description="文件名", ordering="file_name")
    def page_link(self, batch):
        return format_html('<a href="{}">{}</a>', batch.get_absolute_url(), batch.file_name)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        batch = self.get_object(request, object_id)
        if batch is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return HttpResponseRedirect(batch.get_absolute_url())
