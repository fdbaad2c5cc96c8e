from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import closing, contextmanager
from time import sleep

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection

LOCK = 7_226_115_391  # of this command alone, whatever the database
# https://www.postgresql.org/docs/current/errcodes-appendix.html
NOT_AVAILABLE = "55P03"
CANCELED = "57014"
TOO_LONG = (
    "a statement took longer than {:g} seconds, and was taken back\n"
    "hint: move fewer rows at a time, or give it --statement-seconds"
)


class Command(BaseCommand):
    """Exits with 1 if another one runs, a table stays locked, or a statement takes too long."""

    help = "Migrate the database beside an app that runs: alone, and waiting for nobody."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--lock-seconds", type=float, default=5, help="to wait for a table")
        parser.add_argument("--statement-seconds", type=float, default=540, help="to take at most")
        parser.add_argument("--tries", type=int, default=5, help="with longer pauses in between")

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
        with alone():
            self.migrate(lock_seconds, statement_seconds, tries)

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
                self.stderr.write(f"a table was locked: try {number} of {tries}")
                if number < tries:
                    sleep(2 * number)
            else:
                return
        raise CommandError(
            "a table stays locked, and nobody shall wait for it\n"
            "hint: look for long transactions in pg_stat_activity, then deploy again"
        )


@contextmanager
def alone() -> Iterator[None]:
    """Hold the lock of migrations, or refuse at once.

    On a connection of its own, since a migration that fails may leave the other one unusable.
    """
    with closing(connection.copy()) as holder, holder.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if cursor.fetchone() != (True,):
            raise CommandError("another migration is running\nhint: wait for it, then deploy again")
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def set_timeout(name: str, seconds: float) -> None:
    """Limit a statement: whoever comes later waits behind one that waits, or that locks a table."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, false)", [name, f"{seconds * 1000:.0f}ms"])


def connect_anew() -> None:
    """Leave the transaction that failed: after a deferred statement Django itself does not."""
    connection.close()
    connection.connect()


def is_of(error: OperationalError, code: str) -> bool:
    """Tell whether PostgreSQL gave this code for it."""
    return getattr(error.__cause__, "sqlstate", None) == code
