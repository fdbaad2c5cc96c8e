"""Refuse what leaves code behind that cannot live with the database, on the way back and forward.

Most migrations add: older code lives with them. One that takes something away (a contract) may only
come when nothing serves that still needs it, and from then on there is no way back over it.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from pipeline.deploy.cluster.client import SwarmClient
from pipeline.deploy.cluster.management_commands import parse_name_list, run_management_command
from pipeline.deploy.cluster.one_shot_jobs import JobFailedError, JobNotStartedError
from pipeline.deploy.cluster.stackfile import Service
from pipeline.deploy.progress import log
from pipeline.deploy.state import journal
from pipeline.deploy.state.journal import DeploymentRecord
from pipeline.environments import Environment
from pipeline.errors import CheckFailedError, InputError

MIGRATION_LINE = re.compile(r"\[[X ]\]\s+(?P<name>\S+)")
UNKNOWN = "Unknown command"
"""What code says that runs, and is older than the command."""
REMOVED_MARKER, TOO_EARLY_MARKER = "taken away: ", "too early: "
"""What the self-check says of migrations to be applied: which models and fields they take away, and
which of them come together with the one that made what they take away superfluous."""
APPLIED = (
    'shell -c "from json import dumps; from django.db import connection; '
    "from django.db.migrations.recorder import MigrationRecorder as Recorder; "
    "print(dumps(['.'.join(each) for each in Recorder(connection).applied_migrations()]))\""
)
"""Tells what the database has, by code of any age: showmigrations leaves out what it knows not."""
SHOWMIGRATIONS_COMMAND, CONTRACTS_COMMAND, SCHEMA_USES_COMMAND = (
    "showmigrations --plan",
    "contract_migrations --json --applied",
    "schema_uses",
)


def require_rollback_compatible(
    swarm: SwarmClient,
    environment: Environment,
    known: Sequence[DeploymentRecord],
    target: Mapping[str, Service],
    is_outage: Callable[[], bool],
) -> None:
    """Refuse to go back over a contract migration.

    The release to go back to tells what the database has that it does not know; the one that is
    live, which of that is a contract. Where its image does not run, other good releases are asked,
    so that a dead release does not bar the way back from itself.

    Args:
        swarm: Whose jobs ask.
        environment: Where.
        known: All that the journal tells.
        target: The services to go back to.
        is_outage: Tells whether what is live serves no user.

    Raises:
        InputError: There is one between; or what is live serves, and its code cannot say.
        CheckFailedError: The release to go back to cannot be asked, so that it cannot run either.
    """
    live, old = journal.last_successful(known), target["backend"]
    if live is None or live.services["backend"]["image"] == old["image"]:
        return
    unknown, judged = strange(swarm, environment, old), set[str]()
    for entry in witnesses(known, old["image"]):
        if unknown <= judged:
            return
        try:
            lost, names = applied_contract_migrations(swarm, environment, entry)
        except (JobFailedError, ValueError) as error:
            log(f"{entry.version} cannot say what it took from the database: {first(error)}")
            if entry is live:
                require_need(live, error, is_outage)
            continue
        require_none(unknown & lost)
        judged |= unknown if entry is live else names
    if left := unknown - judged:
        log(f"inconclusive: whether older code lives with {', '.join(sorted(left))}; going on")


def require_none(lost: set[str]) -> None:
    """Refuse to go back over contract migrations that the older code does not know.

    Raises:
        InputError: Names them.
    """
    if lost:
        raise InputError(
            f"there is no way back over {', '.join(sorted(lost))}: the database has lost what the "
            "older code needs",
            hint="correct it and deploy that; or invoke restore, with a dump made before",
        )


def require_need(live: DeploymentRecord, error: Exception, is_outage: Callable[[], bool]) -> None:
    """Refuse to go back blindly from code that runs, serves, and has no answer.

    Raises:
        InputError: Users are served, so that there is time for a release that can tell.
    """
    runs = isinstance(error, ValueError) or UNKNOWN in str(error)
    if runs and not is_outage():
        raise InputError(
            f"{live.version} migrated the database, and cannot say whether older code lives with "
            "that",
            hint="it serves: deploy a release that can, or correct what is wrong and deploy that",
        ) from None


def witnesses(known: Sequence[DeploymentRecord], target: str) -> list[DeploymentRecord]:
    """Return the good releases that may know what was migrated, what is live first.

    Args:
        known: All that the journal tells.
        target: The backend to go back to, which knows nothing of it.
    """
    good = [entry for entry in known if entry.outcome == journal.SUCCEEDED]
    newest = {entry.services["backend"]["image"]: entry for entry in good}
    found = [entry for image, entry in newest.items() if image != target]
    return sorted(found, key=lambda entry: entry.number, reverse=True)


def require_forward_compatible(
    swarm: SwarmClient, environment: Environment, live: DeploymentRecord, said: str
) -> None:
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
    if early := parse_marked_names(said, TOO_EARLY_MARKER):
        raise CheckFailedError(
            f"too early: {', '.join(sorted(early))}; {live.version} serves, and has not got what "
            "comes right before it",
            hint="first deploy a release without it, then this one",
        )
    lost = parse_marked_names(said, REMOVED_MARKER)
    if lost and (missed := lost & used_schema(swarm, environment, live)):
        raise CheckFailedError(
            f"{live.version} serves, and still uses what would be taken away: "
            f"{', '.join(sorted(missed))}",
            hint="first deploy a release that does without it, then this one",
        )


def parse_marked_names(said: str, about: str) -> set[str]:
    """Return the names that a self-check tells, on each node the same."""
    lines = (line.partition(about) for line in said.splitlines())
    return {name for _, is_it, names in lines if is_it for name in json.loads(names)}


def used_schema(swarm: SwarmClient, environment: Environment, live: DeploymentRecord) -> set[str]:
    """Return the models and fields that the release that serves uses.

    Raises:
        CheckFailedError: It cannot tell.
    """
    try:
        return parse_name_list(
            run_management_command(
                swarm, environment, live.services["backend"], SCHEMA_USES_COMMAND
            )
        )
    except (JobFailedError, ValueError) as error:
        raise CheckFailedError(
            f"{live.version} cannot say whether it uses what would be taken away: {first(error)}",
            hint="deploy a release that can, and takes nothing away, then this one",
        ) from None


def strange(swarm: SwarmClient, environment: Environment, service: Service) -> set[str]:
    """Return the migrations that the database has, and a backend does not know.

    Raises:
        CheckFailedError: It cannot be asked.
    """
    seconds = environment.timings.migrate_timeout  # its image may have to come first
    try:
        said = run_management_command(
            swarm, environment, service, SHOWMIGRATIONS_COMMAND, APPLIED, seconds=seconds
        )
        return parse_name_list(said) - list_migrations(said)
    except (JobFailedError, ValueError) as error:
        version = service["environment"]["RELEASE"]
        hint = "invoke history; invoke rollback --to=… takes another good release"
        if isinstance(error, JobNotStartedError):
            hint = error.hint
        raise CheckFailedError(f"{version} cannot run here: {error}", hint=hint) from None


def list_migrations(said: Iterable[str]) -> set[str]:
    """Return the migrations that a backend knows, by what it listed."""
    return {each["name"] for each in map(MIGRATION_LINE.match, said) if each}


def applied_contract_migrations(
    swarm: SwarmClient, environment: Environment, entry: DeploymentRecord
) -> tuple[set[str], set[str]]:
    """Return the contract migrations that the database has, and all that this release knows.

    Raises:
        JobFailedError: Its image does not run, or has no such command.
        ValueError: It says something else.
    """
    said = run_management_command(
        swarm, environment, entry.services["backend"], CONTRACTS_COMMAND, SHOWMIGRATIONS_COMMAND
    )
    return parse_name_list(said), list_migrations(said)


def first(error: Exception) -> str:
    """Return the first line of what went wrong."""
    return str(error).partition("\n")[0]
