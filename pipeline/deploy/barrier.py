"""Refuse to go back to code that cannot live with the database as it is.

Most migrations add: older code lives with them. One that takes something away (a contract) may only
come when nothing serves that still needs it, and from then on there is no way back over it.
"""

import json
import re
from collections.abc import Mapping

from pipeline.deploy.environments import Environment
from pipeline.deploy.jobs import END, JobFailedError, lines, of_service
from pipeline.deploy.journal import Entry
from pipeline.deploy.stack import Service
from pipeline.deploy.swarm import Swarm
from pipeline.errors import InputError

MIGRATION = re.compile(r"\[(?P<applied>[X ])\]\s+(?P<name>\S+)")
LIST, CONTRACTS = "showmigrations --plan", "contract_migrations --json --applied"


def require_way_back(
    swarm: Swarm, environment: Environment, live: Entry, target: Mapping[str, Service]
) -> None:
    """Refuse to go back over a contract migration.

    Args:
        swarm: Whose jobs ask.
        environment: Where.
        live: What serves.
        target: The services to go back to.

    Raises:
        InputError: There is one between, or nobody can say whether there is.
    """
    old, new = target["backend"], live.services["backend"]
    if old["image"] == new["image"]:
        return
    unknown = migrations(swarm, environment, new, applied=True)
    unknown -= migrations(swarm, environment, old)
    if unknown and (lost := unknown & contracts(swarm, environment, live)):
        raise InputError(
            f"there is no way back over {', '.join(sorted(lost))}: the database has lost what the "
            "older code needs",
            hint="correct it and deploy that; or invoke restore, with a dump made before",
        )


def migrations(
    swarm: Swarm, environment: Environment, service: Service, *, applied: bool = False
) -> set[str]:
    """Return the migrations that a backend knows, or of those only what the database has."""
    found = [MIGRATION.match(line) for line in asked(swarm, environment, service, LIST)]
    return {each["name"] for each in found if each and (not applied or each["applied"] == "X")}


def contracts(swarm: Swarm, environment: Environment, live: Entry) -> set[str]:
    """Return the contract migrations that the database has, by the code that serves.

    Raises:
        InputError: That code cannot tell.
    """
    try:
        said = asked(swarm, environment, live.services["backend"], CONTRACTS)
        return set(json.loads(next(line for line in said if line.startswith("["))))
    except (JobFailedError, StopIteration, ValueError):
        raise InputError(
            f"{live.version} migrated the database, and cannot say whether older code lives with "
            "that",
            hint="deploy a release that can, or correct what is wrong and deploy that",
        ) from None


def asked(swarm: Swarm, environment: Environment, service: Service, command: str) -> list[str]:
    """Return what a management command of a backend prints."""
    script = f"python manage.py {command} && echo && echo {END}"
    job = of_service(environment.stack, "barrier", service, ["sh", "-c", script])
    return lines(swarm, environment.stack, job, environment.timings.migrate)
