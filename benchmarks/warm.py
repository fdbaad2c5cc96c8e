"""`manage.py`, started once: each command is a fork of it, so that it takes a tenth of the time.

python -m benchmarks.warm, in the directory of a backend. Each line of stdin is a JSON list of the
database's URL, the file for the output, and the arguments of `manage.py`; each is answered by a
line with the exit code.
"""

import json
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from pipeline.checks.migrations.app_version import ROOT
from pipeline.process import CommandResult, Conversation, conversation


@dataclass(frozen=True)
class Warm:
    """The app in a process that has started already."""

    process: Conversation

    def manage(self, url: str, *arguments: str) -> CommandResult:
        """Run a command of `manage.py`, and return its output as its stderr."""
        with NamedTemporaryFile("r") as output:
            code = int(self.process.ask(json.dumps([url, output.name, *arguments])))
            return CommandResult([*arguments], code, stdout="", stderr=output.read())


@contextmanager
def warm(folder: Path, settings: str) -> Iterator[Warm]:
    """Start the app of a backend's directory, and end it afterwards."""
    env = {
        "DJANGO_SETTINGS_MODULE": settings,
        "DATABASE_URL": "postgres://postgres@127.0.0.1/postgres",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "benchmarks.warm"]
    with conversation(command, cwd=folder, env=env, log=folder / "warm.log") as process:
        yield Warm(process)


def serve(requests: IO[str]) -> None:
    """Answer each line, in a fork of its own."""
    for line in requests:
        url, output, *arguments = json.loads(line)
        if (child := os.fork()) == 0:
            os._exit(_run(url, output, arguments))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _run(url: str, output: str, arguments: list[str]) -> int:
    import dj_database_url  # noqa: PLC0415
    from django.core.management import execute_from_command_line  # noqa: PLC0415
    from django.db import connections  # noqa: PLC0415

    connections["default"].settings_dict.update(dj_database_url.parse(url))
    os.environ["DATABASE_URL"] = url
    with Path(output).open("w") as stream:
        sys.stdout = sys.stderr = stream
        try:
            execute_from_command_line(["manage.py", *arguments])
        except SystemExit as end:
            return int(end.code or 0)
        except BaseException:  # noqa: BLE001 - raised again by the caller
            traceback.print_exc(file=stream)
            return 1
    return 0


if __name__ == "__main__":
    import django

    django.setup()
    serve(sys.stdin)
