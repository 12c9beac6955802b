"""What no page has to think of: known methods only, sessions that end, first passwords, who did
it, and no copies of signed-in pages on shared machines."""

import pghistory.middleware
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.utils.cache import add_never_cache_headers

from cadres import sessions

#: Must answer without asking the database who is there.
_HEALTH = {"/healthz", "/readyz"}
#: Posts that make no sense any more after logging in again.
_NOT_KEPT = {
    "logout", "admin:logout", "password", "two-step", "role", "still-here", "resume",
}  # fmt: skip
#: What somebody with a first password may do besides changing it and reading open pages.
_BEFORE_CHANGE = {"password", "logout", "admin:logout", "still-here"}


class SessionEndMiddleware:
    """Ends a session nobody has used for half an hour; a post that comes too late is kept.

    Stands behind CsrfViewMiddleware, so that only a form of ours is ever kept, and before
    LoginRequiredMiddleware, which would send its sender away empty-handed.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path_info not in _HEALTH and request.user.is_authenticated:
            if sessions.is_over(request.session):
                user = request.user.pk
                logout(request)
                sessions.leave(request.session, user=user)
            else:
                sessions.touch(request.session)
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        """Late posts go to the log-in page: back to where they came from would be a bare GET."""
        if request.method != "POST" or not getattr(view, "login_required", True):
            return None
        if request.user.is_authenticated:
            sessions.drop(request.session, request.get_full_path())
            return None
        name = request.resolver_match.view_name
        if sessions.left_by(request.session) and name not in _NOT_KEPT:
            sessions.keep(request)
        return redirect(settings.LOGIN_URL)


class FirstPasswordMiddleware:
    """Whose password somebody else has chosen changes it before anything else."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if not getattr(view, "login_required", True):
            return None
        name = request.resolver_match.view_name
        if request.user.must_change_password and name not in _BEFORE_CHANGE:
            return redirect("password")
        return None


class KnownMethodsMiddleware:
    """A page is read or a form is sent; PUT, PATCH, DELETE and the like are refused to everybody.

    Views and the admin would answer them as a GET.
    """

    KNOWN = ("GET", "HEAD", "POST")

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.method not in self.KNOWN:
            return HttpResponseNotAllowed(self.KNOWN)
        return self.get_response(request)


class HistoryMiddleware(pghistory.middleware.HistoryMiddleware):
    """Each change a request makes is recorded with its user and page."""

    def get_context(self, request):
        return {"user": request.user.pk, "url": request.path}


class ButtonOnlyMiddleware:
    """Who opens by hand what only a button does, or reloads it, reads how to go on."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if request.method == "GET" and response.status_code == 405 and not response.content:
            page = render(request, "405.html", status=405)
            page["Allow"] = response["Allow"]
            return page
        return response


class NoStoreMiddleware:
    """`Cache-Control: no-store` on every page of somebody who has logged in."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            add_never_cache_headers(response)
        return response
