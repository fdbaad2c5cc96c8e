"""Dump a database when somebody wants that, and restore one."""

from collections.abc import Mapping
from os import environ

from pipeline.deploy.cluster.client import Swarm
from pipeline.deploy.cluster.one_shot_jobs import JobNotStartedError, of_service, run_job
from pipeline.deploy.commands.maintenance import close, closed, insider, open_again
from pipeline.deploy.commands.recover import settle
from pipeline.deploy.commands.status import serving
from pipeline.deploy.confirmation import agree
from pipeline.deploy.database import Database, require_address
from pipeline.deploy.database_url import NAME
from pipeline.deploy.environment_secrets import credentials
from pipeline.deploy.progress import say, timed
from pipeline.deploy.rollout.migration import migration
from pipeline.deploy.signals import interruptible, uninterrupted
from pipeline.deploy.smoke.runner import smoke
from pipeline.deploy.state import audit_log
from pipeline.deploy.state.deploy_lock import locked
from pipeline.deploy.state.journal import Entry
from pipeline.deploy.target import connected
from pipeline.environments import Environment
from pipeline.errors import InputError, PipelineError, RollbackFailedError, RolledBackError

CLEAR = "python manage.py shell -c 'from django.core.cache import cache; cache.clear()'"
"""What the cache holds is not of the dump."""


def backup(environment: Environment) -> None:
    """Dump the database of an environment now.

    Raises:
        InputError: Nothing serves there yet, or DATABASE_URL cannot be dumped.
        JobFailedError: It cannot be dumped.
    """
    values = credentials(environment, environ)
    require_address(values)
    swarm = connected(environment)
    live = serving(swarm, environment)
    with interruptible(), locked(swarm, environment.stack, "backup"):
        name = database(swarm, environment, live, values).dump(live.version)
        audit_log.note(swarm, environment.stack, "backup", name, "succeeded")
    print(name)


def restore(environment: Environment, name: str | None, *, yes: bool = False) -> None:
    """Put the data of a dump in the place of those that are there.

    The site is closed meanwhile. What was there stays in a database of its own, until the next
    restore, and comes back if the release that serves does not work with the restored data.

    Args:
        environment: Where.
        name: What the dump is called.
        yes: Whether a person has agreed already.

    Raises:
        InputError: There is no such dump, or no database to restore to; nothing was touched.
        RolledBackError: The release that serves does not work with it; the data are as before.
        RollbackFailedError: And they could not be put back: look at once.
    """
    values = credentials(environment, environ)
    require_address(values)
    swarm = connected(environment)
    live = serving(swarm, environment)
    data = database(swarm, environment, live, values)
    known = data.dumps()
    if name not in known:
        what = f"no such dump: `{name}`" if name else "no dump is named"
        raise InputError(what, hint=f"--from takes one of: {', '.join(known) or 'none'}")
    agree(environment, f"replace all data of {environment.name}", yes=yes, always=True)
    with interruptible(), locked(swarm, environment.stack, f"restore {name}") as lock:
        settle(environment, lock, values)
        was_closed = closed(swarm, environment)
        timed("close the site", lambda: close(swarm, environment))
        try:
            replace(swarm, environment, live, values, name)
        except RollbackFailedError:
            audit_log.note(
                swarm, environment.stack, "restore", name, "failed; the site stays closed"
            )
            raise
        except BaseException:
            reopen(swarm, environment, was_closed)
            audit_log.note(
                swarm, environment.stack, "restore", name, "failed; the data are as before"
            )
            raise
        reopen(swarm, environment, was_closed)
        audit_log.note(swarm, environment.stack, "restore", name, "succeeded")
    say(f"{environment.name} has the data of {name}")


def replace(
    swarm: Swarm, environment: Environment, live: Entry, values: Mapping[str, str], name: str
) -> None:
    """Let the data of a dump take the place of those that are there, and prove that it works.

    Raises:
        JobFailedError: The dump cannot be restored; the data are as before.
        RolledBackError: The release that serves does not work with it; the data are as before.
        RollbackFailedError: And they could not be put back.
    """
    data = database(swarm, environment, live, values)
    with uninterrupted():  # or nobody would know which data are there
        timed("restore", lambda: data.restore(name))
    try:
        timed("migrate", lambda: fit(swarm, environment, live))
        timed("smoke", lambda: prove(swarm, environment, live, values))
    except (PipelineError, KeyboardInterrupt) as fault:
        why = str(fault) or "interrupted"
        try:
            with uninterrupted():
                timed("put back", data.put_back)
                fit(swarm, environment, live)
        except PipelineError as error:
            raise RollbackFailedError(
                f"{why}\nand the data before did not come back: {error}",
                hint="look at once: the site is closed; the data are in the database …_replaced",
            ) from None
        hint = "look at what it said; a dump of this release's time may need another release"
        if isinstance(fault, JobNotStartedError):
            hint = fault.hint
        raise RolledBackError(f"{why}\nthe data are as before", hint=hint) from None


def fit(swarm: Swarm, environment: Environment, live: Entry) -> None:
    """Bring a database to what the release that serves needs: it may be newer than the dump."""
    seconds = environment.timings.migrate
    command = ["sh", "-c", f"{migration(seconds)} && {CLEAR}"]
    job = of_service(environment.stack, "migrate", live.services["backend"], command)
    run_job(swarm, environment, job, seconds)


def prove(swarm: Swarm, environment: Environment, live: Entry, values: Mapping[str, str]) -> None:
    """Walk through the site, which is closed to others."""
    headers = insider(swarm, environment, values)
    smoke(environment.url, live.version, values, headers, environment.certificate(values))


def reopen(swarm: Swarm, environment: Environment, was_closed: str) -> None:
    """Open the site again, unless somebody had closed it before."""
    if not was_closed:
        timed("open the site", lambda: open_again(swarm, environment))


def database(
    swarm: Swarm, environment: Environment, live: Entry, values: Mapping[str, str]
) -> Database:
    """Return the database of an environment, for the PostgreSQL of a release to reach."""
    return Database(swarm, environment, live.images["postgres"], values[NAME])
