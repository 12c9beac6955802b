"""The books are proved every night."""

import pytest
from django.conf import settings

from fengjie_cadres import tasks
from fengjie_cadres.celery import app
from points.audit import last


def test_every_beat_has_its_task():
    names = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert names <= app.tasks.keys()
    night = settings.CELERY_BEAT_SCHEDULE["audit-ledger"]["schedule"]
    assert (night.hour, night.minute) == ({3}, {10})


@pytest.mark.django_db
def test_the_nights_task_keeps_what_it_found():
    tasks.audit_ledger()
    assert last().is_clean
