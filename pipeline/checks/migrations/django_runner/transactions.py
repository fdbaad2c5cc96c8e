"""Where a transaction is, and where one is begun."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from psycopg.pq import TransactionStatus

from pipeline.checks.migrations.django_runner.statements import first

BOUNDARIES = {"ABORT", "BEGIN", "COMMIT", "END", "ROLLBACK", "START"}


def is_aborted() -> bool:
    """Tell whether the transaction failed, so that it only takes its own rollback."""
    return _status() == TransactionStatus.INERROR


def is_open() -> bool:
    """Tell whether there is a transaction: Django's, or one that a migration began by itself."""
    return connection.in_atomic_block or _status() == TransactionStatus.INTRANS


def controls_transaction(text: str, *, within: bool | None = None) -> bool:
    """Tell whether a statement begins or ends a transaction within Django's, beside savepoints.

    Args:
        text: The statement.
        within: Whether it is sent within one; asked of the connection, if it is not known.
    """
    boundary = first(text) in BOUNDARIES and " TO " not in text.upper()
    return boundary and (connection.in_atomic_block if within is None else within)


@contextmanager
def run_in_transaction(text: str) -> Iterator[None]:
    """Put a statement into a transaction, save that it begins or ends one by itself."""
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
