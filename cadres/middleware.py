"""What no page has to think of: known methods only, who did it, no copies of signed-in pages."""

import pghistory.middleware
from django.conf import settings
from django.http import HttpResponseNotAllowed
from django.utils.cache import add_never_cache_headers


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


class NoStoreMiddleware:
    """`Cache-Control: no-store` on every page of somebody who has logged in."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            add_never_cache_headers(response)
        return response
