"""Leftovers of failed migrations in PostgreSQL, and the statements that remove them.

A failed CREATE INDEX CONCURRENTLY leaves an invalid index, which is updated but never used, and
which a second attempt with IF NOT EXISTS accepts:
https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY.
"""

from django.db import connection

INVALID = """
    SELECT indexrelid::regclass::text, indrelid::regclass::text
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE NOT indisvalid AND relkind = 'i'
        AND indexrelid NOT IN (SELECT index_relid FROM pg_stat_progress_create_index)
    ORDER BY 1
"""
NOT_VALIDATED = """
    SELECT conrelid::regclass::text, quote_ident(conname)
    FROM pg_constraint WHERE NOT convalidated AND conrelid <> 0 ORDER BY 1, 2
"""


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


def _rows(query: str) -> list[tuple[str, str]]:
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(query)
        rows: list[tuple[str, str]] = cursor.fetchall()
    return rows
