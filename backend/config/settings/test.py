"""Settings of the tests, and of the server that browser tests talk to."""

from config.environment import read_environment

from .base import *

environment = read_environment(
    django_secret_key="django-insecure-test-key-0123456789012345678901234567890123456789",  # noqa: S106  # protects nothing
    django_allowed_hosts="localhost,127.0.0.1",
    database_url="sqlite://:memory:",
)

SECRET_KEY = environment.django_secret_key.get_secret_value()
ALLOWED_HOSTS = environment.django_allowed_hosts
CSRF_TRUSTED_ORIGINS = environment.django_csrf_trusted_origins
DATABASES = {"default": environment.database}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# The admin's files are served from where they lie: no collectstatic before a test.
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True
