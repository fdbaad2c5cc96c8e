"""Bring a database forward, where the new release wants that: dump it first, then migrate it."""

from pipeline.deploy.cluster.management_commands import leftovers
from pipeline.deploy.cluster.one_shot_jobs import (
    JobFailedError,
    JobNotStartedError,
    let_end,
    of_service,
    run_job,
)
from pipeline.deploy.progress import say
from pipeline.deploy.rollout.context import Deployment
from pipeline.errors import MigrationError


def save_data(deployment: Deployment) -> None:
    """Dump the database, if it is about to change; what cannot be dumped is not migrated."""
    if deployment.up_to_date:
        say("nothing is to be migrated")
    elif not deployment.environment.dump:
        say("this environment dumps its database by itself")
    else:
        serving = deployment.before.version if deployment.before else "none"
        say(f"dumped as {deployment.database.dump(serving)}")


def bring_forward(deployment: Deployment) -> None:
    """Migrate the database, and have the user of the smoke test, unless both are done.

    Raises:
        JobNotStartedError: No node has begun with it, so that nothing was migrated.
        MigrationError: The database refused; says what that left there.
    """
    seconds = deployment.environment.timings.migrate
    script, job = migration(seconds), f"{deployment.stack}-migrate"
    try:
        let_end(deployment.swarm, job, seconds)
        if deployment.settled:
            say("the database and the user of the smoke test are as they should be")
            deployment.swarm.remove(job)  # of a deployer who died in it
            return
        backend_job(deployment, "migrate", ["sh", "-c", script])
    except JobNotStartedError:
        raise
    except JobFailedError as error:
        left = leftovers(deployment.swarm, deployment.environment, deployment.services["backend"])
        first = "run what ends each of these lines, on the database; " if left else ""
        hint = f"{first}correct the migration; the release before serves on; invoke status"
        raise MigrationError("\n".join([str(error), *left]), hint=hint) from None


def migration(seconds: float) -> str:
    """Return the shell command that migrates, and gives up in time to say why.

    Args:
        seconds: How long the whole job may take; a single statement, nine tenths of that.
    """
    limit = f"--statement-seconds={0.9 * seconds:g}"
    return f"python manage.py migrate_safely {limit} && python manage.py ensure_user"


def backend_job(
    deployment: Deployment, name: str, command: list[str], *, everywhere: bool = False
) -> str:
    """Run a command of the new backend with its settings and secrets; return what it printed."""
    job = of_service(deployment.stack, name, deployment.services["backend"], command)
    seconds = deployment.environment.timings.migrate
    return run_job(deployment.swarm, deployment.environment, job, seconds, everywhere=everywhere)
