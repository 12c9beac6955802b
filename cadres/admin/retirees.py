"""The people: their list, and the page of one person."""

from contextlib import suppress

from django.contrib import admin
from django.db.models import Prefetch
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from branches.actions import join, serve_by_residence
from branches.models import Membership, MembershipKind
from cadres import actions
from cadres.admin.forms import RetireeAddForm, RetireeForm, shown_only
from cadres.changes import source_in_words
from cadres.desk import Ledger, OfficeAdmin, filtered_by
from cadres.forms import RetireeFilter
from cadres.masking import mask_phone
from cadres.models import ClassChange, Residence, Retiree
from cadres.roles import is_office


class DatedLedger(Ledger):
    @admin.display(description="依据")
    def source_said(self, entry):
        return source_in_words(entry.source) or "—"


class ClassChangeLedger(DatedLedger):
    model = ClassChange
    verbose_name_plural = "活动类别台账"
    fields = ["activity_class", "effective_from", "until", "reason_kind", "reason", "source_said"]
    fields += ["decided_by"]
    readonly_fields = fields

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("decided_by")


class ResidenceLedger(DatedLedger):
    model = Residence
    verbose_name_plural = "居住地台账"
    fields = ["township", "community", "address", "since", "until", "source_said"]
    readonly_fields = fields

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("township", "community")


class MembershipLedger(DatedLedger):
    model = Membership
    verbose_name_plural = "与支部的关系"
    fields = ["branch", "kind", "since", "until", "source_said"]
    readonly_fields = fields

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("branch")


_HOME = [("township", "community"), "address"]
_HEALTH = [("health", "skills"), "lives_in_county"]
FIELDSETS = [
    (
        "基本信息",
        {
            "fields": [
                ("name", "sex"),
                ("shown_id_number", "new_id_number"),
                ("birth_date", "ethnic_group"),
            ]
        },
    ),
    ("党组织", {"fields": [("political_status", "party_joined"), "shown_branches"]}),
    (
        "工作与离退休",
        {
            "fields": [
                "unit",
                ("former_post", "rank", "treatment"),
                ("work_started", "retired_on", "retirement_kind"),
            ]
        },
    ),
    (
        "居住与联系",
        {
            "fields": [
                *_HOME,
                "moved_on",
                ("shown_phone", "new_phone"),
                ("shown_second_phone", "new_second_phone"),
                ("emergency_contact", "shown_emergency_phone", "new_emergency_phone"),
            ]
        },
    ),
    ("活动与健康", {"fields": ["shown_class", *_HEALTH]}),
    ("状态", {"fields": [("status", "moved_away_on", "died_on"), "departure_link"]}),
    ("备注", {"fields": ["remark", ("created_at", "updated_at"), "version"]}),
]
ADD_FIELDSETS = [
    (
        "基本信息",
        {"fields": [("name", "sex"), "new_id_number", ("birth_date", "ethnic_group")]},
    ),
    ("党组织", {"fields": [("political_status", "party_joined"), "branch"]}),
    FIELDSETS[2],
    (
        "居住与联系",
        {
            "fields": [
                *_HOME,
                ("new_phone", "new_second_phone"),
                ("emergency_contact", "new_emergency_phone"),
            ]
        },
    ),
    ("活动与健康", {"fields": ["first_class", *_HEALTH]}),
    ("备注", {"fields": ["remark"]}),
]


@admin.register(Retiree)
class RetireeAdmin(OfficeAdmin):
    list_display = [
        "name",
        "sex",
        "age",
        "unit",
        "served_branch",
        "class_said",
        "lives_in",
        "phone_masked",
        "status",
    ]
    list_filter = filtered_by(RetireeFilter)
    ordering = ["name_pinyin", "id"]
    sortable_by = ["name", "age", "status"]
    search_fields = ["name"]
    search_help_text = "姓名、拼音、拼音首字母、身份证号后四位或完整电话"
    history_parts = (
        "residences",
        "absences",
        "class_changes",
        "class_reviews",
        "memberships",
        "seats",
        "care_records",
    )
    readonly_fields = [
        "shown_id_number",
        "shown_branches",
        "shown_phone",
        "shown_second_phone",
        "shown_emergency_phone",
        "shown_class",
        "status",
        "moved_away_on",
        "died_on",
        "departure_link",
        "created_at",
        "updated_at",
    ]

    # ---- the list ---------------------------------------------------

    def get_queryset(self, request):
        served = Membership.objects.on(timezone.localdate()).filter(kind=MembershipKind.SERVED)
        return (
            super()
            .get_queryset(request)
            .select_related("unit", "township")
            .prefetch_related(
                Prefetch("memberships", served.select_related("branch"), to_attr="served_by")
            )
        )

    def get_search_results(self, request, queryset, search_term):
        return queryset.search(search_term, by_number=is_office(request.user)), False

    def autocomplete_label(self, person) -> str:
        """Tells people of the same name apart."""
        born = f"{person.birth_date[:4]}年生" if person.birth_date else ""
        return "，".join(filter(None, [person.name, born, person.unit and person.unit.name]))

    @admin.display(description="年龄", ordering="birth_date")
    def age(self, person):
        return person.age_on(timezone.localdate())

    @admin.display(description="党支部")
    def served_branch(self, person):
        """Without what all branches here share, so that the table fits a screen."""
        names = (membership.branch.name for membership in person.served_by)
        return "、".join(name.replace("离退休干部", "") for name in names) or None

    @admin.display(description="活动类别")
    def class_said(self, person):
        return person.get_activity_class_display() or "未分类"

    @admin.display(description="居住乡镇")
    def lives_in(self, person):
        return person.township

    @admin.display(description="电话")
    def phone_masked(self, person):
        return person.masked_phone

    # ---- the page ---------------------------------------------------

    def get_object(self, request, object_id, from_field=None):
        """Whoever saves a person waits for whoever is writing that person just now."""
        if request.method == "POST":
            with suppress(ValueError):
                list(
                    Retiree.objects.select_for_update(no_key=True)
                    .filter(pk=object_id)
                    .values_list("pk")
                )
        return super().get_object(request, object_id, from_field)

    @admin.display(description="身份证号")
    def shown_id_number(self, person):
        return person.masked_id_number or "—"

    @admin.display(description="联系电话")
    def shown_phone(self, person):
        return person.masked_phone or "—"

    @admin.display(description="第二电话")
    def shown_second_phone(self, person):
        return mask_phone(person.second_phone) or "—"

    @admin.display(description="紧急联系电话")
    def shown_emergency_phone(self, person):
        return mask_phone(person.emergency_phone) or "—"

    @admin.display(description="活动类别")
    def shown_class(self, person):
        return self.class_said(person)

    @admin.display(description="去世、转出")
    def departure_link(self, person):
        """One page, which also ends what ends with it."""
        address = reverse("branches:departure", args=[person.pk])
        return format_html('<a href="{}">登记或撤销</a>', address)

    @admin.display(description="联系服务的党支部")
    def shown_branches(self, person):
        return self.served_branch(person) or "—"

    def get_fieldsets(self, request, obj=None):
        if obj is None:
            return ADD_FIELDSETS
        if self.has_change_permission(request, obj):
            return FIELDSETS
        return shown_only(FIELDSETS)

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = RetireeForm if obj else RetireeAddForm
        return super().get_form(request, obj, change, **{"form": form, **kwargs})

    def get_inlines(self, request, obj):
        return [MembershipLedger, ResidenceLedger, ClassChangeLedger] if obj else []

    def save_model(self, request, obj, form, change):
        home = form.home()
        if change:
            obj.save()
            if form.has_moved:
                actions.move(retiree=obj, **home, by=request.user)
            return
        chosen = form.cleaned_data["first_class"]
        actions.register(retiree=obj, **home, activity_class=chosen, by=request.user)
        branch = form.cleaned_data["branch"]
        if branch:
            join(retiree=obj, branch=branch, on=home["on"], by=request.user)
        else:
            serve_by_residence(retiree=obj, on=home["on"], by=request.user)
