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
from branches.roster.missing import OPEN, RULED, listed_people
from branches.roster.names import names_for, unknown_names
from branches.roster.report import write_rejected
from cadres import disclosure
from cadres.jobs import RefusedError
from cadres.login import PasswordAgainForm
from cadres.roles import office_only

ROWS_A_PAGE = 50


@office_only
@require_GET
def import_list(request):
    batches = ImportBatch.objects.imports().select_related("uploaded_by", "confirmed_by")
    page = Paginator(batches, 30).get_page(request.GET.get("page"))
    closers = preview.closers(list(page))
    rows = [(batch, closers.get(batch.pk, "")) for batch in page]
    return render(request, "branches/import_list.html", {"page": page, "rows": rows})


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
    batches = ImportBatch.objects.imports().select_related("job", "uploaded_by", "confirmed_by")
    batch = get_object_or_404(batches, pk=pk)
    if batch.state == ImportState.UPLOADED and batch.job and not batch.job.is_finished:
        return redirect(batch.job)
    tabs = preview.tabs(batch)
    asked = request.GET.get("show")
    shown = asked if asked in {key for key, _, _ in tabs} else _first_tab(tabs)
    groups = preview.problem_groups(batch)
    is_open = batch.state == ImportState.STAGED and not batch.is_being_written
    context = {
        "batch": batch,
        "tabs": tabs,
        "shown": shown,
        "groups": groups,
        "closer": preview.closers([batch]).get(batch.pk, ""),
        "can_confirm": is_open and not batch.is_being_read,
        "can_undo": batch.state == ImportState.WRITTEN and not batch.emptied_at,
        "password_again": PasswordAgainForm(request=request),
    }
    if is_open and any(group["is_unknown"] for group in groups):
        context["unknown"] = len(unknown_names(batch, names_for(batch)))
    lists = {"missing": _missing, "problems": _problems}
    context |= lists.get(shown, _plain)(request, batch, shown)
    return render(request, "branches/import_detail.html", context)


def _first_tab(tabs: list[tuple[str, str, int]]) -> str:
    return next((key for key, _, count in tabs if count), Verdict.CREATED)


def _page(request, found):
    return Paginator(found, ROWS_A_PAGE).get_page(request.GET.get("page"))


def _missing(request, batch: ImportBatch, shown: str) -> dict:
    """Who is not in the file, the open ones first, narrowed by `ruling`."""
    narrowed = request.GET.get("ruling", "")
    narrowed = narrowed if narrowed in (OPEN, RULED) else ""
    people = listed_people(batch, narrowed).select_related("unit", "township")
    page = _page(request, people)
    can_rule = batch.state in (ImportState.STAGED, ImportState.WRITTEN) and not batch.emptied_at
    return {
        "page": page,
        "people": preview.missing(batch, list(page)),
        "narrowed": narrowed,
        "narrowings": [("", "全部"), (OPEN, "还没核实"), (RULED, "已核实")],
        "can_rule": can_rule,
        "query": f"ruling={narrowed}" if narrowed else "",
    }


def _problems(request, batch: ImportBatch, shown: str) -> dict:
    """Rows with problems, narrowed to one kind of problem."""
    kind = request.GET.get("kind", "")
    kind = kind if kind in preview.KINDS else ""
    rows = StagedRow.objects.filter(batch=batch).with_problems()
    if kind:
        rows = preview.with_problem(rows, kind)
    words = {"kind": kind, "kind_name": preview.KINDS.get(kind, "")}
    return words | _shown_rows(request, batch, rows) | {"query": f"kind={kind}" if kind else ""}


def _plain(request, batch: ImportBatch, shown: str) -> dict:
    """Rows of one verdict, or with a proposed transfer."""
    rows = StagedRow.objects.filter(batch=batch)
    if shown == "proposals":
        return _shown_rows(request, batch, rows.filter(proposal__isnull=False))
    return _shown_rows(request, batch, rows.filter(verdict=shown))


def _shown_rows(request, batch: ImportBatch, rows) -> dict:
    page = _page(request, rows.select_related("retiree__unit", "unit"))
    wording = preview.Wording()
    shown = [
        {
            "row": row,
            "problems": preview.columns_in_words(batch, row),
            "changes": wording.changes(row),
            "summary": wording.summary(row),
        }
        for row in page
    ]
    return {"page": page, "rows": shown}


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
        return redirect(batch.get_absolute_url() + "?undo=again#undo")
    try:
        roster.undo(batch=batch, by=request.user)
        messages.success(request, "已整批撤销，人员恢复到导入之前。")
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    return redirect(batch)


@office_only
@require_POST
def import_rejected(request, pk: int):
    """The rejected rows as a workbook to mend and send again: with full numbers, so logged."""
    batch = get_object_or_404(ImportBatch.objects.imports(), pk=pk)
    book = io.BytesIO()
    write_rejected(batch, book)
    what = f"导入时被拒绝的行：{batch.file_name}"
    disclosure.note_rows(what=what, people=batch.rejected, by=request.user)
    book.seek(0)
    return FileResponse(book, as_attachment=True, filename=f"待修改的行-{batch.pk}.xlsx")
