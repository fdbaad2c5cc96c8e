"""Refuses releases and rollbacks that are incompatible with the database schema.

Most migrations only add schema, which older code ignores. A contract migration removes schema: it
may run only when no serving release uses that schema, and a rollback cannot go behind it.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from pipeline.config import load
from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.cluster.management_commands import parse_name_list, run_management_command
from pipeline.deploy.cluster.one_shot_jobs import JobFailedError, JobNotStartedError
from pipeline.deploy.cluster.stackfile import Service
from pipeline.deploy.progress import log
from pipeline.deploy.state import journal
from pipeline.deploy.state.journal import DeploymentRecord
from pipeline.errors import CheckFailedError, InputError

_MIGRATION_LINE = re.compile(r"\[[X ]\]\s+(?P<name>\S+)")
_UNKNOWN = "Unknown command"
"""Output of Django for a command that an older release does not have."""
_REMOVED_MARKER, _TOO_EARLY_MARKER = "taken away: ", "too early: "
"""Markers of the self-check: models and fields that pending migrations remove, and pending contract
migrations whose expand migration is still pending too."""
APPLIED = (
    'shell -c "from json import dumps; from django.db import connection; '
    "from django.db.migrations.recorder import MigrationRecorder as Recorder; "
    "print(dumps(['.'.join(each) for each in Recorder(connection).applied_migrations()]))\""
)
"""Prints the applied migrations, with code of any age: showmigrations omits unknown ones."""
SHOWMIGRATIONS_COMMAND = "showmigrations --plan"


def require_rollback_compatible(
    target: DeployTarget,
    known: Sequence[DeploymentRecord],
    services: Mapping[str, Service],
    is_outage: Callable[[], bool],
) -> None:
    """Refuse a rollback behind a contract migration.

    The older release lists the applied migrations that it does not know; the live release lists
    which of them are contract migrations. If the image of the live release does not run, other good
    releases report instead, so a broken release does not block the rollback.

    Args:
        target: The environment.
        known: All records of the journal.
        services: The services to roll back to.
        is_outage: Returns whether the live release serves no user.

    Raises:
        InputError: A contract migration is in between; or the live release serves, and cannot
            report.
        CheckFailedError: The older release does not run.
    """
    live, old = journal.last_successful(known), services[load().app.api]
    if live is None or live.api["image"] == old["image"]:
        return
    unknown, checked = unknown_migrations(target, old), set[str]()
    for entry in _other_releases(known, old["image"]):
        if unknown <= checked:
            return
        try:
            lost, names = _applied_contract_migrations(target, entry)
        except (JobFailedError, ValueError) as error:
            log(f"{entry.version} cannot report its contract migrations: {_first_line(error)}")
            if entry is live:
                _refuse_unless_outage(live, error, is_outage)
            continue
        _refuse_contracts(unknown & lost)
        checked |= unknown if entry is live else names
    if left := unknown - checked:
        listed = ", ".join(sorted(left))
        log(f"inconclusive: whether older code is compatible with {listed}; continuing")


def _refuse_contracts(lost: set[str]) -> None:
    """Refuse a rollback over contract migrations that the older code does not know.

    Raises:
        InputError: Names them.
    """
    if lost:
        raise InputError(
            f"cannot roll back over {', '.join(sorted(lost))}: they removed schema that the "
            "older code needs",
            hint="fix it and deploy the fix; or invoke restore with an earlier dump",
        )


def _refuse_unless_outage(
    live: DeploymentRecord, error: Exception, is_outage: Callable[[], bool]
) -> None:
    """Refuse a rollback from a release that runs and serves, but cannot report its migrations.

    Raises:
        InputError: Users are served, so there is time to deploy a release that can report them.
    """
    runs = isinstance(error, ValueError) or _UNKNOWN in str(error)
    if runs and not is_outage():
        raise InputError(
            f"{live.version} migrated the database, and cannot report whether older code is "
            "compatible",
            hint="the site serves: deploy a release that can report it, or a fix",
        ) from None


def _other_releases(known: Sequence[DeploymentRecord], target: str) -> list[DeploymentRecord]:
    """Return the good releases other than the target, the live one first.

    Args:
        known: All records of the journal.
        target: The image of the target's API, which does not know the migrations in question.
    """
    good = [entry for entry in known if entry.outcome == journal.SUCCEEDED]
    newest = {entry.api["image"]: entry for entry in good}
    found = [entry for image, entry in newest.items() if image != target]
    return sorted(found, key=lambda entry: entry.number, reverse=True)


def require_forward_compatible(target: DeployTarget, live: DeploymentRecord, output: str) -> None:
    """Refuse migrations that remove schema which the live release uses.

    The live release serves while they run, and until its replicas are replaced.

    Args:
        target: The environment.
        live: The live release.
        output: Output of the self-check of the new release.

    Raises:
        CheckFailedError: They do, or the live release cannot report what it uses.
    """
    if early := _parse_marked_names(output, _TOO_EARLY_MARKER):
        raise CheckFailedError(
            f"too early: {', '.join(sorted(early))}; {live.version} serves without the migration "
            "that must come first",
            hint="first deploy a release without it, then this one",
        )
    lost = _parse_marked_names(output, _REMOVED_MARKER)
    if lost and (missed := lost & _used_schema(target, live)):
        raise CheckFailedError(
            f"{live.version} serves and still uses the schema that would be removed: "
            f"{', '.join(sorted(missed))}",
            hint="first deploy a release that does not use it, then this one",
        )


def _parse_marked_names(output: str, marker: str) -> set[str]:
    """Return the names after a marker in the output of a self-check, equal on every node."""
    lines = (line.partition(marker) for line in output.splitlines())
    return {name for _, is_it, names in lines if is_it for name in json.loads(names)}


def _used_schema(target: DeployTarget, live: DeploymentRecord) -> set[str]:
    """Return the models and fields that the live release uses.

    Raises:
        CheckFailedError: The live release cannot report them.
    """
    try:
        return parse_name_list(
            run_management_command(target, live.api, load().app.commands.schema_uses)
        )
    except (JobFailedError, ValueError) as error:
        raise CheckFailedError(
            f"{live.version} cannot report which models and fields it uses: {_first_line(error)}",
            hint="first deploy a release that reports them and removes nothing, then this one",
        ) from None


def unknown_migrations(target: DeployTarget, service: Service) -> set[str]:
    """Return the applied migrations that a release does not know.

    Raises:
        CheckFailedError: The release does not run.
    """
    seconds = target.environment.timings.migrate_timeout  # the image may have to be pulled first
    try:
        output = run_management_command(
            target, service, SHOWMIGRATIONS_COMMAND, APPLIED, seconds=seconds
        )
        return parse_name_list(output) - _list_migrations(output)
    except (JobFailedError, ValueError) as error:
        version = service["environment"]["RELEASE"]
        hint = "invoke history; invoke rollback --to=… with another good release"
        if isinstance(error, JobNotStartedError):
            hint = error.hint
        raise CheckFailedError(f"{version} cannot run here: {error}", hint=hint) from None


def _list_migrations(output: Iterable[str]) -> set[str]:
    """Return the migrations in the output of showmigrations."""
    return {each["name"] for each in map(_MIGRATION_LINE.match, output) if each}


def _applied_contract_migrations(
    target: DeployTarget, entry: DeploymentRecord
) -> tuple[set[str], set[str]]:
    """Return the applied contract migrations, and all migrations that a release knows.

    Raises:
        JobFailedError: Its image does not run, or lacks the command.
        ValueError: The output cannot be parsed.
    """
    output = run_management_command(
        target, entry.api, load().app.commands.contract_migrations, SHOWMIGRATIONS_COMMAND
    )
    return parse_name_list(output), _list_migrations(output)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
