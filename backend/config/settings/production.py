"""Settings of deployments. Values that differ between deployments have no defaults."""

from apps.telemetry.logs import json_lines
from config.environment import read_environment
from config.sentry import start_sentry

from .base import *

environment = read_environment()

globals().update(settings_from(environment, log_renderer=json_lines()))

SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = True
# Health probes and Prometheus connect to the process directly, over HTTP.
SECURE_REDIRECT_EXEMPT = [r"^api/v1/(health|version)/", r"^metrics$"]
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

if environment.sentry_dsn is not None:
    start_sentry(
        environment.sentry_dsn.get_secret_value(),
        release=environment.release,
        environment=environment.environment,
    )
