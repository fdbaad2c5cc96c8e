"""Dump and migrate the database if the new release has pending migrations."""

from pipeline.config import load
from pipeline.deploy.cluster.management_commands import leftovers, management_script
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
    """Dump the database before a migration; without a dump there is no migration."""
    if deployment.schema_is_current:
        log("no migration is pending")
    elif not deployment.environment.backup_before_migrate:
        log("no dump: backup_before_migrate is off for this environment")
    else:
        serving = deployment.previous.version if deployment.previous else "none"
        log(f"dumped as {deployment.database.dump(serving)}")


def migrate_database(deployment: Deployment) -> None:
    """Migrate the database and create the user of the smoke test, unless the self-check found both.

    Raises:
        JobNotStartedError: No node started the job, so nothing was migrated.
        MigrationError: The migration failed; the message lists what it left in the database.
    """
    seconds = deployment.environment.timings.migrate_timeout
    script, job = migrate_command(seconds), f"{deployment.stack}-migrate"
    try:
        wait_for_leftover_job(deployment.swarm, job, seconds)
        if deployment.settled:
            log("no migration is pending, and the user of the smoke test exists")
            deployment.swarm.remove_services(job)  # left by a killed deployer
            return
        run_api_job(deployment, "migrate", ["sh", "-c", script])
    except JobNotStartedError:
        raise
    except JobFailedError as error:
        left = leftovers(deployment.target, deployment.api)
        first = "run the statement of each of these lines on the database; " if left else ""
        hint = f"{first}fix the migration; the previous release serves on; invoke status"
        raise MigrationError("\n".join([str(error), *left]), hint=hint) from None


def migrate_command(seconds: float) -> str:
    """Return the shell command of the migrate job.

    Args:
        seconds: Time limit of the job. A statement gets 90 % of it, so that PostgreSQL cancels the
            statement and reports it before the job is killed.
    """
    commands = load().app.commands
    migrate = f"{commands.migrate} --statement-seconds={0.9 * seconds:g}"
    return management_script(migrate, commands.create_smoke_user)


def run_api_job(
    deployment: Deployment, name: str, command: list[str], *, everywhere: bool = False
) -> str:
    """Return the output of a command in the new image of the API, with its settings and secrets."""
    job = job_for_service(deployment.stack, name, deployment.api, command)
    seconds = deployment.environment.timings.migrate_timeout
    return run_job(deployment.target, job, seconds, everywhere=everywhere)
