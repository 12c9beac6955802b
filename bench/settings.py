"""The product's settings, but static files unhashed and the stock admin mounted beside ours."""

from fengjie_cadres.settings import *  # noqa: F403
from fengjie_cadres.settings import STORAGES

ROOT_URLCONF = "bench.urls"
STORAGES |= {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
LOGGING = {"version": 1, "disable_existing_loggers": False, "root": {"level": "ERROR"}}
