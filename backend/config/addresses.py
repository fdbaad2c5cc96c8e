"""Addresses that hold a secret: read in one way only, or refused.

What deploys the app reads the database's address too, to dump it (pipeline/deploy/database.py). A
table of addresses in its tests holds both to one opinion.
"""

from functools import cache
from urllib.parse import SplitResult, parse_qsl, urlsplit

import dj_database_url
from psycopg import pq

POSTGRESQL = "django.db.backends.postgresql"
SQLITE = "django.db.backends.sqlite3"
SCHEMA = "currentSchema"
"""The search path, as dj-database-url reads it."""
NO_PARAMETERS = frozenset({
    "dbname", "oauth_client_secret", "password", "scram_client_key", "scram_server_key",
    "sslpassword",
})  # fmt: skip
"""Of libpq's, those that stand before the `?`, and secrets that their own `&` would cut."""

# A server that is cut off must not hold a request, and a probe, for minutes. What was sent is given
# up when it is not acknowledged for 3 s, and so is an answer from a server that is gone.
# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
PATIENCE = {
    "connect_timeout": 3,  # seconds
    "tcp_user_timeout": 3000,  # milliseconds
    "keepalives_idle": 3,
    "keepalives_interval": 1,
}


def split(url: str) -> SplitResult:
    """Split a URL, unless its user or password has cut it: by a / ? or # that is not escaped.

    Raises:
        ValueError: It has, or the URL has no host and port that could be read.
    """
    parts = urlsplit(url)
    if "@" in f"{parts.path}{parts.query}" or parts.fragment or parts.port == 0:
        raise ValueError
    return parts


def database_settings(url: str) -> dj_database_url.DBConfig:
    """Turn a database URL into Django's settings.

    Raises:
        ValueError: It names no database, or one of an engine without a driver here; or it says
            something that libpq does not know, or twice.
    """
    database = dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True)
    if database["ENGINE"] not in {POSTGRESQL, SQLITE} or not database["NAME"]:
        raise ValueError
    if database["ENGINE"] == POSTGRESQL:
        database["OPTIONS"] = PATIENCE | parameters(url)
    return database


def parameters(url: str) -> dict[str, str]:
    """Return what a PostgreSQL URL says of the connection, as text: libpq reads numbers itself.

    Raises:
        ValueError: It says something that libpq does not know, or twice.
    """
    parts = split(url)
    asked = [_option(name, value) for name, value in parse_qsl(parts.query)]
    before = {"host": parts.hostname, "port": parts.port, "user": parts.username}
    names = [*(name for name, value in before.items() if value), *(name for name, _ in asked)]
    if {*names} - known() or len({*names}) < len(names) or "/" in parts.path[1:]:
        raise ValueError
    return dict(asked)


@cache
def known() -> frozenset[str]:
    """Return the parameters that may stand in a URL: those of the libpq that is here."""
    all_of_them = frozenset(option.keyword.decode() for option in pq.Conninfo.get_defaults())
    return all_of_them - NO_PARAMETERS


def _option(name: str, value: str) -> tuple[str, str]:
    return ("options", f"-c search_path={value}") if name == SCHEMA else (name, value)
