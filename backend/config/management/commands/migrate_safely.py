from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import sleep

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, OperationalError, connection

from config.leftovers import invalid_indexes, unvalidated_constraints

LOCK = 7_226_115_391  # key of the advisory lock, used by this command only
HOLDER = """
    SELECT extract(epoch FROM clock_timestamp() - query_start)::int, query,
        array_to_string(pg_blocking_pids(pid), ', ')
    FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32) + objid::bigint = %s
        AND datname = current_database()
"""
"""An advisory lock is of one database, but pg_locks lists those of all databases of the server."""
CLIENT_CHECK_INTERVAL = "2s"
"""How long a statement continues after its client was killed."""
CLOSE_SECONDS = 10
"""How long PostgreSQL may take to end a closed connection."""
# https://www.postgresql.org/docs/current/errcodes-appendix.html
NOT_AVAILABLE = "55P03"
CANCELED = "57014"
TOO_LONG = (
    "a statement took longer than {:g} seconds and was rolled back\n"
    "hint: migrate fewer rows per statement, or raise --statement-seconds"
)


class Command(BaseCommand):
    """Fails if another migration is running, a table stays locked or a statement takes too long."""

    help = "Migrate the database of a running app: one run at a time, with lock timeouts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--lock-seconds", type=float, default=5, help="lock timeout")
        parser.add_argument("--statement-seconds", type=float, default=540, help="time limit")
        parser.add_argument("--tries", type=int, default=5, help="attempts if a table is locked")

    def handle(
        self,
        *_: object,
        lock_seconds: float,
        statement_seconds: float,
        tries: int,
        **__: object,
    ) -> None:
        if connection.vendor != "postgresql":
            call_command("migrate", interactive=False)
            return
        require_no_leftovers()
        with migration_lock():
            self.migrate(lock_seconds, statement_seconds, tries)
            require_no_leftovers()
        for each in unvalidated_constraints():
            self.stderr.write(f"note: {each}")

    def migrate(self, lock_seconds: float, statement_seconds: float, tries: int) -> None:
        """Migrate. If a table is locked, pause, so that waiting queries can run, and retry."""
        for number in range(1, tries + 1):
            set_timeout("lock_timeout", lock_seconds)
            set_timeout("statement_timeout", statement_seconds)
            try:
                call_command("migrate", interactive=False)
            except OperationalError as error:
                reconnect()
                if has_code(error, CANCELED):
                    raise CommandError(TOO_LONG.format(statement_seconds)) from error
                if not has_code(error, NOT_AVAILABLE):
                    raise
                self.stderr.write(f"a table is locked: attempt {number} of {tries} failed")
                if number < tries:
                    sleep(2 * number)
            else:
                return
        raise CommandError(
            "a table stays locked by other transactions\n"
            "hint: find long transactions in pg_stat_activity, then deploy again"
        )


def require_no_leftovers() -> None:
    """Fail if an earlier migration left an invalid index.

    Raises:
        CommandError: There are invalid indexes; the error has the statements that drop them.
    """
    if found := invalid_indexes():
        raise CommandError("\n".join([*found, "hint: run these statements, then deploy again"]))


@contextmanager
def migration_lock() -> Iterator[None]:
    """Hold the advisory lock of migrations, or fail at once.

    The connection that migrates holds the lock. If its client is killed, the lock stays until the
    running statement ends, so that no second migration starts in parallel.
    """
    acquire_lock()
    try:
        yield
    finally:
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
        connection.close()  # releases the lock even if the statement above failed


def acquire_lock() -> None:
    """Acquire the advisory lock of migrations.

    Raises:
        CommandError: Another migration holds the lock; the error shows its statement.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if cursor.fetchone() != (True,):
            cursor.execute(HOLDER, [LOCK])
            raise CommandError(
                f"another migration is running{describe(cursor.fetchone())}\n"
                "hint: wait until it ends, then deploy again"
            )
    with suppress(DatabaseError), connection.cursor() as cursor:  # not supported by every system
        cursor.execute(f"SET client_connection_check_interval = '{CLIENT_CHECK_INTERVAL}'")


def describe(holder: tuple[int, str, str] | None) -> str:
    """Return the statement of the lock holder, or nothing if it has just ended."""
    if holder is None:
        return ""
    seconds, query, blocked_by = holder
    blocked = f", blocked by process {blocked_by}" if blocked_by else ""
    return f": for {seconds} s, {' '.join(query.split())[:120]}{blocked}"


def set_timeout(name: str, seconds: float) -> None:
    """Set a timeout. Queries of the app queue behind a statement that waits for or holds a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, false)", [name, f"{seconds * 1000:.0f}ms"])


def reconnect() -> None:
    """Reconnect after a failed transaction: Django does not leave it after a deferred statement.

    PostgreSQL may need a moment to release the lock of the old connection, so wait for it.
    """
    connection.close()
    connection.connect()
    set_timeout("lock_timeout", CLOSE_SECONDS)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])


def has_code(error: OperationalError, code: str) -> bool:
    """Return whether an error has this PostgreSQL error code."""
    return getattr(error.__cause__, "sqlstate", None) == code
