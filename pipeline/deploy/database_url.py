"""The database address: parsed once like in the app, and written for PostgreSQL's programs.

The app has its own parser. A table of addresses in the tests keeps both
equal: dumps read the database of the app, and every other address is refused.
"""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from pipeline.errors import InputError

VARIABLE = "DATABASE_URL"
_SCHEMES = {"pgsql", "postgres", "postgresql"}
_SCHEMA_PARAMETER = "currentSchema"
"""The search path, with the name of dj-database-url."""
_FILE_PARAMETERS = frozenset({
    "passfile", "service", "sslcert", "sslcrl", "sslcrldir", "sslkey", "sslkeylogfile",
    "sslrootcert",
})  # fmt: skip
"""They name a file in the app's container. PostgreSQL's image has no such file, and no CA
certificates: https://github.com/docker-library/postgres/issues/1331
"""
PARAMETERS = _FILE_PARAMETERS | {
    "application_name", "channel_binding", "client_encoding", "connect_timeout",
    "fallback_application_name", "gssdelegation", "gssencmode", "gsslib", "host", "hostaddr",
    "keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval", "krbsrvname",
    "load_balance_hosts", "max_protocol_version", "min_protocol_version", "oauth_client_id",
    "oauth_issuer", "oauth_scope", "options", "port", "replication", "require_auth", "requirepeer",
    "ssl_max_protocol_version", "ssl_min_protocol_version", "sslcertmode", "sslcompression",
    "sslmode", "sslnegotiation", "sslsni", "target_session_attrs", "tcp_user_timeout", "user",
}  # fmt: skip
"""Allowed after `?`: https://www.postgresql.org/docs/current/libpq-connect.html"""
_SECRET_PARAMETERS = frozenset({
    "oauth_client_secret", "password", "scram_client_key", "scram_server_key", "sslpassword",
})  # fmt: skip
"""Not allowed: an unescaped `&` in one would make a part of it the name of a parameter."""
MAX_LINE_BYTES = 1021
"""Maximum length of a line that PostgreSQL's programs read."""
_LINE_BREAK = re.compile(r"[\r\n\0]")
_HINT = (
    "write / ? # @ [ ] of a user or password as %2F %3F %23 %40 %5B %5D; after the ? only "
    "libpq's parameters: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS"
)


def connection(url: str) -> dict[str, str]:
    """Return the connection parameters of libpq.

    Args:
        url: The value of DATABASE_URL.

    Returns:
        The parameters; empty if it is not a PostgreSQL URL.

    Raises:
        InputError: It cannot be parsed; lists all faults without values.
    """
    if url.strip().partition(":")[0].lower() not in _SCHEMES:
        return {}
    parts = _split(url)
    before = {
        "host": unquote(parts.hostname or ""),
        "port": str(parts.port or ""),
        "dbname": unquote(parts.path[1:]),
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
    }
    values = {name: value for name, value in before.items() if value}
    options = [_option(name, value) for name, value in parse_qsl(parts.query)]
    if faults := [*_faults(parts.path[1:], [*values], [name for name, _ in options])]:
        raise InputError(f"{VARIABLE} cannot be read: {'; '.join(faults)}", hint=_HINT)
    return values | dict(options)


def pg_service_file(url: str) -> str:
    """Return a connection service file for PostgreSQL's programs.

    A file is used because every user of a node can read the command lines of its processes:
    https://www.postgresql.org/docs/current/libpq-pgservice.html

    Raises:
        InputError: It is not a PostgreSQL URL, cannot be parsed, or has values that no such file
            can hold.
    """
    if not (values := connection(url)):
        raise InputError(
            f"{VARIABLE} is not a PostgreSQL URL, so it cannot be dumped",
            hint="set `backup_before_migrate = false` for the environment in pipeline.toml",
        )
    if faults := [fault for name in values for fault in _unwritable(name, values[name])]:
        raise InputError(
            f"{VARIABLE} cannot be written to a service file: {'; '.join(faults)}",
            hint="change it; or `backup_before_migrate = false`, if its host makes dumps",
        )
    return "[app]\n" + "".join(f"{name}={value}\n" for name, value in values.items())


def _split(url: str) -> SplitResult:
    """Split an address, without the messages of urllib, which contain the address.

    Raises:
        InputError: An unescaped character cuts it.
    """
    cut = False
    with suppress(ValueError):
        parts = urlsplit(url.strip())  # the app strips the file of its secret too
        cut = "@" in f"{parts.path}{parts.query}" or bool(parts.fragment)
        if not cut and parts.port != 0:
            return parts
    fault = (
        "its user or password contains an unescaped /, ? or #"
        if cut
        else "it has no host, or no port"
    )
    raise InputError(f"{VARIABLE} cannot be read: {fault}", hint=_HINT)


def _option(name: str, value: str) -> tuple[str, str]:
    return ("options", f"-c search_path={value}") if name == _SCHEMA_PARAMETER else (name, value)


def _faults(path: str, values: list[str], options: list[str]) -> Iterator[str]:
    """Yield the faults of a complete address."""
    if not path or "/" in path:
        yield "it names no database"
    unknown = {*options} - PARAMETERS
    for name in sorted(unknown & _SECRET_PARAMETERS or unknown):
        yield f"`{name}` is not an allowed parameter"
    for name, count in sorted(Counter([*values, *options]).items()):
        if count > 1 and name in PARAMETERS:
            yield f"`{name}` is set twice"


def _unwritable(name: str, value: str) -> Iterator[str]:
    """Yield the faults of a value in a service file: it has one line per value, without quotes."""
    if name in _FILE_PARAMETERS:
        yield f"`{name}` names a file, which their container lacks"
    if _LINE_BREAK.search(value):
        yield f"its {name} contains a line break"
    elif value != value.rstrip():
        yield f"its {name} ends in a space"
    if len(f"{name}={value}".encode(errors="surrogateescape")) > MAX_LINE_BYTES:
        yield f"its {name} is longer than {MAX_LINE_BYTES} bytes with its name"
