"""Pages of exports: ask for one, have it approved, download it."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from cadres import disclosure
from cadres.jobs import RefusedError
from cadres.login import PasswordAgainForm, PasswordField
from cadres.models import SECOND_PERSON_FROM, Export
from cadres.roles import Role, has_role, is_office
from fengjie_cadres.reports.tables import TABLES


class ExportForm(PasswordAgainForm):
    """Masked numbers, or full ones with a purpose and the password again."""

    is_full = forms.TypedChoiceField(
        label="号码怎样显示",
        choices=[("", "打星号（一般用途）"), ("yes", "完整的号码")],
        coerce=bool,
        empty_value=False,
        required=False,
    )
    reason = forms.CharField(
        label="用途", max_length=200, required=False, help_text="导出完整号码时必填。"
    )
    password = PasswordField(required=False, help_text="导出完整号码时必填。")

    def __init__(self, *args, request, may_be_full: bool, full_words: str, **kwargs):
        super().__init__(*args, request=request, **kwargs)
        for field in self.fields.values():
            field.says_when = True  # one has to fill it: no label says that it may stay empty
        masked, (yes, _) = self.fields["is_full"].choices
        self.fields["is_full"].choices = [masked, (yes, full_words)]
        if not may_be_full:
            self.fields.clear()

    def is_dangerous(self) -> bool:
        return bool(self.cleaned_data.get("is_full"))

    def clean(self):
        found = super().clean()
        if self.is_dangerous() and not found.get("reason", "").strip():
            self.add_error("reason", "请写明用途。")
        return found


def _filled(request) -> dict:
    return {key: value for key, value in request.GET.items() if value and key != "page"}


def export_new(request, kind: str):
    """Asks how the numbers are to be shown; the filter stands in the address."""
    table = TABLES.get(kind)
    if table is None:
        raise Http404
    if not table.is_for(request.user):
        raise PermissionDenied
    filled = _filled(request)
    may_be_full = table.may_be_full and is_office(request.user)
    form = ExportForm(
        request.POST if request.method == "POST" else None,
        request=request,
        may_be_full=may_be_full,
        full_words=table.full_words,
    )
    context = {
        "form": form,
        "title": table.title,
        "people": table.count(filled, request.user),
        "filter_words": table.words(filled, request.user),
        "second_person_from": SECOND_PERSON_FROM,
    }
    context["wants_second"] = disclosure.wants_second_person(request.user, context["people"])
    if request.method == "POST" and form.is_valid():
        export = disclosure.ask_export(
            kind=kind,
            title=context["title"],
            params=filled,
            filter_words=context["filter_words"],
            people=context["people"],
            by=request.user,
            is_full=form.cleaned_data.get("is_full", False),
            reason=form.cleaned_data.get("reason", ""),
        )
        return redirect(export.job or export)
    return render(request, "exports/new.html", context)


def _own_or_for_decision(request, pk: int) -> Export:
    """Somebody else's export does not exist, except for the head who decides about it."""
    found = get_object_or_404(Export.objects.select_related("asked_by", "decided_by", "job"), pk=pk)
    if found.asked_by_id != request.user.pk and not has_role(request.user, Role.OFFICE_HEAD):
        raise Http404
    return found


@require_GET
def exports(request):
    """One's own exports; the head sees all."""
    found = Export.objects.select_related("asked_by", "decided_by", "job")
    if not has_role(request.user, Role.OFFICE_HEAD):
        found = found.filter(asked_by=request.user)
    page = Paginator(found, 30).get_page(request.GET.get("page"))
    return render(request, "exports/list.html", {"page": page})


@require_GET
def export(request, pk: int):
    found = _own_or_for_decision(request, pk)
    context = {
        "export": found,
        "is_mine": found.asked_by_id == request.user.pk,
        "may_decide": found.state == "waiting"
        and found.asked_by_id != request.user.pk
        and has_role(request.user, Role.OFFICE_HEAD),
    }
    return render(request, "exports/detail.html", context)


@require_POST
def export_decide(request, pk: int):
    found = _own_or_for_decision(request, pk)
    agreed = request.POST.get("agreed") == "yes"
    if not agreed and request.POST.get("agreed") != "no":
        messages.error(request, "请选同意或不同意。")
        return redirect(found)
    try:
        disclosure.decide_export(export=found, agreed=agreed, by=request.user)
        messages.success(request, "已同意，正在生成。" if agreed else "已记录：不同意。")
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    return redirect(found)


@require_POST
def export_file(request, pk: int):
    """Hands the file to the one who asked for it, while the table is still for that one; every
    download is logged."""
    found = _own_or_for_decision(request, pk)
    table = TABLES.get(found.kind)
    if table is None or not table.is_for(request.user):
        messages.error(request, "您现在不能下载这张表。")
        return redirect(found)
    try:
        found = disclosure.hand_over(export=found, by=request.user)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
        return redirect(found)
    name = f"{found.title}-{found.number}.xlsx"
    return FileResponse(found.file.open("rb"), as_attachment=True, filename=name)
