"""The web application, for gunicorn. It runs in the database role `cadres_app`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fengjie_cadres.settings")

application = get_wsgi_application()
