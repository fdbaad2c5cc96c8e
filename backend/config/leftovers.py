"""Leftovers of failed migrations in PostgreSQL, and the statements that remove them.

A failed CREATE INDEX CONCURRENTLY leaves an invalid index, which is updated but never used, and
which a second attempt with IF NOT EXISTS accepts:
https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY.
"""

from typing import Any

from django.db import connection

INVALID = """
    SELECT indexrelid::regclass::text, indrelid::regclass::text
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE NOT indisvalid AND relkind = 'i'
        AND NOT EXISTS (
            SELECT FROM pg_stat_progress_create_index AS running
            WHERE running.datname = current_database() AND running.index_relid = indexrelid
        )
    ORDER BY 1
"""
NOT_VALIDATED = """
    SELECT conrelid::regclass::text, quote_ident(conname)
    FROM pg_constraint WHERE NOT convalidated AND conrelid <> 0 ORDER BY 1, 2
"""
SESSIONS = """
    SELECT pid, extract(epoch FROM clock_timestamp() - coalesce(xact_start, query_start))::int,
        state, query, array_to_string(pg_blocking_pids(pid), ', '), migrates
    FROM pg_stat_activity, LATERAL (
        SELECT EXISTS (
            SELECT FROM pg_locks WHERE pg_locks.pid = pg_stat_activity.pid AND granted
                AND locktype = 'advisory' AND (classid::bigint << 32) + objid::bigint = %s
        ) AS migrates
    ) AS found
    WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND (migrates OR xact_start < clock_timestamp() - make_interval(secs => %s))
    ORDER BY migrates DESC, xact_start LIMIT 5
"""
LONG = 5
"""Seconds: a migration gives up on a table that a transaction locks for longer."""
SHOWN = 120
"""Characters of a statement."""


def sessions(lock: int) -> list[str]:
    """Return the session of a running migration, and the sessions with a long transaction.

    Args:
        lock: The advisory lock of migrations.

    Returns:
        Each with its process, age, statement and blockers, and the statement that ends it.
    """
    return [_session(row) for row in _rows(SESSIONS, lock, LONG)]


def _session(row: tuple[Any, ...]) -> str:
    pid, seconds, state, query, blocked_by, migrates = row
    what = "a migration is still running" if migrates else "a long transaction may hold the table"
    waits = f", blocked by process {blocked_by}" if blocked_by else ""
    ends = "pg_cancel_backend" if state == "active" else "pg_terminate_backend"
    shown = " ".join(query.split())[:SHOWN]
    return f"{what}: process {pid}, {state} for {seconds} s{waits}: {shown}: SELECT {ends}({pid})"


def invalid_indexes() -> list[str]:
    """Return each invalid index, with the statement that drops it."""
    return [
        f"the index {index} of {table} is invalid: DROP INDEX CONCURRENTLY {index}"
        for index, table in _rows(INVALID)
    ]


def unvalidated_constraints() -> list[str]:
    """Return each constraint that existing rows may break, with the statement that checks them."""
    return [
        f"{name} of {table} is not validated: ALTER TABLE {table} VALIDATE CONSTRAINT {name}"
        for table, name in _rows(NOT_VALIDATED)
    ]


def _rows(query: str, *parameters: int) -> list[tuple[Any, ...]]:
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(query, parameters or None)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
