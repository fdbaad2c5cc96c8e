"""The state of the current transaction, and statements that start or end one."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from psycopg.pq import TransactionStatus

from pipeline.checks.migrations.django_runner.statements import first

_BOUNDARIES = {"ABORT", "BEGIN", "COMMIT", "END", "ROLLBACK", "START"}


def is_aborted() -> bool:
    """Return whether the transaction has failed and PostgreSQL accepts only a rollback."""
    return _status() == TransactionStatus.INERROR


def is_open() -> bool:
    """Return whether a transaction is open, by Django or by the migration's own BEGIN."""
    return connection.in_atomic_block or _status() == TransactionStatus.INTRANS


def controls_transaction(text: str, *, within: bool | None = None) -> bool:
    """Return whether a statement starts or ends a transaction within a transaction of Django.

    Savepoints (ROLLBACK TO) do not count.

    Args:
        text: The statement.
        within: Whether a transaction is open; by default the state of the connection.
    """
    boundary = first(text) in _BOUNDARIES and " TO " not in text.upper()
    return boundary and (connection.in_atomic_block if within is None else within)


@contextmanager
def run_in_transaction(text: str) -> Iterator[None]:
    """Run the `with` block in a transaction, and commit unless the statement controls its own."""
    connection.connection.execute("BEGIN")
    try:
        yield
    except BaseException:
        connection.connection.execute("ROLLBACK")
        raise
    if first(text) not in {"BEGIN", "START"} and _status() == TransactionStatus.INTRANS:
        connection.connection.execute("COMMIT")


def _status() -> TransactionStatus:
    status: TransactionStatus = connection.connection.info.transaction_status
    return status
