"""A version of the app, and what it does with a database."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.gates.flight import records
from pipeline.gates.flight.records import Record
from pipeline.run import Output, last_words, read

ROOT = Path(__file__).resolve().parents[3]
SETTINGS = "config.settings.test"
WIDTH = 200  # of pytest's lines, which it cuts off otherwise


class RefusedError(PipelineError):
    """The database did not take what the code wanted."""


@dataclass(frozen=True)
class Code:
    """Where the app is, and the Python that has its packages."""

    folder: Path
    python: str = sys.executable

    def migrate(self, url: str) -> None:
        """Apply all migrations.

        Raises:
            RefusedError: A migration failed.
        """
        self._call(url, "manage.py", "migrate", "--no-input", "--verbosity=0")

    def forward(self, url: str, *options: str) -> list[Record]:
        """Apply what is pending, and return what was seen of each migration.

        Args:
            url: The database.
            *options: Of `pipeline.gates.flight.inside forward`.

        Raises:
            RefusedError: A migration failed.
        """
        output = self._call(url, "-m", "pipeline.gates.flight.inside", "forward", *options)
        return records.read(output.stdout.splitlines()[-1])  # what migrations print comes before

    def backward(self, url: str, names: Iterable[str] = ()) -> None:
        """Take migrations back: these, or all of our apps.

        Raises:
            RefusedError: One of them failed.
        """
        self._call(url, "-m", "pipeline.gates.flight.inside", "backward", *names)

    def tests(self, url: str) -> Output:
        """Run the app's tests on a database that there is, next to `test_` before its name."""
        pytest = ("-m", "pytest", "--reuse-db", "--quiet", "--tb=short", "-p", "no:cacheprovider")
        return self._read(url, *pytest)

    def _call(self, url: str, *arguments: str) -> Output:
        output = self._read(url, *arguments)
        if output.returncode:
            raise RefusedError(last_words(output), hint="CI_CD.md#migrations")
        return output

    def _read(self, url: str, *arguments: str) -> Output:
        env = {
            "COLUMNS": str(WIDTH),
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": SETTINGS,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": str(ROOT),
        }
        return read([self.python, *arguments], cwd=self.folder, env=env)
