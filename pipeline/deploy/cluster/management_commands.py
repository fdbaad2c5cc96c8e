"""Runs management commands in the API of a release, as jobs."""

import json
import re
import shlex
from collections.abc import Iterable

from pipeline.config import load
from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.cluster.one_shot_jobs import (
    END_MARKER,
    JobFailedError,
    job_for_service,
    run_and_read_lines,
)
from pipeline.deploy.cluster.stackfile import Service
from pipeline.deploy.progress import log
from pipeline.errors import CheckFailedError

_RETRIES = 2
_NO_CONNECTION = re.compile(
    r"connection timeout expired|could not translate host name|connection refused|no route to host",
    re.IGNORECASE,
)
"""Messages of libpq and psycopg for a server that a client cannot reach."""
_NOTHING_LEFT = "nothing is left"
_LIST = re.compile(r"\[[\"\]]")
"""Start of a JSON list; the lines of showmigrations start with other brackets."""


def run_management_command(
    target: DeployTarget,
    service: Service,
    *commands: str,
    name: str = "barrier",
    seconds: float = 0,
) -> list[str]:
    """Return the output of management commands that change nothing, in order.

    A node that was cut off takes jobs again before its network reaches the database. So a job that
    could not connect to the database is run again.

    Args:
        target: The environment.
        service: The API, as in a stack file.
        commands: The commands, in shell syntax.
        name: Name of the job, without the stack.
        seconds: The time limit. Its default is short, because users may wait in an outage while a
            broken image hangs.

    Raises:
        JobFailedError: A command failed.
    """
    shell = ["sh", "-c", f"{management_script(*commands)} && echo && echo {END_MARKER}"]
    job = job_for_service(target.stack, name, service, shell)
    limit = seconds or target.environment.timings.start_timeout * 2
    for _ in range(_RETRIES):
        try:
            return run_and_read_lines(target, job, limit)
        except JobFailedError as error:
            if not _NO_CONNECTION.search(str(error)):
                raise
        log(f"{job.name} could not connect to the database; running it again")
    return run_and_read_lines(target, job, limit)


def management_script(*commands: str) -> str:
    """Return a shell script that runs management commands, in order."""
    return " && ".join(f"{load().app.manage} {command}" for command in commands)


def management_arguments(command: str) -> list[str]:
    """Return a management command as the arguments of a container, without a shell."""
    return shlex.split(management_script(command))


def leftovers(target: DeployTarget, service: Service, *, name: str = "leftovers") -> list[str]:
    """Return what a failed migration left in the database, each with a statement to fix it.

    The arguments are those of `run_management_command`, for the release of the migration.
    """
    try:
        lines = run_management_command(target, service, load().app.commands.leftovers, name=name)
    except CheckFailedError as error:
        return [f"cannot list its leftovers: {error}".partition("\n")[0]]
    return [line for line in lines if line and line != _NOTHING_LEFT]


def parse_name_list(lines: Iterable[str]) -> set[str]:
    """Return the names in the first line that is a JSON list of names.

    Raises:
        ValueError: There is none.
    """
    for line in filter(_LIST.match, lines):
        return set(json.loads(line))
    raise ValueError("no line is a list")
