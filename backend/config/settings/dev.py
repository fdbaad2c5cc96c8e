"""Settings for development. All variables are optional."""

from apps.telemetry.logs import text_lines
from config.environment import read_environment

from .base import *

environment = read_environment(
    environment="development",
    release="development",
    commit="unknown",
    trusted_proxies="0",
    django_secret_key="django-insecure-development-key-012345678901234567890123456789",  # noqa: S106  # protects nothing
    django_allowed_hosts="localhost,127.0.0.1,[::1]",
    django_csrf_trusted_origins="http://localhost:5173,http://127.0.0.1:5173",
    public_url="http://localhost:5173",
    email_url="console:",
    field_encryption_key="ZGV2ZWxvcG1lbnQtcHJvdGVjdHMtbm90aGluZy0wMDA=",  # protects nothing
    redis_url=None,
    database_url=f"sqlite:///{BASE_DIR / 'db.sqlite3'}",
)

globals().update(settings_from(environment, log_renderer=text_lines()))

DEBUG = True

# The interactive docs load from another origin, and debug pages use inline styles and scripts.
SECURITY_HEADERS = {}
