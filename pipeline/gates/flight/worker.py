"""A process that has started Django, and does what it is asked to in forks of itself."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.run import Conversation, Output, conversation

COMMAND = ("-m", "pipeline.gates.flight.inside")


@dataclass(frozen=True)
class Worker:
    """The process, and a folder for what it leaves."""

    process: Conversation
    folder: Path

    def ask(self, url: str, *command: str) -> Output:
        """Have a command of `pipeline.gates.flight.inside` done.

        Args:
            url: The database.
            *command: Its name and its arguments.

        Returns:
            Its exit code, its result as stdout, and all that was printed as stderr.
        """
        files = result, output = self.folder / "result", self.folder / "output"
        for file in files:
            file.write_text("")
        answer = self.process.answer(json.dumps([url, *map(str, files), *command]))
        if not answer:  # it has not even started
            log = (self.folder / "log").read_text(errors="replace")
            return Output(command, self.process.ended(), "", log)
        said = output.read_text(errors="replace")
        return Output(command, int(answer), result.read_text(), said)


@contextmanager
def started(folder: Path, env: Mapping[str, str], python: str = sys.executable) -> Iterator[Worker]:
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
