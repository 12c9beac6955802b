"""The Celery application. A job is a row first (cadres/jobs.py); a message only wakes a worker."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fengjie_cadres.settings")

app = Celery("fengjie_cadres")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["fengjie_cadres"])
