"""Create databases on a temporary PostgreSQL server, and read their schemas."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

Schema = frozenset[str]
"""A line for each column, constraint and index of each table."""

_COLUMNS = """
    SELECT format('column %s.%s: %s%s%s', relname, attname, format_type(atttypid, atttypmod),
        CASE WHEN attnotnull THEN ' not null' END, ' default ' || pg_get_expr(adbin, adrelid))
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE relkind = 'r' AND attnum > 0 AND NOT attisdropped
        AND relnamespace = current_schema()::regnamespace
"""
_CONSTRAINTS = """
    SELECT format('constraint of %s: %s', conrelid::regclass, pg_get_constraintdef(oid))
    FROM pg_constraint
    WHERE connamespace = current_schema()::regnamespace AND contype <> 'n'
"""
_INDEXES = """
    SELECT format('index of %s: %s', tablename, indexdef)
    FROM pg_indexes WHERE schemaname = current_schema()
"""
# A regclass as text is quoted and has its schema where SQL needs it.
_TABLES = """
    SELECT pg_class.oid::regclass::text FROM pg_class
    JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relkind IN ('r', 'p') AND nspname <> 'information_schema' AND nspname !~ '^pg_'
"""
_FOREIGN_KEYS = """
    SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'f'
"""


@dataclass(frozen=True)
class PostgresServer:
    """A temporary PostgreSQL server."""

    url: str

    def database_url(self, name: str) -> str:
        """Return the URL of a database of the server."""
        return urlsplit(self.url)._replace(path=f"/{name}").geturl()

    def create_database(self, name: str, like: str = "template1") -> str:
        """Drop and create a database, empty or as a copy of a template, and return its URL."""
        # FORCE ends open connections: PostgreSQL refuses to drop or copy a database in use.
        drop, create = "DROP DATABASE IF EXISTS {} WITH (FORCE)", "CREATE DATABASE {} TEMPLATE {}"
        names = sql.Identifier(name), sql.Identifier(like)
        with connect(self.url) as connection:
            connection.execute(sql.SQL(drop).format(*names))
            connection.execute(sql.SQL(create).format(*names))
        return self.database_url(name)


@contextmanager
def connect(url: str) -> Iterator[psycopg.Connection]:
    """Open a connection in autocommit mode."""
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def schema(url: str) -> Schema:
    """Return a line for each column, constraint and index, independent of their order."""
    with connect(url) as connection:
        queries = (_COLUMNS, _CONSTRAINTS, _INDEXES)
        return frozenset(line for query in queries for (line,) in connection.execute(query))


def tables(url: str) -> set[str]:
    """Return the names of all tables of a database, quoted for SQL."""
    with connect(url) as connection:
        return {name for (name,) in connection.execute(_TABLES)}


def drop_foreign_keys(url: str, known: set[str]) -> None:
    """Drop the foreign keys of all tables but the known ones.

    The tests of an older release truncate only the tables that they know. PostgreSQL refuses to
    truncate a table that a foreign key refers to, even if the other table has no rows.
    """
    command = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}")
    with connect(url) as connection:
        for table, key in connection.execute(_FOREIGN_KEYS).fetchall():
            if table not in known:
                connection.execute(command.format(sql.SQL(table), sql.Identifier(key)))
