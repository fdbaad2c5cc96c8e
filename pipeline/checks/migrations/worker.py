"""Client of the Django process of `django_runner`, which runs each command in a fork.

Django starts once for all commands: its start takes longer than most commands.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.process import CommandResult, Conversation, conversation

_COMMAND = ("-m", "pipeline.checks.migrations.django_runner")
COLLECTED = "collected"
# Options of pytest: keep the existing database, run in one process, write no cache.
ON_ITS_DATABASE = (
    "--reuse-db", "-p", "pipeline.checks.migrations.django_runner.alone", "-p", "no:cacheprovider"
)  # fmt: skip


@dataclass(frozen=True)
class Worker:
    process: Conversation
    folder: Path
    """The folder for results, output and the log."""

    def ask(self, url: str, *command: str) -> CommandResult:
        """Run a command of `django_runner` and wait for it.

        Args:
            url: The database.
            *command: The name of the command, and its arguments.

        Returns:
            The exit code, the result as stdout, and all printed output as stderr.
        """
        self._say(url, command)
        answer = self.process.receive()
        if not answer:  # the process ended before its first answer: its log has the cause
            log = (self.folder / "log").read_text(errors="replace")
            return CommandResult(command, self.process.wait(), "", log)
        output = self._output.read_text(errors="replace")
        return CommandResult(command, int(answer), self._result.read_text(), output)

    def collect(self, url: str, second: str) -> "Tests":
        """Start to collect the app's tests, without waiting for the result.

        Args:
            url: The database for the tests; it may be created later.
            second: The database of the second process.
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
        self.process.send(json.dumps([url, *map(str, files), *command]))


@dataclass
class Tests:
    """The tests of an app in a worker, which accepts no other command until they have run."""

    process: Conversation
    answer: str = ""

    def collected(self) -> None:
        """Wait until the tests are collected or the collection has failed."""
        self.answer = self.answer or self.process.receive()

    def green(self) -> bool:
        """Run the tests; return whether all tests that use a database pass (see `pytest_split`)."""
        self.collected()
        if self.answer.strip() == COLLECTED:
            self.answer = self.process.ask("go")
        return self.answer.strip() == "0"


@contextmanager
def start_worker(
    folder: Path, env: Mapping[str, str], python: str = sys.executable
) -> Iterator[Worker]:
    """Start the Django process, and stop it at the end of the `with` block.

    Args:
        folder: The folder of the Django project.
        env: Variables to set.
        python: The Python that has the packages of the project.
    """
    with TemporaryDirectory(prefix="migrations-") as name:
        command, log = [python, *_COMMAND], Path(name, "log")
        with conversation(command, cwd=folder, env=env, log=log) as process:
            yield Worker(process, Path(name))
