"""Read the definitions of columns and types from parsed statements."""

import re
from collections.abc import Callable, Collection, Iterator

from pipeline.checks.migrations.django_runner.pg_catalog import Column
from pipeline.checks.migrations.django_runner.syntax import Node, unquoted

_TYPES = {
    r"varchar\b": "character varying", r"(decimal|dec)\b": "numeric", r"bool\b": "boolean",
    r"(int|int4|serial|serial4)\b": "integer", r"(int8|bigserial|serial8)\b": "bigint",
    r"(int2|smallserial)\b": "smallint", r"float8\b": "double precision",
    r"timestamptz\b": "timestamp with time zone",
    r"timestamp(\(\d\))?$": r"timestamp\1 without time zone",
}  # fmt: skip
_COUNTED = re.compile(r"(big|small)?serial\d?", re.IGNORECASE)
_NOTHING = re.compile(r"DEFAULT\s+NULL\b", re.IGNORECASE)


def column(node: Node) -> Column:
    required = node.has("NOT_NULL_CONSTRAINT", "PRIMARY_KEY_CONSTRAINT")
    default = has_default(node) or node.has("GENERATED_CONSTRAINT") or is_counted(node)
    return Column(node.name("COLUMN_NAME"), type_of(node), required, default)


def has_default(node: Node) -> bool:
    """Return whether a column has a default other than NULL."""
    found = node.all("DEFAULT_CONSTRAINT", "SET_DEFAULT")
    return any(not _NOTHING.search(each.text) for each in found)


def is_counted(node: Node) -> bool:
    """Return whether a column is a serial: PostgreSQL creates a sequence with the column."""
    return _COUNTED.fullmatch(_type(node)) is not None


def type_of(node: Node) -> str:
    """Return the type that a definition or a SET TYPE gives to a column."""
    return typed(_type(next(node.all("SET_TYPE"), node)))


def typed(text: str) -> str:
    """Return a type as PostgreSQL's `format_type` writes it."""
    name = re.sub(r"\s*([(,)])\s*", r"\1", " ".join(text.lower().split()))
    for words, proper in _TYPES.items():
        name = re.sub(f"^{words}", proper, name)
    return name


def _type(node: Node) -> str:
    return next((each.text for each in node.children if each.kind.endswith("_TYPE")), "")


def shown(node: Node, of: Callable[[str], Collection[str]]) -> Iterator[str]:
    """Yield the column names of a view or CREATE TABLE AS, from its column list or its query.

    Args:
        node: The statement that creates the relation.
        of: Returns the column names of an existing relation, for `SELECT *`.
    """
    listed = next((each for each in node.children if each.kind == "COLUMN_LIST"), None)
    if listed:
        yield from (unquoted(each.text) for each in listed.all("COLUMN_NAME"))
        return
    targets = next(node.all("TARGET_LIST"), Node("", ""))
    for target in targets.children:
        if target.text.endswith("*"):
            for each in node.all("RELATION_NAME_REF"):
                yield from of(unquoted(each.text))
        else:
            yield target.name("COLUMN_NAME") or unquoted(target.text).rpartition(".")[2]


def labels(node: Node) -> list[str]:
    """Return the quoted labels in a CREATE TYPE or ALTER TYPE."""
    return [each.text for each in node.all("LITERAL")]


def relabelled(now: list[str], node: Node) -> list[str]:
    """Return the labels of an enum after an ALTER TYPE."""
    named = labels(node)
    if node.has("RENAME_VALUE"):
        return [named[1] if each == named[0] else each for each in now]
    return [*now, named[0]] if node.has("ADD_VALUE") else now  # their order is irrelevant here
