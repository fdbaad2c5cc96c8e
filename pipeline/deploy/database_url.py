"""The address of a database: read once, as the app reads it, and told to PostgreSQL's programs.

backend/config/addresses.py is the app's reader. A table of addresses in the tests holds both to
one opinion: what the app takes is dumped from where the app has it, and all else is refused.
"""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from pipeline.errors import InputError

VARIABLE = "DATABASE_URL"
SCHEMES = {"pgsql", "postgres", "postgresql"}
SCHEMA_PARAMETER = "currentSchema"
"""The search path, as dj-database-url reads it."""
FILE_PARAMETERS = frozenset({
    "passfile", "service", "sslcert", "sslcrl", "sslcrldir", "sslkey", "sslkeylogfile",
    "sslrootcert",
})  # fmt: skip
"""They name a file of the app's container. PostgreSQL's image has none, nor any authorities:
https://github.com/docker-library/postgres/issues/1331"""
PARAMETERS = FILE_PARAMETERS | {
    "application_name", "channel_binding", "client_encoding", "connect_timeout",
    "fallback_application_name", "gssdelegation", "gssencmode", "gsslib", "host", "hostaddr",
    "keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval", "krbsrvname",
    "load_balance_hosts", "max_protocol_version", "min_protocol_version", "oauth_client_id",
    "oauth_issuer", "oauth_scope", "options", "port", "replication", "require_auth", "requirepeer",
    "ssl_max_protocol_version", "ssl_min_protocol_version", "sslcertmode", "sslcompression",
    "sslmode", "sslnegotiation", "sslsni", "target_session_attrs", "tcp_user_timeout", "user",
}  # fmt: skip
"""What may stand behind the `?`: https://www.postgresql.org/docs/current/libpq-connect.html"""
SECRET_PARAMETERS = frozenset({
    "oauth_client_secret", "password", "scram_client_key", "scram_server_key", "sslpassword",
})  # fmt: skip
"""What may not: one is cut by its own `&`, and the rest would be taken for the next name."""
MAX_LINE_BYTES = 1021
"""The bytes of a line that PostgreSQL's programs still read."""
LINE_BREAK = re.compile(r"[\r\n\0]")
HINT = (
    "write / ? # @ [ ] of a user or password as %2F %3F %23 %40 %5B %5D; behind the ? stand "
    "libpq's parameters: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS"
)


def connection(url: str) -> dict[str, str]:
    """Return where a database is and how to get in, by the names that libpq has for it.

    Args:
        url: What DATABASE_URL holds.

    Returns:
        The parameters; none, if it is not PostgreSQL's.

    Raises:
        InputError: It cannot be read; all faults are named, and no value is.
    """
    if url.strip().partition(":")[0].lower() not in SCHEMES:
        return {}
    parts = _split(url)
    before = {
        "host": unquote(parts.hostname or ""),
        "port": str(parts.port or ""),
        "dbname": unquote(parts.path[1:]),
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
    }
    said = {name: value for name, value in before.items() if value}
    asked = [_option(name, value) for name, value in parse_qsl(parts.query)]
    if faults := [*_faults(parts.path[1:], [*said], [name for name, _ in asked])]:
        raise InputError(f"{VARIABLE} cannot be read: {'; '.join(faults)}", hint=HINT)
    return said | dict(asked)


def pg_service_file(url: str) -> str:
    """Return how to connect, as PostgreSQL's programs read it from a file.

    In a file, because every user of a node can read the command lines of its programs:
    https://www.postgresql.org/docs/current/libpq-pgservice.html

    Raises:
        InputError: The URL is not PostgreSQL's, cannot be read, or holds what no such file can.
    """
    if not (values := connection(url)):
        raise InputError(
            f"{VARIABLE} is not PostgreSQL's, so that it cannot be dumped here",
            hint="set `backup_before_migrate = false` for the environment in pipeline.toml",
        )
    if faults := [fault for name in values for fault in _unwritable(name, values[name])]:
        raise InputError(
            f"{VARIABLE} cannot be told to PostgreSQL's programs: {'; '.join(faults)}",
            hint="set it anew; or `backup_before_migrate = false`, if the database's host dumps it",
        )
    return "[app]\n" + "".join(f"{name}={value}\n" for name, value in values.items())


def _split(url: str) -> SplitResult:
    """Split an address, without urllib's words for what it cannot read: they repeat it.

    Raises:
        InputError: A sign that is not escaped has cut it.
    """
    cut = False
    with suppress(ValueError):
        parts = urlsplit(url.strip())  # as the app takes it from its secret's file
        cut = "@" in f"{parts.path}{parts.query}" or bool(parts.fragment)
        if not cut and parts.port != 0:
            return parts
    fault = "its user or password holds a /, ? or #" if cut else "it has no host, or no port"
    raise InputError(f"{VARIABLE} cannot be read: {fault}", hint=HINT)


def _option(name: str, value: str) -> tuple[str, str]:
    return ("options", f"-c search_path={value}") if name == SCHEMA_PARAMETER else (name, value)


def _faults(path: str, said: list[str], asked: list[str]) -> Iterator[str]:
    """Yield what is wrong with an address that is whole."""
    if not path or "/" in path:
        yield "it names no database"
    strange = {*asked} - PARAMETERS
    for name in sorted(strange & SECRET_PARAMETERS or strange):
        yield f"`{name}` is no parameter that may stand in it"
    for name, count in sorted(Counter([*said, *asked]).items()):
        if count > 1 and name in PARAMETERS:
            yield f"`{name}` is said twice"


def _unwritable(name: str, value: str) -> Iterator[str]:
    """Yield why a service file cannot hold a value: it has a line for each, and no quotes."""
    if name in FILE_PARAMETERS:
        yield f"`{name}` names a file, which they do not have"
    if LINE_BREAK.search(value):
        yield f"its {name} holds a line break"
    elif value != value.rstrip():
        yield f"its {name} ends in a space"
    if len(f"{name}={value}".encode(errors="surrogateescape")) > MAX_LINE_BYTES:
        yield f"its {name} is longer than {MAX_LINE_BYTES} bytes with its name"
