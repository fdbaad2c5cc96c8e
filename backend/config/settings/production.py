"""Settings of every deployment: nothing has a default that a deployment must decide."""

from apps.telemetry.logs import json_lines
from config.environment import read_environment
from config.sentry import start_sentry

from .base import *

environment = read_environment()

globals().update(settings_from(environment, log_renderer=json_lines()))

SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = True
# Probes and Prometheus ask the process itself, without the proxy.
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
