"""Bring a database forward, where the new release wants that: dump it first, then migrate it."""

from pipeline.deploy.cluster.management_commands import leftovers
from pipeline.deploy.cluster.one_shot_jobs import (
    JobFailedError,
    JobNotStartedError,
    job_for_service,
    run_job,
    wait_for_leftover_job,
)
from pipeline.deploy.progress import log
from pipeline.deploy.rollout.context import Deployment
from pipeline.errors import MigrationError


def back_up_database(deployment: Deployment) -> None:
    """Dump the database, if it is about to change; what cannot be dumped is not migrated."""
    if deployment.schema_is_current:
        log("nothing is to be migrated")
    elif not deployment.environment.backup_before_migrate:
        log("this environment dumps its database by itself")
    else:
        serving = deployment.previous.version if deployment.previous else "none"
        log(f"dumped as {deployment.database.dump(serving)}")


def migrate_database(deployment: Deployment) -> None:
    """Migrate the database, and have the user of the smoke test, unless both are done.

    Raises:
        JobNotStartedError: No node has begun with it, so that nothing was migrated.
        MigrationError: The database refused; says what that left there.
    """
    seconds = deployment.environment.timings.migrate_timeout
    script, job = migrate_command(seconds), f"{deployment.stack}-migrate"
    try:
        wait_for_leftover_job(deployment.swarm, job, seconds)
        if deployment.settled:
            log("the database and the user of the smoke test are as they should be")
            deployment.swarm.remove_services(job)  # of a deployer who died in it
            return
        run_backend_job(deployment, "migrate", ["sh", "-c", script])
    except JobNotStartedError:
        raise
    except JobFailedError as error:
        left = leftovers(deployment.swarm, deployment.environment, deployment.services["backend"])
        first = "run what ends each of these lines, on the database; " if left else ""
        hint = f"{first}correct the migration; the release before serves on; invoke status"
        raise MigrationError("\n".join([str(error), *left]), hint=hint) from None


def migrate_command(seconds: float) -> str:
    """Return the shell command that migrates, and gives up in time to say why.

    Args:
        seconds: How long the whole job may take; a single statement, nine tenths of that.
    """
    limit = f"--statement-seconds={0.9 * seconds:g}"
    return f"python manage.py migrate_safely {limit} && python manage.py ensure_user"


def run_backend_job(
    deployment: Deployment, name: str, command: list[str], *, everywhere: bool = False
) -> str:
    """Run a command of the new backend with its settings and secrets; return what it printed."""
    job = job_for_service(deployment.stack, name, deployment.services["backend"], command)
    seconds = deployment.environment.timings.migrate_timeout
    return run_job(deployment.swarm, deployment.environment, job, seconds, everywhere=everywhere)
