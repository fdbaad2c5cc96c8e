"""A version of the app, and what it does with a database."""

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

from pipeline.errors import CheckFailedError, NotJudgedError
from pipeline.gates.flight import records
from pipeline.gates.flight.records import Record, RoundTrip
from pipeline.run import Output, last_words, read

CHECK = "migration-flight"
ROOT = Path(__file__).resolve().parents[3]
SETTINGS = "config.settings.test"
# Kept from run to run: the packages come without, and each process would compile them anew.
BYTECODE = Path(sys.prefix, "bytecode")
WIDTH = 200  # of pytest's lines, which it cuts off otherwise
MISSING = re.compile(r'extension "([^"]+)" is not available')


def forget(folder: Path) -> None:
    """Remove the bytecode of what was in a folder that is not coming back."""
    resolved = folder.resolve()
    rmtree(BYTECODE / resolved.relative_to(resolved.anchor), ignore_errors=True)


def refused(why: str, said: str, hint: str) -> CheckFailedError | NotJudgedError:
    """Return the error of migrations that cannot be applied.

    Args:
        why: In one line.
        said: All that was said.
        hint: What to do, unless the server lacks an extension.
    """
    if missing := MISSING.search(said):
        return NotJudgedError(
            CHECK,
            "this PostgreSQL lacks an extension",
            detail=missing[1],
            hint="name the programs of one that has it in pipeline.toml: "
            '[services] postgres = "/usr/lib/postgresql/18/bin"',
        )
    return CheckFailedError(f"the migrations cannot be applied: {why}", hint=hint)


@dataclass(frozen=True)
class Code:
    """Where the app is, and the Python that has its packages."""

    folder: Path
    python: str = sys.executable

    def migrate(self, url: str) -> None:
        """Apply all migrations.

        Raises:
            CheckFailedError: A migration failed.
            NotJudgedError: The server lacks an extension.
        """
        self._call(url, "manage.py", "migrate", "--no-input", "--verbosity=0")

    def forward(self, url: str, *options: str) -> list[Record]:
        """Apply what is pending, and return what was seen of each migration.

        Args:
            url: The database.
            *options: Of `pipeline.gates.flight.inside forward`.

        Raises:
            CheckFailedError: A migration failed.
            NotJudgedError: The server lacks an extension.
        """
        return records.read(self._inside(url, "forward", *options))

    def round_trip(self, url: str, names: Iterable[str] = ()) -> RoundTrip:
        """Apply all migrations, take these or all of our apps back, and apply them again.

        Raises:
            CheckFailedError: They could not even be applied.
            NotJudgedError: The server lacks an extension.
        """
        trip = RoundTrip.read(self._inside(url, "round-trip", *names))
        if not trip.there:
            hint = "nox -s tests-postgres applies them to an empty PostgreSQL as well"
            raise refused(trip.failure, trip.failure, hint)
        return trip

    def tests(self, url: str) -> Output:
        """Run the app's tests on a database that there is, next to `test_` before its name."""
        shown = ("--quiet", "--tb=short", "--maxfail=5")  # a lost column fails hundreds
        return self._read(url, "-m", "pytest", "--reuse-db", *shown, "-p", "no:cacheprovider")

    def _inside(self, url: str, *arguments: str) -> str:
        """Return what a command of `pipeline.gates.flight.inside` has written down."""
        with TemporaryDirectory(prefix="migrations-") as folder:
            result = Path(folder, "result.json")
            self._call(url, "-m", "pipeline.gates.flight.inside", str(result), *arguments)
            return result.read_text()

    def _call(self, url: str, *arguments: str) -> Output:
        output = self._read(url, *arguments)
        if output.returncode == 0:
            return output
        raise refused(last_words(output), output.stderr, f"see {self.folder}")

    def _read(self, url: str, *arguments: str) -> Output:
        env = {
            "COLUMNS": str(WIDTH),
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": SETTINGS,
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPATH": str(ROOT),
            "PYTHONPYCACHEPREFIX": str(BYTECODE),
        }
        return read([self.python, *arguments], cwd=self.folder, env=env)
