"""A version of the app, and what it does with a database."""

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
# Kept from run to run: the packages come without, and each process would compile them anew.
BYTECODE = Path(sys.prefix, "bytecode")
WIDTH = 200  # of pytest's lines, which it cuts off otherwise
UNREACHABLE_URL = "postgres://postgres@127.0.0.1:1/postgres"  # none that anything answers at
MISSING = re.compile(r'extension "([^"]+)" is not available')


def remove_bytecode(folder: Path) -> None:
    """Remove the bytecode of what was in a folder that is not coming back."""
    resolved = folder.resolve()
    rmtree(BYTECODE / resolved.relative_to(resolved.anchor), ignore_errors=True)


def migration_error(why: str, said: str, hint: str) -> CheckFailedError | InconclusiveError:
    """Return the error of migrations that cannot be applied.

    Args:
        why: In one line.
        said: All that was said.
        hint: What to do, unless the server lacks an extension.
    """
    if missing := MISSING.search(said):
        return InconclusiveError(
            CHECK,
            "this PostgreSQL lacks an extension",
            detail=missing[1],
            hint="name the programs of one that has it in pipeline.toml: "
            '[services] postgres = "/usr/lib/postgresql/18/bin"',
        )
    return CheckFailedError(f"the migrations cannot be applied: {why}", hint=hint)


@dataclass(frozen=True)
class AppVersion:
    """Where the app is, and the Python that has its packages."""

    folder: Path
    python: str = sys.executable
    worker: Worker | None = field(default=None, compare=False)
    """Django, if it is started already."""

    @contextmanager
    def start_worker(self, url: str) -> Iterator[Self]:
        """Start Django once for all that is asked of the code meanwhile.

        Args:
            url: Of the server.
        """
        with start_worker(self.folder, self._env(url), self.python) as worker:
            yield replace(self, worker=worker)

    @property
    def running(self) -> Worker:
        """Django, which is started."""
        if self.worker is None:
            raise ValueError(f"the app in {self.folder} is not started")
        return self.worker

    def migrate(self, url: str) -> None:
        """Apply all migrations.

        Raises:
            CheckFailedError: A migration failed.
            NotJudgedError: The server lacks an extension.
        """
        self._run_in_django(url, "migrate")

    def apply_pending(self, url: str, *options: str) -> list[MigrationRecord]:
        """Apply what is pending, and return what was seen of each migration.

        Args:
            url: The database.
            *options: Of the command `forward` of `pipeline.checks.migrations.django_runner`.

        Raises:
            CheckFailedError: A migration failed.
            NotJudgedError: The server lacks an extension.
        """
        return records.records_from_json(self._run_in_django(url, "forward", *options))

    def round_trip(self, url: str, names: Iterable[str] = ()) -> RoundTrip:
        """Apply all migrations, take these or all of our apps back, and apply them again.

        Raises:
            CheckFailedError: They could not even be applied.
            NotJudgedError: The server lacks an extension.
        """
        trip = RoundTrip.from_json(self._run_in_django(url, "round-trip", *names))
        if not trip.there:
            hint = "nox -s tests-postgres applies them to an empty PostgreSQL as well"
            raise migration_error(trip.failure, trip.failure, hint)
        return trip

    def static(self, released: Iterable[str]) -> list[MigrationRecord]:
        """Return what can be known of new migrations without a database.

        Args:
            released: The paths of the files that the release before has.

        Raises:
            CheckFailedError: A migration cannot even be read.
        """
        found = records.records_from_json(self._run_in_django(UNREACHABLE_URL, "static", *released))
        if found and (failed := found[-1]).failure:
            why = f"{failed.name} ({failed.where}): {failed.failure}"
            raise migration_error(why, why, f"see {failed.where}")
        return found

    def run_tests(self, url: str) -> CommandResult:
        """Run the app's tests on a database that there is, next to `test_` before its name."""
        shown = ("--quiet", "--tb=short", "--maxfail=5")  # a lost column fails hundreds
        command = [self.python, "-m", "pytest", *ON_ITS_DATABASE, *shown]
        return capture(command, cwd=self.folder, env=self._env(url))

    def migrations(self) -> set[Path]:
        """Return the files of the app's migrations."""
        found = self.folder.glob("**/migrations/*.py")
        return {path.relative_to(self.folder) for path in found}

    def _run_in_django(self, url: str, *command: str) -> str:
        """Return what came of a command of `pipeline.checks.migrations.django_runner`."""
        with nullcontext(self) if self.worker else self.start_worker(url) as code:
            output = code.running.ask(url, *command)
        if output.returncode == 0:
            return output.stdout
        raise migration_error(last_error_line(output), output.stderr, f"see {self.folder}")

    def _env(self, url: str) -> dict[str, str]:
        return {
            "COLUMNS": str(WIDTH),
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": SETTINGS,
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPATH": str(ROOT),
            "PYTHONPYCACHEPREFIX": str(BYTECODE),
        }
