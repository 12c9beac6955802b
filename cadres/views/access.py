"""Who looked at what."""

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.shortcuts import render
from django.views.decorators.http import require_GET

from cadres.models import AccessEntry
from cadres.roles import Role, has_role, is_office

ENTRIES_A_PAGE = 50


@require_GET
def access_log(request):
    """Who looked at full numbers and who exported what, latest first."""
    if not (is_office(request.user) or has_role(request.user, Role.AUDITOR)):
        raise PermissionDenied
    entries = AccessEntry.objects.select_related("user", "retiree", "export")
    page = Paginator(entries, ENTRIES_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "cadres/access_log.html", {"page": page})
