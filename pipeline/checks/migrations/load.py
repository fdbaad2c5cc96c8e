"""Background load: two threads read and write tables while migrations run."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from typing import NamedTuple

import psycopg
from psycopg import sql

from pipeline.checks.migrations.databases import connect

_PAUSE_SECONDS = 0.005  # between two rounds of queries
_MIN_WAIT_SECONDS = 0.02  # a shorter query did not wait for a lock
_READ = sql.SQL("SELECT * FROM {table} LIMIT 1")
# Updates one existing row, so that the query waits for table locks and for the lock of the row.
_WRITE = sql.SQL(
    "UPDATE {table} SET {column} = {column} WHERE ctid = (SELECT ctid FROM {table} LIMIT 1)"
)
_COLUMN = """
    SELECT nspname, relname, attname FROM pg_class
    JOIN pg_namespace ON pg_namespace.oid = relnamespace
    JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
        AND attgenerated = '' AND attidentity <> 'a'
    WHERE CASE nspname WHEN current_schema() THEN '' ELSE nspname || '.' END || relname = %s
    ORDER BY attnum DESC LIMIT 1
"""


class Wait(NamedTuple):
    """The wait of one query: its start on the monotonic clock, and its length in seconds."""

    since: float
    seconds: float


@contextmanager
def background_load(url: str, tables: Sequence[str]) -> Iterator[list[Wait]]:
    """Read and write each table in turn, in two threads, and yield the growing list of waits.

    Args:
        url: The database.
        tables: The tables to read and write.
    """
    waits: list[Wait] = []
    stop = Event()
    # A blocked write must not stop the reads, so each kind of query has its own connection.
    queries = [_queries(url, tables, query) for query in (_READ, _WRITE)]
    threads = [Thread(target=_run_queries, args=(url, each, waits, stop)) for each in queries]
    for thread in threads:
        thread.start()
    try:
        yield waits
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def longest_wait(waits: Sequence[Wait], span: tuple[float, float]) -> float:
    """Return the longest wait that started within a time span, in seconds."""
    return max((wait.seconds for wait in waits if span[0] <= wait.since <= span[1]), default=0)


def _queries(url: str, tables: Sequence[str], query: sql.SQL) -> list[sql.Composed]:
    with connect(url) as connection:
        found = [connection.execute(_COLUMN, [table]).fetchone() for table in tables]
    return [
        query.format(table=sql.Identifier(*place), column=sql.Identifier(column))
        for *place, column in filter(None, found)
    ]


def _run_queries(url: str, queries: Sequence[sql.Composed], waits: list[Wait], stop: Event) -> None:
    with connect(url) as connection:
        while not stop.wait(_PAUSE_SECONDS):
            for query in queries:
                since = time.monotonic()
                try:
                    connection.execute(query)
                except psycopg.Error:  # the table or column was dropped: other checks report that
                    continue
                if (seconds := time.monotonic() - since) > _MIN_WAIT_SECONDS:
                    waits.append(Wait(since, seconds))
