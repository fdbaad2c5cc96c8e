"""Rows for tables of any make, so that locks are held as long as they would be on real ones."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

import psycopg
from psycopg import sql

from pipeline.errors import InputError
from pipeline.gates.flight.databases import TABLES, connected

COLUMNS = """
    SELECT relname, attname, format_type(atttypid, atttypmod),
        (SELECT confrelid::regclass::text FROM pg_constraint
            WHERE contype = 'f' AND conrelid = attrelid AND conkey = ARRAY[attnum]),
        (SELECT referred.attname FROM pg_constraint JOIN pg_attribute referred
            ON referred.attrelid = confrelid AND referred.attnum = confkey[1]
            WHERE contype = 'f' AND conrelid = pg_attribute.attrelid
            AND conkey = ARRAY[pg_attribute.attnum])
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relkind = 'r' AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
        AND attidentity = '' AND relnamespace = current_schema()::regnamespace
        AND NOT EXISTS (SELECT FROM pg_attrdef WHERE adrelid = attrelid AND adnum = attnum
            AND pg_get_expr(adbin, adrelid) LIKE 'nextval(%')
"""
PARENTS = """
    JOIN (SELECT {key} AS value, row_number() OVER (ORDER BY {key}) - 1 AS number FROM {parent})
    AS {name} ON {name}.number = i % (SELECT count(*) FROM {parent})
"""

# How the i-th row's value is made, by the beginning of the column's type.
KINDS = {
    r".*\[\]": "'{{}}'",
    r"character varying\((\d+)\)|character\((\d+)\)": "right('r' || i, {length})",
    r"text|character varying": "'r' || i",
    r"smallint": "i % 32000",
    r"integer|bigint|real|double precision": "i",
    r"numeric.*": "i % 10",
    r"boolean": "i % 2 = 0",
    r"timestamp.*": "now() - i * interval '1 second'",
    r"date": "current_date - (i % 3650)::int",
    r"time.*": "time '00:00' + i * interval '1 second'",
    r"interval": "i * interval '1 second'",
    r"uuid": "md5(i::text)::uuid",
    r"jsonb?": "'{{}}'",
    r"bytea": "decode(md5(i::text), 'hex')",
    r"inet": "inet '10.0.0.0' + i",
}


@dataclass(frozen=True)
class Column:
    """A column that a row must bring a value for, if the table does not make it by itself."""

    table: str
    name: str
    type: str
    parent: str | None
    key: str | None

    def value(self, values: Mapping[str, str]) -> sql.Composable:
        """Return the SQL that makes the i-th row's value.

        Raises:
            InputError: Nobody said how to make values of this type.
        """
        name = f"{self.table}.{self.name}"
        if name in values:
            return sql.SQL(values[name])
        if self.parent:
            return self._reference(self.parent)
        for pattern, template in KINDS.items():
            if found := re.fullmatch(pattern, self.type):
                length = next(filter(None, found.groups()), "")
                return sql.SQL(template.format(length=length))
        raise InputError(f"no rows can be made for {name}, of type {self.type}", hint=_hint(name))

    def _reference(self, parent: str) -> sql.Composable:
        if parent == self.table:
            return sql.SQL("NULL")
        return sql.SQL("{}.value").format(sql.Identifier(f"parent by {self.name}"))

    def join(self) -> sql.Composable:
        """Return the SQL that brings the row of the table that this column refers to."""
        if self.parent is None or self.key is None or self.parent == self.table:
            return sql.SQL("")
        return sql.SQL(PARENTS).format(
            key=sql.Identifier(self.key),
            parent=sql.Identifier(self.parent),
            name=sql.Identifier(f"parent by {self.name}"),
        )


def seed(url: str, wanted: Iterable[str], rows: int, values: Mapping[str, str]) -> list[str]:
    """Fill tables, and before them those that they refer to.

    Args:
        url: The database.
        wanted: The tables.
        rows: How many rows each gets.
        values: SQL by `table.column`, where rows must be of a kind; `i` is the row's number.

    Returns:
        The tables that were filled.

    Raises:
        InputError: A table does not take the rows that were made for it.
    """
    with connected(url) as connection:
        columns = _columns(connection)
        order = [table for table in _parents_first(columns, wanted) if table in columns]
        for table in order:
            _fill(connection, table, columns[table], rows, values)
        connection.execute("ANALYZE")
    return order


def _columns(connection: psycopg.Connection) -> dict[str, list[Column]]:
    found: dict[str, list[Column]] = {table: [] for (table,) in connection.execute(TABLES)}
    for table, name, kind, parent, key in connection.execute(COLUMNS):
        parent = parent and parent.strip('"')  # noqa: PLW2901 - as PostgreSQL quotes it
        found[table].append(Column(table, name, kind, parent, key))
    return found


def _parents_first(columns: Mapping[str, list[Column]], wanted: Iterable[str]) -> Iterator[str]:
    graph: dict[str, set[str]] = {}
    waiting = list(wanted)
    while waiting:
        table = waiting.pop()
        if table not in graph:
            parents = {column.parent for column in columns.get(table, []) if column.parent}
            graph[table] = parents - {table}
            waiting += graph[table]
    try:
        yield from TopologicalSorter(graph).static_order()
    except CycleError as error:
        raise InputError(
            f"tables refer to each other in a circle: {', '.join(error.args[1])}",
            hint="let one of these foreign keys be a table of its own",
        ) from None


def _fill(
    connection: psycopg.Connection,
    table: str,
    columns: list[Column],
    rows: int,
    values: Mapping[str, str],
) -> None:
    names = sql.SQL(", ").join(sql.Identifier(column.name) for column in columns)
    command = sql.SQL(
        "INSERT INTO {table} {names} SELECT {values} FROM generate_series(1, {rows}) AS i {joins}"
    ).format(
        table=sql.Identifier(table),
        names=sql.SQL("({})").format(names) if columns else sql.SQL(""),
        values=sql.SQL(", ").join(column.value(values) for column in columns),
        rows=sql.Literal(rows),
        joins=sql.SQL(" ").join(column.join() for column in columns),
    )
    try:
        connection.execute(command)
    except psycopg.Error as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{table} does not take rows that were made for it: {reason}",
            hint=_hint(f"{table}.<column>"),
        ) from None


def _hint(name: str) -> str:
    return (
        f"""say in pipeline.toml, [migrations.values], how row i has it: "{name}" = "'x' || i\""""
    )
