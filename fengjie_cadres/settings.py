"""All settings. Everything that differs between machines is read from the environment here."""

import datetime
import ipaddress
import os
from pathlib import Path

import dj_database_url
import pghistory
from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured

from fengjie_cadres import services

BASE_DIR = Path(__file__).resolve().parent.parent

# ---- the environment ------------------------------------------------------------------------
DATABASE_URL = os.environ.get("DATABASE_URL") or services.database_url()
REDIS_URL = os.environ.get("REDIS_URL") or services.redis_url()
#: Web, worker and commands run in this role; manage.py lifts it for `migrate` and its like.
DATABASE_ROLE = os.environ.get("DATABASE_ROLE", "cadres_app")
DEBUG = os.environ.get("DEBUG") == "1"
#: The demo county may be loaded and its passwords shown. Off as soon as the database is not ours.
DEMO_PASSWORD = "yinyao-2025"  # opens nothing where DEMO is off
DEMO = os.environ.get("DEMO", "1" if services.is_embedded(DATABASE_URL) else "0") == "1"
HTTPS = os.environ.get("HTTPS", "0" if DEMO else "1") == "1"
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("CSRF_TRUSTED_ORIGINS", "").split(",") if o]
PRIVATE_ROOT = Path(os.environ.get("PRIVATE_ROOT") or services.home() / "private")
SECRET_KEY = os.environ.get("SECRET_KEY") or services.secret_key()
#: Key of the digests that stand in the history for identity numbers and phones. Never change it.
DIGEST_KEY = os.environ.get("DIGEST_KEY") or SECRET_KEY
if not services.is_embedded(DATABASE_URL) and not os.environ.get("DIGEST_KEY"):
    raise ImproperlyConfigured("没有 DIGEST_KEY：请在环境变量里设置，设好以后不能更换。")
QUEUE = os.environ.get("CELERY_QUEUE", "cadres")
OFFICE_PHONE = os.environ.get("OFFICE_PHONE", "023-56550000")
#: How many accounts the points' year end empties in one transaction.
POINTS_BATCH = int(os.environ.get("POINTS_BATCH") or 5000)
#: A session ends after so many minutes without a request, and after so many hours in any case.
IDLE_MINUTES = float(os.environ.get("IDLE_MINUTES") or 30)
SESSION_HOURS = 12
#: Whose X-Forwarded-For is believed: without it all failures behind nginx would be one address's.
try:
    TRUSTED_PROXIES = [
        ipaddress.ip_network(part.strip())
        for part in os.environ.get("TRUSTED_PROXIES", "127.0.0.1,::1").split(",")
        if part.strip()
    ]
except ValueError as error:
    raise ImproperlyConfigured(
        "TRUSTED_PROXIES 要是逗号分隔的地址或网段，例如 127.0.0.1,::1。"
    ) from error

if not SECRET_KEY:
    raise ImproperlyConfigured("没有 SECRET_KEY：请先运行 make services，或在环境变量里设置。")

# ---- Django -----------------------------------------------------------------------------------
INSTALLED_APPS = [
    "fengjie_cadres.apps.RoofConfig",
    "fengjie_cadres.apps.OfficeAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "crispy_forms",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "pgtrigger",
    "pghistory",
    "cadres",
    "points",
    "branches",
    "volunteering",
    "suggestions",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "cadres.middleware.KnownMethodsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "cadres.middleware.SessionEndMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "cadres.middleware.HistoryMiddleware",
    "cadres.middleware.FirstPasswordMiddleware",
    "cadres.middleware.NoStoreMiddleware",
    "cadres.middleware.ButtonOnlyMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "fengjie_cadres.urls"
WSGI_APPLICATION = "fengjie_cadres.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "cadres.context.office",
                "fengjie_cadres.context.session",
            ]
        },
    }
]

DATABASES = {"default": dj_database_url.parse(DATABASE_URL, conn_max_age=60)}
if not DATABASES["default"]["ENGINE"].endswith("postgresql"):
    raise ImproperlyConfigured("DATABASE_URL 必须指向 PostgreSQL（15 或更高版本）。")
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 3)
if DATABASE_ROLE:
    DATABASES["default"]["OPTIONS"]["assume_role"] = DATABASE_ROLE
# Every history trigger asks for this name. Where nobody has set it, asking is an error that is
# caught, once a row, and time grows with the square of the rows: 18,780 new people took a minute.
DATABASES["default"]["OPTIONS"]["options"] = " ".join(
    [DATABASES["default"]["OPTIONS"].get("options", ""), "-c pgtrigger.ignore={}"]
).strip()
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "cadres.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "cadres.login.NameOrPhoneBackend",
]
# By name and, wider, by address: counted in our own handler, which explains how.
AXES_HANDLER = "cadres.throttle.Throttle"
AXES_CLIENT_IP_CALLABLE = "cadres.throttle.client_address"
AXES_FAILURE_LIMIT = 5
ADDRESS_FAILURE_LIMIT = 50
AXES_COOLOFF_TIME = datetime.timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # a quarter of an hour is one
AXES_LOCKOUT_CALLABLE = "fengjie_cadres.login_views.locked"
AXES_ENABLE_ADMIN = False
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False  # its log would name who typed what
OTP_TOTP_ISSUER = "银耀奉节"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"cadres.passwords.{name}"}
    for name in ("NotLikeOneself", "LongEnough", "NotCommon", "NotOnlyDigits")
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
# A session ends with the browser, and by the rules of cadres/sessions.py before that. Its row
# stays longer: whose page stood open over a weekend must still be known, to keep what was typed.
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_AGE = 3 * 24 * 3600

LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
FORMAT_MODULE_PATH = ["fengjie_cadres.formats"]

STATIC_URL = "static/"
STATIC_ROOT = Path(os.environ.get("STATIC_ROOT") or services.home() / "static")
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": PRIVATE_ROOT, "base_url": None},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# A roster of up to 5 MB needs no temporary file.
FILE_UPLOAD_MAX_MEMORY_SIZE = 6 * 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000

CRISPY_ALLOWED_TEMPLATE_PACKS = ("elder",)
CRISPY_TEMPLATE_PACK = "elder"

# ---- history ----------------------------------------------------------------------------------
# The context stands in each event itself: one row per change, nothing ever updated.
PGHISTORY_CONTEXT_FIELD = pghistory.ContextJSONField()
PGHISTORY_CONTEXT_ID_FIELD = pghistory.ContextUUIDField()
PGHISTORY_MIDDLEWARE_METHODS = ("POST", "PUT", "PATCH", "DELETE")
PGHISTORY_OBJ_FIELD = pghistory.ObjForeignKey(db_constraint=False)

# ---- security ---------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "object-src": ["'none'"],
    }
}
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None

# ---- Celery -----------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = QUEUE
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# With a hung broker a page must still answer within three seconds.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 2,
    "socket_connect_timeout": 2,
    "max_retries": 0,
}
CELERY_TIMEZONE = TIME_ZONE
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "sweep", "schedule": 15, "options": {"expires": 15}},
    "lapse-temporary-classes": {"task": "lapse-temporary-classes", "schedule": 3600},
    "empty-old-exports": {"task": "empty-old-exports", "schedule": 3600},
    "empty-old-imports": {"task": "empty-old-imports", "schedule": 24 * 3600},
    "audit-ledger": {"task": "audit-ledger", "schedule": crontab(hour=3, minute=10)},
    "count-figures": {"task": "count-figures", "schedule": 300, "options": {"expires": 300}},
    # The day after: what was written on paper can be typed in before that.
    "finish-past-days": {"task": "finish-past-days", "schedule": crontab(hour=22, minute=40)},
    "turn-of-the-year": {"task": "turn-of-the-year", "schedule": 3600},
    "clear-sessions": {"task": "clear-sessions", "schedule": 3600},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "fengjie_cadres.logs.ImpersonalFormatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
