"""Helpers for statements as text: split scripts, insert values, read the first word."""

from typing import Any

import sqlparse
from django.db import connection

_DATA = {"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH"}
_CONTROL = {"BEGIN", "START", "COMMIT", "END", "SAVEPOINT", "RELEASE", "ROLLBACK", "SET"}


def parts(statement: Any) -> list[Any]:  # noqa: ANN401
    """Split a script into statements; a script with function bodies stays whole.

    sqlparse splits function bodies at each semicolon.
    """
    if not isinstance(statement, str) or "$" in statement or "ATOMIC" in statement.upper():
        return [statement]
    return sqlparse.split(statement) or [statement]


def text_of(statement: Any) -> str:  # noqa: ANN401
    """Return a statement as text; psycopg's composed SQL needs the connection for it."""
    as_string = getattr(statement, "as_string", None)
    return as_string(connection.connection) if as_string else str(statement)


def with_values(text: str, params: Any) -> str:  # noqa: ANN401
    """Return a statement with its values; unchanged if the values are of many rows."""
    many = isinstance(params, list | tuple) and params and isinstance(params[0], list | tuple)
    if params is None or many:
        return text
    return str(connection.ops.compose_sql(text, params))  # type: ignore[attr-defined]


def first(text: str) -> str:
    """Return the first word of a statement after comments, in upper case."""
    bare = sqlparse.format(text, strip_comments=True) if text.lstrip()[:2] in {"--", "/*"} else text
    words = bare.split(None, 1)
    return words[0].strip("();").upper() if words else ""


def is_ddl(text: str) -> bool:
    """Return whether a statement neither changes data nor controls a transaction."""
    return first(text) not in _DATA | _CONTROL
