"""Logging in, home by role, health, and the pages for what went wrong."""

import sys

import redis
from django.conf import settings
from django.contrib.auth import views as auth
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from branches.access import SECRETARY, announced_to, secretary_branches, served_by
from cadres.asat import about_day, read_day
from cadres.context import TEXT_SIZES
from cadres.models import Heartbeat, Retiree
from cadres.roles import Role
from cadres.sessions import left
from fengjie_cadres.context import shown_role
from fengjie_cadres.forms import LoginForm
from fengjie_cadres.reports import standing
from fengjie_cadres.reports.dashboard import Dashboard, last_import
from fengjie_cadres.two_step_views import after_password
from points.days import coming_for
from points.models import Cycle


class Login(auth.LoginView):
    template_name = "login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs):
        """Why somebody has to log in again stands above the form."""
        return super().get_context_data(left=left(self.request.session), **kwargs)

    def form_valid(self, form):
        return after_password(self.request, form.get_user(), self.get_success_url())


@require_safe
def home(request):
    """What somebody comes for, in the role that is shown; the others are a press away."""
    role = shown_role(request)
    template, more = _HOMES.get(role, ("base", _nothing))
    return render(request, f"home/{template}.html", more(request))


def _nothing(request) -> dict:
    return {}


def _branch_life(request) -> dict:
    branches = list(secretary_branches(request.user))
    served = Retiree.objects.active().filter(pk__in=served_by(branches))
    return {
        "branches": branches,
        "people": served.select_related("unit").order_by("name_pinyin", "id"),
        "announcements": announced_to(branches)[:10],
        "ending": Cycle.objects.ending(timezone.localdate()),
    }


def _own(request) -> dict:
    retiree = request.user.retiree
    return {"retiree": retiree, **(coming_for(retiree) if retiree else {})}


def _community(request) -> dict:
    return {"community": request.user.community}


def _desk(request) -> dict:
    county = _county(request)
    waiting = standing.waiting(request.user, due=county["dashboard"].due)
    return county | {"waiting": waiting, "states": standing.states()}


def _county(request) -> dict:
    """The county on the day that the address asks about."""
    found = Dashboard(request.user, read_day(request.GET.get("on")))
    return {
        "dashboard": found,
        "about_day": about_day(request.GET.get("on")),
        "tiles": found.tiles(),
        "trend": found.trend(),
        "charts": [found.by_class(), found.by_age(), found.by_township()],
        "last_import": last_import(),
    }


#: Role → the template of its home page, and what stands on it.
_HOMES = {
    Role.OFFICE_STAFF: ("office", _desk),
    Role.OFFICE_HEAD: ("office", _desk),
    Role.LEADER: ("leader", _county),
    Role.AUDITOR: ("auditor", _nothing),
    SECRETARY: ("secretary", _branch_life),
    Role.CONTACT: ("contact", _community),
    Role.RETIREE: ("retiree", _own),
}


@login_not_required
@require_safe
def privacy(request):
    return render(request, "privacy.html")


@login_not_required
@require_POST
def text_size(request):
    """Keeps the size of text for this browser and goes back to the page."""
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure()):
        back = "/"
    response = redirect(back)
    size = request.POST.get("size", "")
    if size in TEXT_SIZES:
        response.set_cookie("text_size", size, max_age=365 * 24 * 3600, samesite="Lax")
    return response


@login_not_required
@require_safe
def healthz(request):
    """Alive: this process answers."""
    return HttpResponse("ok", content_type="text/plain")


@login_not_required
@require_safe
def readyz(request):
    """Ready: database, broker and worker; strangers are told nothing more."""
    ready = _database_answers() and _broker_answers()
    words = "ready" if ready else "not ready"
    return HttpResponse(words, content_type="text/plain", status=200 if ready else 503)


def _database_answers() -> bool:
    since = timezone.now() - standing.WORKER_SILENT
    try:
        return Heartbeat.objects.filter(name="worker", beat_at__gte=since).exists()
    except (DatabaseError, InterfaceError):
        connection.close()
        return False


def _broker_answers() -> bool:
    url = settings.REDIS_URL.replace("redis+socket://", "unix://")
    timeout = {"socket_timeout": 2}
    if not url.startswith("unix:"):
        timeout["socket_connect_timeout"] = 2
    try:
        with redis.Redis.from_url(url, **timeout) as client:
            return client.ping()
    except redis.RedisError:
        return False


def bad_request(request, exception):
    """Without looking into the request again: it may be what cannot be read."""
    return render(None, "400.html", status=400)


def not_found(request, exception):
    return render(request, "404.html", status=404)


def forbidden(request, exception):
    return render(request, "403.html", status=403)


def server_error(request):
    """Without the database not even who is logged in is known: a page that asks for nothing."""
    error = sys.exc_info()[1]
    if isinstance(error, OperationalError | InterfaceError):
        connection.close()
        response = render(None, "503.html", status=503)
        response["Retry-After"] = "10"
        return response
    return render(None, "500.html", status=500)
