"""变动历史: what the database wrote down of every change, for the auditor and the office."""

from django import forms
from django.core.exceptions import PermissionDenied
from django.shortcuts import render
from django.views.decorators.http import require_GET

from cadres.changes import ChangeLog
from cadres.desk import DateInput, FilterForm, select
from cadres.models import Retiree, User
from cadres.roles import Role, has_role, is_office
from fengjie_cadres.personal_data import our_models, says_nothing_of_people

#: What the page opens with.
FIRST = Retiree


def tracked_models() -> dict[str, type]:
    """What has a history: key → model, people first, the others as they are declared."""
    tracked = [model for model in our_models() if hasattr(model, "pgh_event_model")]
    tracked.sort(key=lambda model: model is not FIRST)
    return {model._meta.label_lower: model for model in tracked}


class HistoryFilter(FilterForm):
    """Changes by the kind of record, the day, and who made them."""

    about = select("什么记录")
    since = forms.DateField(label="日期从", required=False, widget=DateInput)
    until = forms.DateField(label="到", required=False, widget=DateInput)
    who = select("谁改的")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        kinds = tracked_models().items()
        self.fields["about"].choices = [(key, model._meta.verbose_name) for key, model in kinds]
        users = User.objects.exclude(groups=None).order_by("name", "pk").distinct()
        self.offer(who=lambda: [(user.pk, str(user)) for user in users])

    def by_about(self, events, value):
        return events

    def by_since(self, events, value):
        return events.filter(pgh_created_at__date__gte=value)

    def by_until(self, events, value):
        return events.filter(pgh_created_at__date__lte=value)

    def by_who(self, events, value):
        return events.filter(pgh_context__user=int(value))


@require_GET
def history(request):
    """Who changed what and when, latest first.

    What a field says about a person is not shown here, only that it changed.
    """
    if not (is_office(request.user) or has_role(request.user, Role.AUDITOR)):
        raise PermissionDenied
    filled = {key: value for key, value in request.GET.items() if value and key != "page"}
    form = HistoryFilter(filled)
    model = tracked_models().get(form.chosen().get("about"), FIRST)
    events = form.filter(model.pgh_event_model.objects.all())
    log = ChangeLog(model, events, hides_of(model), request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "form": form,
        "kind": model._meta.verbose_name,
        "log": log,
        "page": log.page,
        "query": query.urlencode(),
    }
    return render(request, "history.html", context)


def hides_of(model):
    """Whether a column's values stay hidden: all that are neither public nor the office's own."""
    open_columns = says_nothing_of_people(model)
    return lambda column: column not in open_columns
