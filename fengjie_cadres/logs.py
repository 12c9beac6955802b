"""Logs say where something went wrong, never with whose data."""

import logging
import traceback


class ImpersonalFormatter(logging.Formatter):
    """Tracebacks without the errors' texts: a database error quotes the row that it refused."""

    def formatException(self, exc_info):
        kind, _, frames = exc_info
        return "".join(traceback.format_tb(frames)) + kind.__name__
