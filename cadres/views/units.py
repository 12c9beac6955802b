"""The units whose retired people the office looks after, with how many there are of each class."""

from django.core.exceptions import PermissionDenied
from django.shortcuts import render
from django.views.decorators.http import require_GET

from branches.access import sees_all
from cadres.forms import UnitFilter
from cadres.models import Unit


@require_GET
def units(request):
    """All on one page: there are some hundred."""
    if not sees_all(request.user):
        raise PermissionDenied
    filled = {key: value for key, value in request.GET.items() if value}
    form = UnitFilter(filled)
    found = form.filter(Unit.objects.with_people())
    context = {"form": form, "units": found, "query": request.GET.urlencode()}
    return render(request, "cadres/units.html", context)
