"""Ask the backend of a release by its management commands."""

import json
import re
from collections.abc import Iterable

from pipeline.deploy.cluster.client import SwarmClient
from pipeline.deploy.cluster.one_shot_jobs import END_MARKER, job_for_service, run_and_read_lines
from pipeline.deploy.cluster.stackfile import Service
from pipeline.environments import Environment
from pipeline.errors import CheckFailedError

NOTHING_LEFT = "nothing is left"
LIST = re.compile(r"\[[\"\]]")
"""How a list of names begins; showmigrations begins lines with brackets as well."""


def run_management_command(
    swarm: SwarmClient,
    environment: Environment,
    service: Service,
    *commands: str,
    name: str = "barrier",
    seconds: float = 0,
) -> list[str]:
    """Return what management commands of a backend print, one after the other.

    Args:
        swarm: Whose job asks.
        environment: Where.
        service: The backend, as the engine is told to have it.
        commands: The commands, as a shell reads them.
        name: What the job is called, within the stack.
        seconds: How long it may take; as long as a preview, if not given, since users may wait for
            the answer of an image that hangs.

    Raises:
        JobFailedError: It cannot tell.
    """
    script = " && ".join(f"python manage.py {command}" for command in commands)
    told = ["sh", "-c", f"{script} && echo && echo {END_MARKER}"]
    job = job_for_service(environment.stack, name, service, told)
    return run_and_read_lines(
        swarm, environment, job, seconds or environment.timings.start_timeout * 2
    )


def leftovers(
    swarm: SwarmClient, environment: Environment, service: Service, *, name: str = "leftovers"
) -> list[str]:
    """Return what a migration that failed has left, each with the statement that ends it.

    The arguments are those of `run_management_command`; the release that brought the migration is
    asked.
    """
    try:
        said = run_management_command(swarm, environment, service, "leftovers", name=name)
    except CheckFailedError as error:
        return [f"what it left is not known: {error}".partition("\n")[0]]
    return [line for line in said if line and line != NOTHING_LEFT]


def parse_name_list(said: Iterable[str]) -> set[str]:
    """Return the names in the first line that is a JSON list of names.

    Raises:
        ValueError: There is none.
    """
    for line in filter(LIST.match, said):
        return set(json.loads(line))
    raise ValueError("no line is a list")
