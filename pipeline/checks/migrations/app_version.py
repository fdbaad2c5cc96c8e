"""A version of the app: migrate databases and run tests with its code and its Python."""

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from shutil import rmtree
from typing import Self

from pipeline.checks.migrations import records
from pipeline.checks.migrations.records import MigrationRecord, RoundTrip
from pipeline.checks.migrations.worker import ON_ITS_DATABASE, Worker, start_worker
from pipeline.errors import CheckFailedError, InconclusiveError
from pipeline.process import CommandResult, capture, last_error_line

CHECK = "migration-safety"
ROOT = Path(__file__).resolve().parents[3]
SETTINGS = "config.settings.test"
# Kept between runs: uv installs packages without bytecode, and each process would compile them.
BYTECODE = Path(sys.prefix, "bytecode")
_WIDTH = 200  # columns; pytest cuts the lines of its summary at this width
UNREACHABLE_URL = "postgres://postgres@127.0.0.1:1/postgres"  # no server listens on port 1
_MISSING = re.compile(r'extension "([^"]+)" is not available')


def remove_bytecode(folder: Path) -> None:
    """Remove the cached bytecode of the modules in a temporary folder."""
    resolved = folder.resolve()
    rmtree(BYTECODE / resolved.relative_to(resolved.anchor), ignore_errors=True)


def _migration_error(why: str, output: str, hint: str) -> CheckFailedError | InconclusiveError:
    """Return the error for migrations that cannot be applied.

    Args:
        why: The cause, in one line.
        output: The complete output; a missing extension is read from it.
        hint: The next step, unless the server lacks an extension.
    """
    if missing := _MISSING.search(output):
        return InconclusiveError(
            CHECK,
            "this PostgreSQL lacks an extension",
            detail=missing[1],
            hint="set a PostgreSQL that has the extension in pipeline.toml: "
            '[services] postgres = "/usr/lib/postgresql/18/bin"',
        )
    return CheckFailedError(f"the migrations cannot be applied: {why}", hint=hint)


@dataclass(frozen=True)
class AppVersion:
    """The folder of a version of the app, and the Python that has its packages."""

    folder: Path
    python: str = sys.executable
    worker: Worker | None = field(default=None, compare=False)
    """The worker process, if Django is started."""

    @contextmanager
    def start_worker(self, url: str) -> Iterator[Self]:
        """Start one Django process that runs all commands of the `with` block.

        Args:
            url: The server.
        """
        with start_worker(self.folder, self._env(url), self.python) as worker:
            yield replace(self, worker=worker)

    @property
    def running(self) -> Worker:
        """Return the worker process.

        Raises:
            ValueError: Django is not started.
        """
        if self.worker is None:
            raise ValueError(f"the app in {self.folder} is not started")
        return self.worker

    def migrate(self, url: str) -> None:
        """Apply all migrations.

        Raises:
            CheckFailedError: A migration failed.
            InconclusiveError: The server lacks an extension.
        """
        self._run_in_django(url, "migrate")

    def apply_pending(self, url: str, *options: str) -> list[MigrationRecord]:
        """Apply the pending migrations, and return a record of each.

        Args:
            url: The database.
            *options: Options of the command `forward` of `django_runner`.

        Raises:
            CheckFailedError: A migration failed.
            InconclusiveError: The server lacks an extension.
        """
        return records.records_from_json(self._run_in_django(url, "forward", *options))

    def round_trip(self, url: str, names: Iterable[str] = ()) -> RoundTrip:
        """Apply all migrations, reverse some of them, and apply them again.

        Args:
            url: The database.
            names: The migrations to reverse; by default all migrations of the repository's apps.

        Raises:
            CheckFailedError: The migrations cannot be applied the first time.
            InconclusiveError: The server lacks an extension.
        """
        trip = RoundTrip.from_json(self._run_in_django(url, "round-trip", *names))
        if not trip.there:
            hint = "nox -s tests-postgres also applies them to an empty PostgreSQL"
            raise _migration_error(trip.failure, trip.failure, hint)
        return trip

    def static(self, released: Iterable[str]) -> list[MigrationRecord]:
        """Return a record of each new migration, computed without a database.

        Args:
            released: The paths of the migration files of the previous release.

        Raises:
            CheckFailedError: A migration cannot be read.
        """
        found = records.records_from_json(self._run_in_django(UNREACHABLE_URL, "static", *released))
        if found and (failed := found[-1]).failure:
            why = f"{failed.name} ({failed.where}): {failed.failure}"
            raise _migration_error(why, why, f"see {failed.where}")
        return found

    def run_tests(self, url: str) -> CommandResult:
        """Run the app's tests on the existing database whose name is `test_` and the URL's name."""
        shown = ("--quiet", "--tb=short", "--maxfail=5")  # one lost column fails hundreds of tests
        command = [self.python, "-m", "pytest", *ON_ITS_DATABASE, *shown]
        return capture(command, cwd=self.folder, env=self._env(url))

    def migrations(self) -> set[Path]:
        """Return the migration files of the app, relative to its folder."""
        found = self.folder.glob("**/migrations/*.py")
        return {path.relative_to(self.folder) for path in found}

    def _run_in_django(self, url: str, *command: str) -> str:
        """Run a command of `django_runner`, in the started worker or in one of its own.

        Raises:
            CheckFailedError: The command failed.
            InconclusiveError: The server lacks an extension.
        """
        with nullcontext(self) if self.worker else self.start_worker(url) as code:
            output = code.running.ask(url, *command)
        if output.returncode == 0:
            return output.stdout
        raise _migration_error(last_error_line(output), output.stderr, f"see {self.folder}")

    def _env(self, url: str) -> dict[str, str]:
        return {
            "COLUMNS": str(_WIDTH),
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": SETTINGS,
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPATH": str(ROOT),
            "PYTHONPYCACHEPREFIX": str(BYTECODE),
        }
