"""Settings of every deployment: nothing has a default that a deployment must decide."""

from config.environment import read_environment

from .base import *

environment = read_environment()

SECRET_KEY = environment.django_secret_key.get_secret_value()
ALLOWED_HOSTS = environment.django_allowed_hosts
CSRF_TRUSTED_ORIGINS = environment.django_csrf_trusted_origins
DATABASES = {"default": environment.database}

SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = True
SECURE_REDIRECT_EXEMPT = [r"^api/v1/health/"]  # probes ask the process itself, without the proxy
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
