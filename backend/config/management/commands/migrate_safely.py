from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import sleep

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, OperationalError, connection

from config.leftovers import invalid_indexes, unvalidated_constraints

LOCK = 7_226_115_391  # of this command alone, whatever the database
HOLDER = """
    SELECT extract(epoch FROM clock_timestamp() - query_start)::int, query,
        array_to_string(pg_blocking_pids(pid), ', ')
    FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32) + objid::bigint = %s
"""
CLIENT_CHECKED = "2s"
"""How long a statement outlives a client that is gone, as a job that was killed."""
CLOSED_WITHIN = 10
"""The seconds after which PostgreSQL has ended a connection that was closed."""
# https://www.postgresql.org/docs/current/errcodes-appendix.html
NOT_AVAILABLE = "55P03"
CANCELED = "57014"
TOO_LONG = (
    "a statement took longer than {:g} seconds and was rolled back\n"
    "hint: migrate fewer rows per statement, or raise --statement-seconds"
)


class Command(BaseCommand):
    """Exits with 1 if another one runs, a table stays locked, or a statement takes too long."""

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
        with alone():
            self.migrate(lock_seconds, statement_seconds, tries)
            require_no_leftovers()
        for each in unvalidated_constraints():
            self.stderr.write(f"note: {each}")

    def migrate(self, lock_seconds: float, statement_seconds: float, tries: int) -> None:
        """Migrate; if a table is locked, let the app go on for a while, and try again."""
        for number in range(1, tries + 1):
            set_timeout("lock_timeout", lock_seconds)
            set_timeout("statement_timeout", statement_seconds)
            try:
                call_command("migrate", interactive=False)
            except OperationalError as error:
                connect_anew()
                if is_of(error, CANCELED):
                    raise CommandError(TOO_LONG.format(statement_seconds)) from error
                if not is_of(error, NOT_AVAILABLE):
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
    """Refuse to go on where a migration that broke off left an index that is not used.

    Raises:
        CommandError: Names each, and the statement that ends it.
    """
    if found := invalid_indexes():
        raise CommandError("\n".join([*found, "hint: run these statements, then deploy again"]))


@contextmanager
def alone() -> Iterator[None]:
    """Hold the lock of migrations, or refuse at once.

    It is held by the connection that migrates: one whose client died keeps it as long as its
    statement runs, so that the same migration cannot begin beside it.
    """
    take_lock()
    try:
        yield
    finally:
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
        connection.close()  # which gives it back, whatever became of the connection


def take_lock() -> None:
    """Take the lock of migrations.

    Raises:
        CommandError: Another one holds it; says what that one does.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if cursor.fetchone() != (True,):
            cursor.execute(HOLDER, [LOCK])
            raise CommandError(
                f"another migration is running{doing(cursor.fetchone())}\n"
                "hint: wait until it ends, then deploy again"
            )
    with suppress(DatabaseError), connection.cursor() as cursor:  # not every system can tell
        cursor.execute(f"SET client_connection_check_interval = '{CLIENT_CHECKED}'")


def doing(holder: tuple[int, str, str] | None) -> str:
    """Say what the one that holds the lock does; nothing, if it has just ended."""
    if holder is None:
        return ""
    seconds, query, blocked_by = holder
    waits = f", blocked by process {blocked_by}" if blocked_by else ""
    return f": for {seconds} s, {' '.join(query.split())[:120]}{waits}"


def set_timeout(name: str, seconds: float) -> None:
    """Limit a statement: whoever comes later waits behind one that waits, or that locks a table."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, false)", [name, f"{seconds * 1000:.0f}ms"])


def connect_anew() -> None:
    """Leave the transaction that failed: after a deferred statement Django itself does not.

    The lock is waited for, which PostgreSQL takes from the old connection a moment later.
    """
    connection.close()
    connection.connect()
    set_timeout("lock_timeout", CLOSED_WITHIN)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])


def is_of(error: OperationalError, code: str) -> bool:
    """Tell whether PostgreSQL gave this code for it."""
    return getattr(error.__cause__, "sqlstate", None) == code
