"""The one place that reads environment variables, through one typed schema."""

import os
from typing import Annotated

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
)

POSTGRESQL = "django.db.backends.postgresql"
SQLITE = "django.db.backends.sqlite3"


class InvalidEnvironmentError(ImproperlyConfigured):
    pass


def split_commas(value: str) -> list[str]:
    """Split `a, b` into `["a", "b"]`."""
    return [part.strip() for part in value.split(",") if part.strip()]


def parse_database(url: SecretStr) -> dj_database_url.DBConfig:
    """Turn a database URL into Django's settings."""
    database = dj_database_url.parse(
        url.get_secret_value(), conn_max_age=60, conn_health_checks=True
    )
    if database["ENGINE"] == POSTGRESQL:
        # Without it a server that is cut off holds a request, and a probe, for minutes.
        database["OPTIONS"] = {"connect_timeout": 5} | database.get("OPTIONS", {})
    return database


def require_database(url: SecretStr) -> SecretStr:
    """Refuse a URL that names no database, or one of an engine without a driver here."""
    database = parse_database(url)
    if database["ENGINE"] not in {POSTGRESQL, SQLITE} or not database["NAME"]:
        raise ValueError
    return url


Host = Annotated[str, StringConstraints(pattern=r"^(\*|\.?[\w-]+(\.[\w-]+)*|\[[\da-fA-F:]+\])$")]
Origin = Annotated[str, StringConstraints(pattern=r"^https?://[\w.*-]+(:\d+)?$")]


class Environment(BaseModel):
    """The variables that the app reads: each field's name in capitals.

    A description says what a value looks like, because a value itself is never printed.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    django_secret_key: Annotated[
        SecretStr,
        Field(min_length=50, description="at least 50 random characters"),
    ]
    django_allowed_hosts: Annotated[
        list[Host],
        BeforeValidator(split_commas),
        Field(min_length=1, description="host names without port, separated by commas"),
    ]
    django_csrf_trusted_origins: Annotated[
        list[Origin],
        BeforeValidator(split_commas),
        Field(description="origins such as https://www.example.com, separated by commas"),
    ] = []
    database_url: Annotated[
        SecretStr,
        AfterValidator(require_database),
        Field(description="postgres://user:password@host:5432/name or sqlite:////path/to/file"),
    ]

    @property
    def database(self) -> dj_database_url.DBConfig:
        """Django's settings for the database."""
        return parse_database(self.database_url)


def read_environment(**defaults: str) -> Environment:
    """Read the variables of this process.

    Args:
        **defaults: Values for variables that are missing or empty.

    Returns:
        The validated variables.

    Raises:
        InvalidEnvironmentError: Names every variable that is missing or malformed.
    """
    names = Environment.model_fields
    given = {name: value for name in names if (value := os.environ.get(name.upper()))}
    try:
        return Environment.model_validate(defaults | given)
    except ValidationError as error:
        raise InvalidEnvironmentError(explain(error)) from None


def explain(error: ValidationError) -> str:
    """Say which variables are wrong and what each should look like, but never what it holds."""
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
        "hint: set these variables for the process, then start it again"
    )
