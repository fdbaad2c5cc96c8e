"""Start Django once, then run the command of each line of stdin in a fork.

A line is a JSON list: the database, a file for the result, a file for the output, a command and its
arguments. The answer is a line with the exit code. Migrations may print anything, so their output
goes to the file and never to the answers.

forward [--expand-only] [--twice]      apply the pending migrations, and record each of them
migrate                                apply the pending migrations, as manage.py does
round-trip [shop.0002_more …]          apply, reverse and reapply migrations
static FILE …                          record new migrations without a server; FILEs are released
tests SECOND                           run the app's tests, on this and on a second database

The command `tests` first answers `collected`, and then waits for another line.
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
    requests = os.fdopen(os.dup(sys.stdin.fileno()))  # a fork reads from it, too
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    import django  # noqa: PLC0415 - the settings may print

    django.setup()
    from django.core.management import call_command  # noqa: F401, PLC0415 - loaded once for all forks
    from django.db import connections  # noqa: PLC0415

    connections.close_all()  # processes cannot share a connection
    gc.freeze()  # the collector of a fork would copy the memory pages of all modules
    _serve(requests, answers)


def _serve(requests: IO[str], answers: IO[str]) -> None:
    """Run each request in a fork, so that no command changes the state of the next one.

    Args:
        requests: The lines to run.
        answers: The file for the exit codes.
    """
    for line in requests:
        url, result, output, *command = json.loads(line)
        if (child := os.fork()) == 0:
            wait = partial(_wait, requests, answers)
            os._exit(_run(url, Path(result), output, command, wait))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=answers, flush=True)


def _wait(requests: IO[str], answers: IO[str]) -> None:
    """Answer `collected`, and wait for the next line; exit if stdin has ended."""
    print(COLLECTED, file=answers, flush=True)
    if not requests.readline():
        os._exit(1)


def _run(
    url: str, result: Path, output: str, command: Sequence[str], wait: Callable[[], None]
) -> int:
    """Run a command with empty stdin and its output in a file; return the exit code."""
    for number, name, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, output, os.O_WRONLY | os.O_CREAT),
    ):
        os.dup2(os.open(name, flags), number)
    os.dup2(1, 2)
    try:
        _use(url)
        if command[0] == "tests":
            from pipeline.checks.migrations.django_runner import pytest_split  # noqa: PLC0415 - pytest may be missing

            return pytest_split.run(command[1], wait)
        result.write_text(_result(*command))
    except BaseException:  # noqa: BLE001 - the client shows it
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _use(url: str) -> None:
    """Let Django use another database of the server for which it was started."""
    from django.db import connections  # noqa: PLC0415

    started = urlsplit(os.environ["DATABASE_URL"]).path[1:]
    os.environ["DATABASE_URL"] = url
    for settings in connections.settings.values():
        if settings["NAME"] == started:
            settings["NAME"] = urlsplit(url).path[1:]


def _result(command: str, *arguments: str) -> str:
    """Run a command, and return its result as text."""
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
        from pipeline.checks.migrations.django_runner.static_records import static  # noqa: PLC0415

        return records_to_json(static(arguments))
    return records_to_json(
        apply_pending(expand_only="--expand-only" in arguments, twice="--twice" in arguments)
    )


if __name__ == "__main__":
    main()
