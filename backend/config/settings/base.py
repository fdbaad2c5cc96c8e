"""Settings of all environments. The other modules of this package complete them."""

from pathlib import Path
from typing import Any

from structlog.typing import Processor

from apps.telemetry.logs import logging_config
from config.environment import Environment, reveal

BASE_DIR = Path(__file__).resolve().parents[2]

DEBUG = False

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "ninja",
    "apps.accounts",
    "apps.billing",  # billing
    "apps.health",
    "apps.projects",
    "apps.telemetry",
    "config",
]

MIDDLEWARE = [
    "apps.telemetry.middleware.TelemetryMiddleware",
    "config.security.SecurityHeadersMiddleware",
    "config.problems.ProblemMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "apps.accounts.middleware.KeepSessionMiddleware",
    "apps.accounts.middleware.LastSeenMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024  # far more than any request of this app needs

AUTHENTICATION_BACKENDS = ["apps.accounts.backends.ThrottledBackend"]
AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = [
    "apps.accounts.hashers.LeanArgon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",  # old hashes; a login renews them
]
PASSWORD_RESET_TIMEOUT = 24 * 60 * 60  # for all links in mails
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{validator}"}
    for validator in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"

# The CSRF cookie is not HttpOnly: the frontend reads it and sends it in a header.
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# The admin site needs scripts, styles, images and forms from this origin, and nothing inline.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


# Custom settings, so that apps do not depend on config.environment.
FIELD_ENCRYPTION_KEYS: list[str]
METRICS_TOKEN: str | None
METRICS_DIRECTORY: str | None
PUBLIC_URL: str
STRIPE: dict[str, str] | None  # billing
VERSION: dict[str, str]


def settings_from(environment: Environment, *, log_renderer: Processor) -> dict[str, Any]:
    """Return the settings that depend on environment variables."""
    metrics_directory = environment.prometheus_multiproc_dir
    return {
        "SECRET_KEY": environment.django_secret_key.get_secret_value(),
        "SECRET_KEY_FALLBACKS": [
            key.get_secret_value() for key in environment.django_secret_key_fallbacks
        ],
        "ALLOWED_HOSTS": environment.django_allowed_hosts,
        "CSRF_TRUSTED_ORIGINS": environment.django_csrf_trusted_origins,
        "NINJA_NUM_PROXIES": environment.trusted_proxies,
        "DATABASES": {"default": environment.database},
        "CACHES": {"default": environment.cache},
        "SESSION_ENGINE": environment.session_engine,
        "PUBLIC_URL": environment.public_url,
        "FIELD_ENCRYPTION_KEYS": [
            key.get_secret_value() for key in environment.field_encryption_key
        ],
        **environment.mail,
        "STRIPE": environment.stripe,  # billing
        "METRICS_TOKEN": reveal(environment.metrics_token),
        "METRICS_DIRECTORY": str(metrics_directory) if metrics_directory else None,
        "VERSION": environment.model_dump(include={"release", "commit", "deploy_id"}),
        "LOGGING": logging_config(
            level=environment.log_level, renderer=log_renderer, release=environment.release
        ),
    }
