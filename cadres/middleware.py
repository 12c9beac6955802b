"""Who did it, for the history; and no copies of signed-in pages on shared machines."""

import pghistory.middleware
from django.conf import settings
from django.utils.cache import add_never_cache_headers


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
