"""Starts Django once, and then answers each line of stdin in a fork of its own.

A line is a JSON list: the database, a file for the result, one for what is printed, a command and
its arguments. The answer is a line with the exit code; what migrations print is none.

forward [--expand-only] [--twice]      apply what is pending, and write down what was seen
migrate                                apply what is pending, as manage.py does
round-trip [shop.0002_more …]          forwards, backwards, and forwards again
static FILE …                          what would be sent, without a server, by all but these files
tests SECOND                           the app's tests, here and in a second database

The last one says `collected` first, and then waits for another line.
"""

import gc
import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from pipeline.checks.migrations.worker import COLLECTED


def main() -> None:
    """Answer until stdin ends."""
    requests = os.fdopen(os.dup(sys.stdin.fileno()))  # which a fork can read, too
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    import django  # noqa: PLC0415 - settings may print, too

    django.setup()
    from django.core.management import call_command  # noqa: F401, PLC0415 - what each fork needs
    from django.db import connections  # noqa: PLC0415

    connections.close_all()  # a connection has one process
    gc.freeze()
    serve(requests, answers)


def serve(requests: IO[str], answers: IO[str]) -> None:
    """Answer each line in a fork, which knows nothing of the others.

    Args:
        requests: Where the lines come from.
        answers: Where the exit codes go.
    """
    for line in requests:
        url, result, output, *command = json.loads(line)
        if (child := os.fork()) == 0:
            wait = partial(_wait, requests, answers)
            os._exit(_answered(url, Path(result), output, command, wait))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=answers, flush=True)


def _wait(requests: IO[str], answers: IO[str]) -> None:
    """Wait for another line; without one, nothing is to be done any more."""
    print(COLLECTED, file=answers, flush=True)
    if not requests.readline():
        os._exit(1)


def _answered(
    url: str, result: Path, output: str, command: Sequence[str], wait: Callable[[], None]
) -> int:
    """Do what is asked, with nothing to read and a file to print to, and return the exit code."""
    for number, name, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, output, os.O_WRONLY | os.O_CREAT),
    ):
        os.dup2(os.open(name, flags), number)
    os.dup2(1, 2)
    try:
        _use(url)
        if command[0] == "tests":
            from pipeline.checks.migrations.django_runner import pytest_split  # noqa: PLC0415 - it needs pytest

            return pytest_split.run(command[1], wait)
        result.write_text(_done(*command))
    except BaseException:  # noqa: BLE001 - it is shown where it was asked for
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _use(url: str) -> None:
    """Let Django use a database of the server that it was set up with."""
    from django.db import connections  # noqa: PLC0415

    started = urlsplit(os.environ["DATABASE_URL"]).path[1:]
    os.environ["DATABASE_URL"] = url
    for settings in connections.settings.values():
        if settings["NAME"] == started:
            settings["NAME"] = urlsplit(url).path[1:]


def _done(command: str, *arguments: str) -> str:
    """Do what is asked, and return what came of it as text."""
    if command == "migrate":
        from django.core.management import call_command  # noqa: PLC0415 - needs the settings

        call_command("migrate", interactive=False, verbosity=0)
        return ""
    if command == "round-trip":
        from pipeline.checks.migrations.django_runner.round_trip import round_trip  # noqa: PLC0415

        return round_trip(arguments, os.environ["DATABASE_URL"]).to_json()
    from pipeline.checks.migrations.django_runner.forward import apply_pending  # noqa: PLC0415
    from pipeline.checks.migrations.records import records_to_json  # noqa: PLC0415

    if command == "static":
        from pipeline.checks.migrations.django_runner.static import static  # noqa: PLC0415

        return records_to_json(static(arguments))
    return records_to_json(
        apply_pending(expand_only="--expand-only" in arguments, twice="--twice" in arguments)
    )


if __name__ == "__main__":
    main()
