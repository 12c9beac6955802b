"""Pages of figures beside the home page."""

from django.core.exceptions import PermissionDenied
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from branches.access import sees_all
from cadres.asat import about_day
from fengjie_cadres.reports.class_totals import BY, CLASSES, asked, class_totals


@require_GET
def class_totals_page(request):
    """分类人数 on a day, by what is asked for."""
    if not sees_all(request.user):
        raise PermissionDenied
    by, on = asked(request.GET)
    context = {
        "rows": class_totals(request.user, by, on),
        "classes": [label for _, label in CLASSES],
        "choices": BY.items(),
        "by": by,
        "heading": BY[by],
        "on": on,
        "about_day": about_day(request.GET.get("on")),
        "is_past": on < timezone.localdate(),
    }
    return render(request, "class_totals.html", context)
