"""A process that has started Django, and does what it is asked to in forks of itself."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.process import CommandResult, Conversation, conversation

COMMAND = ("-m", "pipeline.checks.migrations.django_runner")
COLLECTED = "collected"
# Options of pytest: ask the database that is there, and leave nothing.
ON_ITS_DATABASE = (
    "--reuse-db", "-p", "pipeline.checks.migrations.django_runner.alone", "-p", "no:cacheprovider"
)  # fmt: skip


@dataclass(frozen=True)
class Worker:
    """The process, and a folder for what it leaves."""

    process: Conversation
    folder: Path

    def ask(self, url: str, *command: str) -> CommandResult:
        """Have a command of `pipeline.checks.migrations.django_runner` done.

        Args:
            url: The database.
            *command: Its name and its arguments.

        Returns:
            Its exit code, its result as stdout, and all that was printed as stderr.
        """
        self._say(url, command)
        answer = self.process.hear()
        if not answer:  # it has not even started
            log = (self.folder / "log").read_text(errors="replace")
            return CommandResult(command, self.process.wait(), "", log)
        said = self._output.read_text(errors="replace")
        return CommandResult(command, int(answer), self._result.read_text(), said)

    def collect(self, url: str, second: str) -> "Tests":
        """Have the app's tests collected, and do not wait for it.

        Args:
            url: The database that they will be asked about; it need not be there yet.
            second: Another one like it.
        """
        self._say(url, ("tests", second))
        return Tests(self.process)

    @property
    def _result(self) -> Path:
        return self.folder / "result"

    @property
    def _output(self) -> Path:
        return self.folder / "output"

    def _say(self, url: str, command: Sequence[str]) -> None:
        files = self._result, self._output
        for file in files:
            file.write_text("")
        self.process.say(json.dumps([url, *map(str, files), *command]))


@dataclass
class Tests:
    """An app's tests in a worker, which does nothing else until they are run."""

    process: Conversation
    heard: str = ""

    def collected(self) -> None:
        """Wait until they are collected, if they can be."""
        self.heard = self.heard or self.process.hear()

    def green(self) -> bool:
        """Run them, and tell whether all that reach the database pass: see `inside.halves`."""
        self.collected()
        if self.heard.strip() == COLLECTED:
            self.heard = self.process.ask("go")
        return self.heard.strip() == "0"


@contextmanager
def start_worker(
    folder: Path, env: Mapping[str, str], python: str = sys.executable
) -> Iterator[Worker]:
    """Start the process, and end it afterwards.

    Args:
        folder: Of the backend.
        env: Variables to set.
        python: The one that has its packages.
    """
    with TemporaryDirectory(prefix="migrations-") as name:
        command, log = [python, *COMMAND], Path(name, "log")
        with conversation(command, cwd=folder, env=env, log=log) as process:
            yield Worker(process, Path(name))
