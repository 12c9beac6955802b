"""Pages of the roster import: upload, preview, confirm, result."""

import io

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from branches import preview, roster
from branches.forms import RosterUploadForm
from branches.models import ImportBatch, ImportState, StagedRow, Verdict
from branches.roster.judge import missing_people
from branches.roster.report import write_rejected
from cadres.jobs import RefusedError
from cadres.login import PasswordAgainForm
from cadres.roles import office_only

ROWS_A_PAGE = 50


@office_only
@require_GET
def import_list(request):
    batches = ImportBatch.objects.imports().select_related("uploaded_by", "confirmed_by")
    page = Paginator(batches, 30).get_page(request.GET.get("page"))
    return render(request, "branches/import_list.html", {"page": page})


@office_only
def import_new(request):
    """The upload form; a good file goes to its progress page."""
    form = RosterUploadForm(
        request.POST or None,
        request.FILES or None,
        initial={"effective_on": timezone.localdate()},
    )
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(roster.accept_upload(by=request.user, **form.cleaned_data).job)
        except RefusedError as refusal:
            form.add_error("file", str(refusal))
    return render(request, "branches/import_new.html", {"form": form})


@office_only
@require_GET
def import_detail(request, pk: int):
    """The preview while a file waits for confirmation, its result afterwards."""
    batches = ImportBatch.objects.imports().select_related("job", "uploaded_by")
    batch = get_object_or_404(batches, pk=pk)
    if batch.state == ImportState.UPLOADED and batch.job and not batch.job.is_finished:
        return redirect(batch.job)
    tabs = preview.tabs(batch)
    asked = request.GET.get("show")
    shown = asked if asked in {key for key, _, _ in tabs} else _first_tab(tabs)
    page = Paginator(_rows(batch, shown), ROWS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "batch": batch,
        "tabs": tabs,
        "shown": shown,
        "page": page,
        "groups": preview.problem_groups(batch),
        "can_confirm": batch.state == ImportState.STAGED and not batch.is_being_written,
        "can_undo": batch.state == ImportState.WRITTEN and not batch.emptied_at,
        "password_again": PasswordAgainForm(request=request),
    }
    if shown != "missing":
        wording = preview.Wording()
        context["rows"] = [(row, wording.changes(row), wording.summary(row)) for row in page]
    return render(request, "branches/import_detail.html", context)


def _first_tab(tabs: list[tuple[str, str, int]]) -> str:
    return next((key for key, _, count in tabs if count), Verdict.CREATED)


def _rows(batch: ImportBatch, shown: str):
    if shown == "missing":
        return missing_people(batch).select_related("unit", "township")
    rows = StagedRow.objects.filter(batch=batch).select_related("retiree__unit", "unit")
    if shown == "proposals":
        return rows.filter(proposal__isnull=False)
    if shown == "problems":
        return rows.with_problems()
    return rows.filter(verdict=shown)


@office_only
@require_POST
def import_confirm(request, pk: int):
    batch = get_object_or_404(ImportBatch.objects.imports(), pk=pk)
    try:
        batch = roster.confirm(batch=batch, by=request.user)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    return redirect(batch.job if batch.is_being_written else batch)


@office_only
@require_POST
def import_discard(request, pk: int):
    batch = get_object_or_404(ImportBatch.objects.imports(), pk=pk)
    try:
        roster.discard(batch=batch, by=request.user)
        messages.success(request, "已放弃这份名册，没有写入任何内容。")
    except RefusedError as refusal:
        messages.error(request, str(refusal))
        return redirect(batch)
    return redirect("branches:import-list")


@office_only
@require_POST
def import_undo(request, pk: int):
    batch = get_object_or_404(ImportBatch.objects.imports(), pk=pk)
    again = PasswordAgainForm(request.POST, request=request)
    if not again.is_valid():
        messages.error(request, again.errors["password"][0])
        return redirect(batch)
    try:
        roster.undo(batch=batch, by=request.user)
        messages.success(request, "已整批撤销，人员恢复到导入之前。")
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    return redirect(batch)


@office_only
@require_GET
def import_rejected(request, pk: int):
    """The rejected rows as a workbook to mend and send again."""
    batch = get_object_or_404(ImportBatch.objects.imports(), pk=pk)
    book = io.BytesIO()
    write_rejected(batch, book)
    book.seek(0)
    return FileResponse(book, as_attachment=True, filename=f"待修改的行-{batch.pk}.xlsx")
