"""The branches: who leads them, how many belong to them and are served by them."""

from django.core.exceptions import PermissionDenied
from django.shortcuts import render
from django.views.decorators.http import require_GET

from branches.access import visible_branches
from branches.forms import BranchFilter


@require_GET
def branches(request):
    """All that the user sees, on one page: there are 85."""
    visible = visible_branches(request.user)
    if not visible.exists():
        raise PermissionDenied
    form = BranchFilter({key: value for key, value in request.GET.items() if value})
    found = form.filter(visible).with_people().with_secretary().select_related("area", "township")
    context = {"form": form, "branches": found, "query": request.GET.urlencode()}
    return render(request, "branches/branches.html", context)
