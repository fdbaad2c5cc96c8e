"""Refuse what leaves code behind that cannot live with the database, on the way back and forward.

Most migrations add: older code lives with them. One that takes something away (a contract) may only
come when nothing serves that still needs it, and from then on there is no way back over it.
"""

import json
import re
from collections.abc import Iterable, Mapping

from pipeline.deploy.jobs import END, JobFailedError, lines, of_service
from pipeline.deploy.journal import Entry
from pipeline.deploy.stack import Service
from pipeline.deploy.swarm import Swarm
from pipeline.environments import Environment
from pipeline.errors import CheckFailedError, InputError

MIGRATION = re.compile(r"\[(?P<applied>[X ])\]\s+(?P<name>\S+)")
TAKEN, EARLY = "taken away: ", "too early: "
"""What the self-check says of migrations to be applied: which models and fields they take away, and
which of them come together with the one that made what they take away superfluous."""
LIST, CONTRACTS, USES = (
    "showmigrations --plan",
    "contract_migrations --json --applied",
    "schema_uses",
)


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


def require_way_on(swarm: Swarm, environment: Environment, live: Entry, said: str) -> None:
    """Refuse migrations that take from the release that serves what it still uses.

    It serves while they are applied, and after that until it is replaced.

    Args:
        swarm: Whose jobs ask.
        environment: Where.
        live: What serves.
        said: What the new release said of itself.

    Raises:
        CheckFailedError: They do, or what serves cannot tell.
    """
    if early := told(said, EARLY):
        raise CheckFailedError(
            f"too early: {', '.join(sorted(early))}; {live.version} serves, and has not got what "
            "comes right before it",
            hint="first deploy a release without it, then this one",
        )
    lost = told(said, TAKEN)
    if lost and (missed := lost & used(swarm, environment, live)):
        raise CheckFailedError(
            f"{live.version} serves, and still uses what would be taken away: "
            f"{', '.join(sorted(missed))}",
            hint="first deploy a release that does without it, then this one",
        )


def told(said: str, about: str) -> set[str]:
    """Return the names that a self-check tells, on each node the same."""
    lines = (line.partition(about) for line in said.splitlines())
    return {name for _, is_it, names in lines if is_it for name in json.loads(names)}


def used(swarm: Swarm, environment: Environment, live: Entry) -> set[str]:
    """Return the models and fields that the release that serves uses.

    Raises:
        CheckFailedError: It cannot tell.
    """
    try:
        return listed(asked(swarm, environment, live.services["backend"], USES))
    except (JobFailedError, StopIteration, ValueError):
        raise CheckFailedError(
            f"{live.version} cannot say whether it uses what would be taken away",
            hint="deploy a release that can, and takes nothing away, then this one",
        ) from None


def listed(said: Iterable[str]) -> set[str]:
    """Return the names in the first line that is a JSON list."""
    return set(json.loads(next(line for line in said if line.startswith("["))))


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
        return listed(asked(swarm, environment, live.services["backend"], CONTRACTS))
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
