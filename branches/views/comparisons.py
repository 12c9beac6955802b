"""Pages of the comparison of lists: upload, result, its workbook. Nobody's record is written."""

from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from branches import comparison
from branches.comparison.read import SCOPES, has_result, rows_of
from branches.comparison.result import LISTS, Result, counted, found_by, key_of
from branches.forms.comparisons import ComparisonForm
from branches.models import ImportBatch, ImportState
from cadres.jobs import RefusedError
from cadres.roles import office_only

ROWS_A_PAGE = 50


@office_only
@require_GET
def comparison_list(request):
    batches = ImportBatch.objects.comparisons().select_related("uploaded_by", "job")
    page = Paginator(batches, 30).get_page(request.GET.get("page"))
    return render(request, "branches/comparison_list.html", {"page": page})


@office_only
@require_http_methods(["GET", "HEAD", "POST"])
def comparison_new(request):
    """The upload form; a good file goes to its progress page."""
    form = ComparisonForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            batch = comparison.accept_list(by=request.user, **form.cleaned_data)
            return redirect(batch.job or batch)
        except RefusedError as refusal:
            form.add_error("file", str(refusal))
    return render(request, "branches/comparison_new.html", {"form": form})


def _batch(pk: int) -> ImportBatch:
    batches = ImportBatch.objects.comparisons().select_related("job", "uploaded_by")
    return get_object_or_404(batches, pk=pk)


@office_only
@require_GET
def comparison_detail(request, pk: int):
    """Who is in both, only there, only here; while the list is read, its progress page."""
    batch = _batch(pk)
    if batch.state == ImportState.UPLOADED and batch.job and not batch.job.is_finished:
        return redirect(batch.job)
    context = {"batch": batch, "scope": SCOPES[batch.scope], "file": batch.notes.get("file")}
    if has_result(batch):
        context |= _result(request, batch)
    return render(request, "branches/comparison_detail.html", context)


def _result(request, batch: ImportBatch) -> dict:
    """The asked list of the result, one page of it."""
    q = request.GET.get("q", "").strip()
    rows = found_by(rows_of(batch), q)
    tabs = counted(rows)
    shown = _shown(request.GET.get("show"), tabs)
    verdict = next(verdict for verdict in LISTS if key_of(verdict) == shown)
    chosen = rows.filter(verdict=verdict).select_related("retiree__unit", "retiree__township")
    page = Paginator(chosen, ROWS_A_PAGE).get_page(request.GET.get("page"))
    return {
        "has_result": True,
        "tabs": tabs,
        "shown": shown,
        "page": page,
        "lines": Result(batch).lines(page),
        "q": q,
        "query": urlencode({"q": q}) if q else "",
    }


def _shown(asked: str | None, tabs: list[tuple[str, str, int]]) -> str:
    """The list asked for, else the first with somebody in it."""
    keys = [key for key, _, _ in tabs]
    return asked if asked in keys else next((key for key, _, count in tabs if count), keys[0])


@office_only
@require_POST
def comparison_export(request, pk: int):
    """Has the result made as a workbook."""
    batch = _batch(pk)
    try:
        export = comparison.ask_workbook(batch=batch, by=request.user)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
        return redirect(batch)
    return redirect(export.job or export)
