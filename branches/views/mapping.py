"""The page on which staff say what the unknown names of a roster mean."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render

from branches import roster
from branches.forms import NamesForm
from branches.models import ImportBatch, ImportState
from branches.roster.names import names_for, unknown_names
from cadres.jobs import RefusedError
from cadres.roles import office_only

NAMES_A_PAGE = 40


@office_only
def import_names(request, pk: int):
    """What is not known in a file, some names at a time; what is said is kept and read again."""
    rosters = ImportBatch.objects.imports().select_related("job")
    batch = get_object_or_404(rosters, pk=pk)
    if batch.state != ImportState.STAGED or batch.is_being_written or batch.is_being_read:
        if request.method == "POST":
            messages.error(request, "这份名册已经确认、办结或正在重新读取，没有再对应名称。")
        return redirect(batch)
    names = names_for(batch)
    unknown = unknown_names(batch, names)
    page = Paginator(unknown, NAMES_A_PAGE).get_page(request.GET.get("page"))
    form = NamesForm(
        unknown if request.method == "POST" else list(page), names, request.POST or None
    )
    if request.method == "POST" and form.is_valid() and _mapped(request, batch, form):
        batch.refresh_from_db()
        return redirect(batch.job if batch.is_being_read else batch)
    context = {"batch": batch, "form": form, "page": page, "count": len(unknown)}
    context["rows"] = sum(one.rows for one in unknown)
    return render(request, "branches/import_names.html", context)


def _mapped(request, batch: ImportBatch, form: NamesForm) -> bool:
    """Has the choices taken; a refusal stands above what was typed."""
    chosen = form.chosen()
    try:
        roster.map_names(batch=batch, chosen=chosen, by=request.user)
    except RefusedError as refusal:
        form.add_error(None, str(refusal))
        return False
    said = (
        f"{len(chosen)} 个名称已经存下，这份名册按它们重新读取。"
        if chosen
        else "重新读取这份名册。"
    )
    messages.success(request, said)
    return True
