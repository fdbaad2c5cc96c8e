"""Django, started once: each command is a fork of it, so that it takes a tenth of the time.

python -m benchmarks.warm, in the directory of a backend. Each line of stdin is a JSON list of the
database's URL, the file for the output, and the arguments that Python would get, which call
`manage.py` or `pipeline.gates.flight.inside`; each is answered by a line with the exit code.
"""

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from pipeline.gates.flight.code import ROOT, SETTINGS, Code
from pipeline.run import Output


@dataclass(frozen=True)
class Warm(Code):
    """The app in a process that has started already."""

    process: "subprocess.Popen[str] | None" = field(default=None, compare=False)

    def manage(self, url: str, *arguments: str) -> Output:
        """Run a command of `manage.py`, and return all that it said as its stderr."""
        return self._read(url, "manage.py", *arguments)

    def _read(self, url: str, *arguments: str) -> Output:
        assert self.process
        assert self.process.stdin
        assert self.process.stdout
        with NamedTemporaryFile("r") as output:
            self.process.stdin.write(json.dumps([url, output.name, *arguments]) + "\n")
            self.process.stdin.flush()
            code = int(self.process.stdout.readline())
            return Output([*arguments], code, stdout="", stderr=output.read())


@contextmanager
def warm(folder: Path, settings: str = SETTINGS) -> Iterator[Warm]:
    """Start the app of a backend's directory, and end it afterwards."""
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": settings,
        "DATABASE_URL": "postgres://postgres@127.0.0.1/postgres",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "benchmarks.warm"]
    with subprocess.Popen(
        command, cwd=folder, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Warm(folder, process=process)
        assert process.stdin
        process.stdin.close()


def serve(requests: IO[str]) -> None:
    """Answer each line, in a fork of its own."""
    for line in requests:
        url, output, *arguments = json.loads(line)
        if (child := os.fork()) == 0:
            os._exit(_run(url, output, arguments))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _run(url: str, output: str, arguments: list[str]) -> int:
    import dj_database_url  # noqa: PLC0415
    from django.db import connections  # noqa: PLC0415

    connections["default"].settings_dict.update(dj_database_url.parse(url))
    os.environ["DATABASE_URL"] = url
    with Path(output).open("w") as stream:
        sys.stdout = sys.stderr = stream
        try:
            _call(arguments)
        except SystemExit as end:
            return int(end.code or 0)
        except BaseException:  # noqa: BLE001 - it is shown where it was asked for
            traceback.print_exc(file=stream)
            return 1
    return 0


def _call(arguments: list[str]) -> None:
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    from pipeline.gates.flight.inside.__main__ import main  # noqa: PLC0415

    if arguments[0] == "manage.py":
        execute_from_command_line(arguments)
    else:
        sys.argv[1:] = arguments[2:]
        main()


if __name__ == "__main__":
    import django

    django.setup()
    import pipeline.gates.flight.inside.forward  # what every fork needs
    import pipeline.gates.flight.inside.trip  # noqa: F401

    serve(sys.stdin)
