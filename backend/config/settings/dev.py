"""Settings of a developer's machine: everything works without a single variable."""

from config.environment import read_environment

from .base import *

environment = read_environment(
    django_secret_key="django-insecure-development-key-012345678901234567890123456789",  # noqa: S106  # protects nothing
    django_allowed_hosts="localhost,127.0.0.1,[::1]",
    django_csrf_trusted_origins="http://localhost:5173,http://127.0.0.1:5173",
    database_url=f"sqlite:///{BASE_DIR / 'db.sqlite3'}",
)

DEBUG = True
SECRET_KEY = environment.django_secret_key.get_secret_value()
ALLOWED_HOSTS = environment.django_allowed_hosts
CSRF_TRUSTED_ORIGINS = environment.django_csrf_trusted_origins
DATABASES = {"default": environment.database}
