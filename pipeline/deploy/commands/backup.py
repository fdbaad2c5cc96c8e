"""Dumps a database on demand, and restores one."""

from os import environ

from pipeline.config import load
from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.cluster.management_commands import management_script
from pipeline.deploy.cluster.one_shot_jobs import JobNotStartedError, job_for_service, run_job
from pipeline.deploy.commands.maintenance import bypass_headers, disable, enable, maintenance_since
from pipeline.deploy.commands.recover import undo_unfinished
from pipeline.deploy.commands.status import live_release
from pipeline.deploy.confirmation import confirm
from pipeline.deploy.database import Database, require_database_url
from pipeline.deploy.environment_secrets import load_secrets
from pipeline.deploy.progress import log, timed_step
from pipeline.deploy.rollout.migration import migrate_command
from pipeline.deploy.signals import ignore_signals, raise_on_signal
from pipeline.deploy.smoke.runner import run_smoke_test
from pipeline.deploy.state import audit_log
from pipeline.deploy.state.deploy_lock import hold_lock
from pipeline.deploy.state.journal import DeploymentRecord
from pipeline.deploy.target import connect
from pipeline.environments import Environment
from pipeline.errors import InputError, PipelineError, RollbackFailedError, RolledBackError


def backup(environment: Environment) -> None:
    """Dump the database of an environment.

    Raises:
        InputError: No release serves yet, or DATABASE_URL cannot be dumped.
        JobFailedError: The dump failed.
    """
    values = load_secrets(environment, environ)
    require_database_url(values)
    target = connect(environment, values)
    live = live_release(target)
    with raise_on_signal(), hold_lock(target.swarm, environment.stack, "backup"):
        name = _database_for(target, live).dump(live.version)
        audit_log.record(target.swarm, environment.stack, "backup", name, "succeeded")
    print(name)


def restore(environment: Environment, name: str | None, *, yes: bool = False) -> None:
    """Replace the data of an environment by a dump.

    The site is closed during the restore. The replaced data stays in its own database until the
    next restore; it is swapped back if the live release does not work with the restored data.

    Args:
        environment: The environment.
        name: Name of the dump.
        yes: Skip the confirmation.

    Raises:
        InputError: There is no such dump, or no database to restore to; nothing was changed.
        RolledBackError: The live release does not work with the dump; the data is unchanged.
        RollbackFailedError: Swapping the data back failed; an operator must act.
    """
    values = load_secrets(environment, environ)
    require_database_url(values)
    target = connect(environment, values)
    live = live_release(target)
    data = _database_for(target, live)
    known = data.list_dumps()
    if name not in known:
        what = f"no such dump: `{name}`" if name else "no dump was given"
        raise InputError(what, hint=f"use --from with one of: {', '.join(known) or 'none'}")
    confirm(environment, f"replace all data of {environment.name}", yes=yes, always=True)
    with raise_on_signal(), hold_lock(target.swarm, environment.stack, f"restore {name}") as lock:
        undo_unfinished(target, lock)
        was_closed = maintenance_since(target)
        timed_step("close the site", lambda: enable(target))
        try:
            _replace_data(target, live, name)
        except RollbackFailedError:
            audit_log.record(
                target.swarm, environment.stack, "restore", name, "failed; the site stays closed"
            )
            raise
        except BaseException:
            _end_maintenance(target, was_closed)
            audit_log.record(
                target.swarm, environment.stack, "restore", name, "failed; the data is unchanged"
            )
            raise
        _end_maintenance(target, was_closed)
        audit_log.record(target.swarm, environment.stack, "restore", name, "succeeded")
    log(f"restored {environment.name} from {name}")


def _replace_data(target: DeployTarget, live: DeploymentRecord, name: str) -> None:
    """Restore a dump, and verify it with the live release.

    Raises:
        JobFailedError: The dump cannot be restored; the data is unchanged.
        RolledBackError: The live release does not work with it; the data is unchanged.
        RollbackFailedError: Swapping the data back failed.
    """
    data = _database_for(target, live)
    with ignore_signals():  # an interrupted swap would leave unknown data
        timed_step("restore", lambda: data.restore(name))
    try:
        timed_step("migrate", lambda: _migrate_restored(target, live))
        timed_step("smoke", lambda: _smoke_test_restored(target, live))
    except (PipelineError, KeyboardInterrupt) as fault:
        why = str(fault) or "interrupted"
        try:
            with ignore_signals():
                timed_step("undo restore", data.undo_restore)
                _migrate_restored(target, live)
        except PipelineError as error:
            raise RollbackFailedError(
                f"{why}\nand undoing the restore failed: {error}",
                hint="act immediately: the site is closed; the data is in the database …_replaced",
            ) from None
        hint = "see its output above; this dump may need another release"
        if isinstance(fault, JobNotStartedError):
            hint = fault.hint
        raise RolledBackError(f"{why}\nthe data is unchanged", hint=hint) from None


def _migrate_restored(target: DeployTarget, live: DeploymentRecord) -> None:
    """Migrate the restored database: the live release may be newer than the dump."""
    seconds = target.environment.timings.migrate_timeout
    clear_cache = management_script(load().app.commands.clear_cache)
    command = ["sh", "-c", f"{migrate_command(seconds)} && {clear_cache}"]
    job = job_for_service(target.stack, "migrate", live.api, command)
    run_job(target, job, seconds)


def _smoke_test_restored(target: DeployTarget, live: DeploymentRecord) -> None:
    """Run the smoke test on the closed site."""
    headers = bypass_headers(target)
    run_smoke_test(
        target.environment.url, live.version, target.secrets, headers, target.certificate
    )


def _end_maintenance(target: DeployTarget, was_closed: str) -> None:
    """Open the site again, unless it was closed before."""
    if not was_closed:
        timed_step("open the site", lambda: disable(target))


def _database_for(target: DeployTarget, live: DeploymentRecord) -> Database:
    """Return the database of an environment, with the PostgreSQL image of a release."""
    return Database(target, live.images[load().app.database])
