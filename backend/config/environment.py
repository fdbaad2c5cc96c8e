"""The typed schema of the app's environment variables."""

import os
import re  # billing
from collections.abc import Callable  # billing
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import dj_database_url
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from pydantic import (
    AfterValidator,
    AnyUrl,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    DirectoryPath,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
)

from config.addresses import database_settings, split
from config.mail import mail_settings

# A host and an optional port; the deployer uses the same pattern (pipeline/addresses.py).
LABEL = "[A-Za-z0-9_][A-Za-z0-9_-]*"
SITE = rf"({LABEL}(\.{LABEL})*|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?"

# Increase it when the format of cached values changes: two releases share the cache in a rollout.
CACHE_FORMAT = 1


class InvalidEnvironmentError(ImproperlyConfigured):
    pass


def split_commas(value: str) -> list[str]:
    """Split `a, b` into `["a", "b"]`."""
    return [part.strip() for part in value.split(",") if part.strip()]


def require_database(secret: SecretStr) -> SecretStr:
    """Check that a URL names a database with a supported engine."""
    database_settings(secret.get_secret_value())
    return secret


def require_redis(secret: SecretStr) -> SecretStr:
    """Check that a URL names a Redis server."""
    split(secret.get_secret_value())
    url = AnyUrl(secret.get_secret_value())
    if url.scheme not in {"redis", "rediss"} or not url.host:
        raise ValueError
    return secret


# billing:
def require_pattern(pattern: str) -> Callable[[SecretStr], SecretStr]:
    """Return a validator that matches a secret; pydantic's `pattern` does not support secrets."""

    def require(secret: SecretStr) -> SecretStr:
        if not re.fullmatch(pattern, secret.get_secret_value()):
            raise ValueError
        return secret

    return require


# :billing
def require_dsn(secret: SecretStr) -> SecretStr:
    """Check that a Sentry DSN has a host, a key and a project."""
    split(secret.get_secret_value())
    url = AnyUrl(secret.get_secret_value())
    if url.scheme not in {"http", "https"} or not url.username or (url.path or "/") == "/":
        raise ValueError
    return secret


def require_mail(secret: SecretStr) -> SecretStr:
    """Check that a mail URL is supported."""
    mail_settings(secret.get_secret_value())
    return secret


def require_port(origin: str) -> str:
    """Check the port and the IPv6 address of an origin."""
    split(origin)
    return origin


def require_fernet(secret: SecretStr) -> SecretStr:
    """Check that a Fernet key is 32 bytes in URL-safe base64."""
    Fernet(secret.get_secret_value())
    return secret


Host = Annotated[str, StringConstraints(pattern=r"^(\*|\.?[\w-]+(\.[\w-]+)*|\[[\da-fA-F:]+\])$")]
Origin = Annotated[
    str, StringConstraints(pattern=rf"^https?://{SITE}$"), AfterValidator(require_port)
]
TrustedOrigin = Annotated[
    str, StringConstraints(pattern=rf"^https?://(\*\.)?{SITE}$"), AfterValidator(require_port)
]
Key = Annotated[SecretStr, Field(min_length=50)]
FieldKey = Annotated[SecretStr, AfterValidator(require_fernet)]
Mailbox = Annotated[str, StringConstraints(pattern=r"^([^<>\r\n]+ <)?[^\s@<>]+@[^\s@<>]+>?$")]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][\w.+-]{0,63}$")]


class Environment(BaseModel):
    """The environment variables of the app: the field names in upper case.

    Errors show the description of a field, because they must not print its value. A field without a
    default is required in every deployment.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    environment: Annotated[
        Name, Field(description="name of the environment, such as staging", examples=["production"])
    ]
    release: Annotated[
        Name, Field(description="version of the release, such as v1.2.3", examples=["v1.2.3"])
    ]
    commit: Annotated[
        str,
        Field(
            pattern=r"^([0-9a-f]{7,64}|unknown)$",
            description="hash of the commit that was built",
            examples=["0123456789abcdef0123456789abcdef01234567"],
        ),
    ]
    deploy_id: Annotated[Name, Field(description="deployment that started this process")] = "none"
    django_secret_key: Annotated[Key, Field(description="at least 50 random characters")]
    django_secret_key_fallbacks: Annotated[
        list[Key],
        BeforeValidator(split_commas),
        Field(description="previous secret keys that are still accepted, separated by commas"),
    ] = []
    django_allowed_hosts: Annotated[
        list[Host],
        BeforeValidator(split_commas),
        Field(
            min_length=1,
            description="host names without a port, separated by commas",
            examples=["www.example.com"],
        ),
    ]
    django_csrf_trusted_origins: Annotated[
        list[TrustedOrigin],
        BeforeValidator(split_commas),
        Field(description="origins such as https://www.example.com, separated by commas"),
    ] = []
    public_url: Annotated[
        Origin,
        Field(
            description="origin of the site, the start of links in emails",
            examples=["https://www.example.com"],
        ),
    ]
    trusted_proxies: Annotated[
        int,
        Field(
            ge=0,
            le=10,
            description="number of proxies in front of the app that add to X-Forwarded-For",
        ),
    ] = 1
    database_url: Annotated[
        SecretStr,
        AfterValidator(require_database),
        Field(
            description="postgres://user:password@host:5432/name, with / ? # @ in the password as "
            "%2F %3F %23 %40; or sqlite:////path/to/file"
        ),
    ]
    redis_url: Annotated[
        Annotated[SecretStr, AfterValidator(require_redis)] | None,
        Field(description="redis://user:password@host:6379/0, or rediss:// for TLS"),
    ]
    email_url: Annotated[
        SecretStr,
        AfterValidator(require_mail),
        Field(
            description="smtp://user:password@host:587, with ?tls=implicit or ?tls=none if the "
            "server has no STARTTLS; or file:///folder, console: or memory:"
        ),
    ]
    email_from: Annotated[
        Mailbox | None,
        Field(description="sender of emails; no-reply@ and the host of PUBLIC_URL if empty"),
    ] = None
    field_encryption_key: Annotated[
        list[FieldKey],
        BeforeValidator(split_commas),
        Field(
            min_length=1,
            description="32-byte keys in URL-safe base64, separated by commas: the first "
            "encrypts, all decrypt",
        ),
    ]
    # billing:
    stripe_secret_key: Annotated[
        Annotated[SecretStr, AfterValidator(require_pattern(r"(sk|rk)_\w+"))] | None,
        Field(description="sk_… from Stripe; billing needs this and the next two variables"),
    ] = None
    stripe_webhook_secret: Annotated[
        Annotated[SecretStr, AfterValidator(require_pattern(r"whsec_\S+"))] | None,
        Field(description="whsec_… of the webhook endpoint /api/v1/billing/webhook/"),
    ] = None
    stripe_price_id: Annotated[
        Annotated[str, Field(pattern=r"^price_\w+$")] | None,
        Field(description="price_… of the subscription"),
    ] = None
    stripe_api_base: Annotated[
        Origin, Field(description="origin of Stripe's API; change it only to use a fake in tests")
    ] = "https://api.stripe.com"
    # :billing
    sentry_dsn: Annotated[
        Annotated[SecretStr, AfterValidator(require_dsn)] | None,
        Field(description="https://key@host/project to report errors to; off if empty"),
    ] = None
    metrics_token: Annotated[
        Annotated[SecretStr, Field(min_length=32)] | None,
        Field(description="at least 32 random characters, the token for /metrics; off if empty"),
    ] = None
    prometheus_multiproc_dir: Annotated[
        DirectoryPath | None,
        Field(description="directory for metrics shared by all workers, empty at the start"),
    ] = None
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"],
        Field(description="DEBUG, INFO, WARNING or ERROR"),
    ] = "INFO"

    @property
    def database(self) -> dj_database_url.DBConfig:
        """Django's settings for the database."""
        return database_settings(self.database_url.get_secret_value())

    @property
    def cache(self) -> dict[str, Any]:
        """Django's settings for the cache: Redis, or local memory without REDIS_URL."""
        common = {"KEY_PREFIX": "app", "VERSION": CACHE_FORMAT}
        if self.redis_url is None:
            return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", **common}
        return {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": self.redis_url.get_secret_value(),
            # An unreachable server must not block requests.
            "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 2},
            **common,
        }

    @property
    def mail(self) -> dict[str, Any]:
        """Django's settings for mail."""
        sender = self.email_from or f"no-reply@{urlsplit(self.public_url).hostname}"
        return {"DEFAULT_FROM_EMAIL": sender} | mail_settings(self.email_url.get_secret_value())

    # billing:
    @property
    def stripe(self) -> dict[str, str] | None:
        """The settings for Stripe, or None if one of them is missing."""
        key, secret = reveal(self.stripe_secret_key), reveal(self.stripe_webhook_secret)
        if not key or not secret or not self.stripe_price_id:
            return None
        return {
            "secret_key": key,
            "webhook_secret": secret,
            "price_id": self.stripe_price_id,
            "api_base": self.stripe_api_base,
        }

    # :billing
    @property
    def session_engine(self) -> str:
        """The session engine: the database, cached if all processes share the cache.

        Sessions survive an empty Redis, as the database holds them. A cache in local memory would
        keep sessions that another process has ended.
        """
        backend = "db" if self.redis_url is None else "cached_db"
        return f"django.contrib.sessions.backends.{backend}"


def reveal(secret: SecretStr | None) -> str | None:
    """Return the value of an optional secret."""
    return None if secret is None else secret.get_secret_value()


def read_environment(**defaults: str | None) -> Environment:
    """Read and validate the environment variables of this process.

    Args:
        **defaults: Values for variables that are missing or empty.

    Raises:
        InvalidEnvironmentError: Variables are missing or malformed; the error names all of them.
    """
    names = Environment.model_fields
    given = {name: value for name in names if (value := os.environ.get(name.upper()))}
    try:
        return Environment.model_validate(defaults | given)
    except ValidationError as error:
        raise InvalidEnvironmentError(explain(error)) from None


def explain(error: ValidationError) -> str:
    """Return a message with all invalid variables and their descriptions, without their values."""
    verdicts = {
        str(problem["loc"][0]): "is missing" if problem["type"] == "missing" else "is malformed"
        for problem in error.errors(include_input=False)
    }
    sentences = [
        f"{name.upper()} {verdict} (expected: {Environment.model_fields[name].description})"
        for name, verdict in verdicts.items()
    ]
    return (
        f"the environment is not usable: {'; '.join(sentences)}\n"
        "hint: set these variables and start the process again; backend/.env.example lists all"
    )
