"""Strict parsing of URLs that hold a secret: an ambiguous URL is refused.

The deployer parses the database URL, too, for dumps (pipeline/deploy/database_url.py). A table of
URLs in its tests checks that both read them alike.
"""

from functools import cache
from urllib.parse import SplitResult, parse_qsl, urlsplit

import dj_database_url
from psycopg import pq

POSTGRESQL = "django.db.backends.postgresql"
SQLITE = "django.db.backends.sqlite3"
SCHEMA = "currentSchema"
"""The parameter of dj-database-url for the search path."""
NO_PARAMETERS = frozenset({
    "dbname", "oauth_client_secret", "password", "scram_client_key", "scram_server_key",
    "sslpassword",
})  # fmt: skip
"""Parameters of libpq that are part of the URL before the `?`, and secrets that may hold an `&`."""

# An unreachable server must not block requests and probes for minutes. Sent data must be
# acknowledged within 3 s, and a silent connection is probed after 3 s.
# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
TIMEOUTS = {
    "connect_timeout": 3,  # seconds
    "tcp_user_timeout": 3000,  # milliseconds
    "keepalives_idle": 3,
    "keepalives_interval": 1,
}


def split(url: str) -> SplitResult:
    """Split a URL.

    Raises:
        ValueError: The user or password holds an unescaped / ? or #, or the host or port is
            malformed.
    """
    parts = urlsplit(url)
    if "@" in f"{parts.path}{parts.query}" or parts.fragment or parts.port == 0:
        raise ValueError
    return parts


def database_settings(url: str) -> dj_database_url.DBConfig:
    """Convert a database URL to Django's settings.

    Raises:
        ValueError: The URL has no database name, an engine without a driver, or a parameter that is
            unknown to libpq or given twice.
    """
    database = dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True)
    if database["ENGINE"] not in {POSTGRESQL, SQLITE} or not database["NAME"]:
        raise ValueError
    if database["ENGINE"] == POSTGRESQL:
        database["OPTIONS"] = TIMEOUTS | parameters(url)
    return database


def parameters(url: str) -> dict[str, str]:
    """Return the parameters of a PostgreSQL URL, as text: libpq parses numbers itself.

    Raises:
        ValueError: A parameter is unknown to libpq or given twice, or the path has two parts.
    """
    parts = split(url)
    given = [_option(name, value) for name, value in parse_qsl(parts.query)]
    authority = {"host": parts.hostname, "port": parts.port, "user": parts.username}
    names = [*(name for name, value in authority.items() if value), *(name for name, _ in given)]
    if {*names} - known_parameters() or len({*names}) < len(names) or "/" in parts.path[1:]:
        raise ValueError
    return dict(given)


@cache
def known_parameters() -> frozenset[str]:
    """Return the parameters that a URL may have, from the installed libpq."""
    keywords = frozenset(option.keyword.decode() for option in pq.Conninfo.get_defaults())
    return keywords - NO_PARAMETERS


def _option(name: str, value: str) -> tuple[str, str]:
    return ("options", f"-c search_path={value}") if name == SCHEMA else (name, value)
