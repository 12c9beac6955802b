"""When the database restarts a visitor sees one friendly page, not an error."""

import logging

from django.db import InterfaceError, OperationalError, connection
from django.shortcuts import render

logger = logging.getLogger(__name__)


class DatabaseDownMiddleware:
    """Answers 503 with a sentence when the database cannot be reached."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if not isinstance(exception, (OperationalError, InterfaceError)):
            return None
        connection.close()
        logger.error("database not reachable: %s", type(exception).__name__)
        return render(None, "503.html", status=503)
