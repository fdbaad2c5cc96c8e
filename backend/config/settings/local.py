"""Settings of the local stack: production settings over plain HTTP."""

from config.environment import InvalidEnvironmentError

from .production import *

if environment.environment != "local":
    raise InvalidEnvironmentError(
        "config.settings.local sends cookies over plain HTTP, but ENVIRONMENT is not local\n"
        "hint: set DJANGO_SETTINGS_MODULE to config.settings.production"
    )

SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 0
SESSION_COOKIE_SECURE = False
CSRF_COOKIE_SECURE = False
