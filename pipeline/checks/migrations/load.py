"""A reader and a writer of tables while their database is migrated."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from typing import NamedTuple

import psycopg
from psycopg import sql

from pipeline.checks.migrations.databases import connect

PAUSE_SECONDS = 0.005  # seconds between two visits
MIN_WAIT_SECONDS = 0.02  # seconds: what takes less is no wait
READ = sql.SQL("SELECT * FROM {table} LIMIT 1")
# One row in place, so that it waits for locks of the table, and for that of the row.
WRITE = sql.SQL(
    "UPDATE {table} SET {column} = {column} WHERE ctid = (SELECT ctid FROM {table} LIMIT 1)"
)
COLUMN = """
    SELECT nspname, relname, attname FROM pg_class
    JOIN pg_namespace ON pg_namespace.oid = relnamespace
    JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
        AND attgenerated = '' AND attidentity <> 'a'
    WHERE CASE nspname WHEN current_schema() THEN '' ELSE nspname || '.' END || relname = %s
    ORDER BY attnum DESC LIMIT 1
"""


class Wait(NamedTuple):
    """When a visitor began to wait, on the machine's monotonic clock, and for how many seconds."""

    since: float
    seconds: float


@contextmanager
def background_load(url: str, tables: Sequence[str]) -> Iterator[list[Wait]]:
    """Read and write each table in turn, and hand out the waits so far.

    Args:
        url: The database.
        tables: What is visited.
    """
    waits: list[Wait] = []
    over = Event()
    queries = [_queries(url, tables, query) for query in (READ, WRITE)]
    visitors = [Thread(target=_visit, args=(url, each, waits, over)) for each in queries]
    for visitor in visitors:
        visitor.start()
    try:
        yield waits
    finally:
        over.set()
        for visitor in visitors:
            visitor.join()


def longest_wait(waits: Sequence[Wait], span: tuple[float, float]) -> float:
    """Return the longest wait that began within a span of time, in seconds."""
    return max((wait.seconds for wait in waits if span[0] <= wait.since <= span[1]), default=0)


def _queries(url: str, tables: Sequence[str], query: sql.SQL) -> list[sql.Composed]:
    with connect(url) as connection:
        found = [connection.execute(COLUMN, [table]).fetchone() for table in tables]
    return [
        query.format(table=sql.Identifier(*place), column=sql.Identifier(column))
        for *place, column in filter(None, found)
    ]


def _visit(url: str, queries: Sequence[sql.Composed], waits: list[Wait], over: Event) -> None:
    with connect(url) as connection:
        while not over.wait(PAUSE_SECONDS):
            for query in queries:
                since = time.monotonic()
                try:
                    connection.execute(query)
                except psycopg.Error:  # what it looked for is gone: others judge that
                    continue
                if (seconds := time.monotonic() - since) > MIN_WAIT_SECONDS:
                    waits.append(Wait(since, seconds))
