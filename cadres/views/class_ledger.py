"""The class ledger: every change of everybody, with its date, reason and who decided it."""

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.shortcuts import render
from django.views.decorators.http import require_GET

from branches.access import sees_all, visible_branches
from cadres.forms.class_ledger import ClassLedgerFilter, class_changes_of
from cadres.roles import is_office

CHANGES_A_PAGE = 50


@require_GET
def class_ledger(request):
    """For whoever sees more than one person; a secretary finds those whom the branch serves."""
    if not (sees_all(request.user) or visible_branches(request.user).exists()):
        raise PermissionDenied
    filled = {key: value for key, value in request.GET.items() if value and key != "page"}
    found = class_changes_of(filled, request.user).select_related(
        "retiree__unit", "retiree__township", "decided_by"
    )
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "form": ClassLedgerFilter(filled),
        "q": filled.get("q", ""),
        "page": Paginator(found, CHANGES_A_PAGE).get_page(request.GET.get("page")),
        "query": query.urlencode(),
        "is_office": is_office(request.user),
    }
    return render(request, "cadres/class_ledger.html", context)
