"""Statements as text: their parts, their values, and their first words."""

from typing import Any

import sqlparse
from django.db import connection

DATA = {"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH"}
CONTROL = {"BEGIN", "START", "COMMIT", "END", "SAVEPOINT", "RELEASE", "ROLLBACK", "SET"}


def parts(statement: Any) -> list[Any]:  # noqa: ANN401
    """Return the statements of a script, save for one with bodies of functions in it."""
    if not isinstance(statement, str) or "$" in statement or "ATOMIC" in statement.upper():
        return [statement]
    return sqlparse.split(statement) or [statement]


def text_of(statement: Any) -> str:  # noqa: ANN401
    """Return a statement as text, also one that psycopg composed."""
    as_string = getattr(statement, "as_string", None)
    return as_string(connection.connection) if as_string else str(statement)


def with_values(text: str, params: Any) -> str:  # noqa: ANN401
    """Return a statement with its values, if these are those of one row."""
    many = isinstance(params, list | tuple) and params and isinstance(params[0], list | tuple)
    if params is None or many:
        return text
    return str(connection.ops.compose_sql(text, params))  # type: ignore[attr-defined]


def first(text: str) -> str:
    """Return the first word of a statement, behind its comments."""
    bare = sqlparse.format(text, strip_comments=True) if text.lstrip()[:2] in {"--", "/*"} else text
    words = bare.split(None, 1)
    return words[0].strip("();").upper() if words else ""


def is_ddl(text: str) -> bool:
    """Tell whether a statement changes neither data nor where a transaction begins and ends."""
    return first(text) not in DATA | CONTROL
