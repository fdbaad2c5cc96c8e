"""Settings of the tests, and of the server for the end-to-end tests."""

from apps.telemetry.logs import text_lines
from config.environment import read_environment

from .base import *

environment = read_environment(
    environment="test",
    release="test",
    commit="unknown",
    trusted_proxies="0",
    django_secret_key="django-insecure-test-key-0123456789012345678901234567890123456789",  # noqa: S106  # protects nothing
    django_allowed_hosts="localhost,127.0.0.1",
    public_url="http://localhost:5173",
    email_url="memory:",
    field_encryption_key="dGhlLXRlc3RzLXByb3RlY3Qtbm90aGluZy0wMDAwMDA=",  # protects nothing
    redis_url=None,
    database_url="sqlite://:memory:",
)

globals().update(settings_from(environment, log_renderer=text_lines()))

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Serve static files from the apps, without collectstatic.
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True
