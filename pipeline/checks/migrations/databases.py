"""Databases of a throw-away PostgreSQL, and what their schema is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

Schema = frozenset[str]
"""A line for each column, constraint and index of each table."""

COLUMNS = """
    SELECT format('column %s.%s: %s%s%s', relname, attname, format_type(atttypid, atttypmod),
        CASE WHEN attnotnull THEN ' not null' END, ' default ' || pg_get_expr(adbin, adrelid))
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE relkind = 'r' AND attnum > 0 AND NOT attisdropped
        AND relnamespace = current_schema()::regnamespace
"""
CONSTRAINTS = """
    SELECT format('constraint of %s: %s', conrelid::regclass, pg_get_constraintdef(oid))
    FROM pg_constraint
    WHERE connamespace = current_schema()::regnamespace AND contype <> 'n'
"""
INDEXES = """
    SELECT format('index of %s: %s', tablename, indexdef)
    FROM pg_indexes WHERE schemaname = current_schema()
"""
# regclass names a table as SQL does: with quotes and its schema, where it needs them.
TABLES = """
    SELECT pg_class.oid::regclass::text FROM pg_class
    JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relkind IN ('r', 'p') AND nspname <> 'information_schema' AND nspname !~ '^pg_'
"""
FOREIGN_KEYS = """
    SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'f'
"""


@dataclass(frozen=True)
class PostgresServer:
    """A PostgreSQL server of our own."""

    url: str

    def database_url(self, name: str) -> str:
        """Return the URL of one of its databases."""
        return urlsplit(self.url)._replace(path=f"/{name}").geturl()

    def create_database(self, name: str, like: str = "template1") -> str:
        """Create a database anew, empty or as a copy of another, and return its URL."""
        drop, create = "DROP DATABASE IF EXISTS {} WITH (FORCE)", "CREATE DATABASE {} TEMPLATE {}"
        names = sql.Identifier(name), sql.Identifier(like)
        with connect(self.url) as connection:
            connection.execute(sql.SQL(drop).format(*names))
            connection.execute(sql.SQL(create).format(*names))
        return self.database_url(name)


@contextmanager
def connect(url: str) -> Iterator[psycopg.Connection]:
    """Open a connection that commits each statement, and close it afterwards."""
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def schema(url: str) -> Schema:
    """Return what a database's tables are made of, whatever the order it came to be in."""
    with connect(url) as connection:
        queries = (COLUMNS, CONSTRAINTS, INDEXES)
        return frozenset(line for query in queries for (line,) in connection.execute(query))


def tables(url: str) -> set[str]:
    """Return the names of a database's tables, as SQL has them."""
    with connect(url) as connection:
        return {name for (name,) in connection.execute(TABLES)}


def drop_foreign_keys(url: str, known: set[str]) -> None:
    """Drop the foreign keys of all tables but the known ones.

    Older code's tests empty the tables that they know. No row of a table that they do not know
    could stand in the way, but PostgreSQL refuses to truncate for the key's sake alone.
    """
    command = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}")
    with connect(url) as connection:
        for table, key in connection.execute(FOREIGN_KEYS).fetchall():
            if table not in known:
                connection.execute(command.format(sql.SQL(table), sql.Identifier(key)))
