"""Cleans up after a killed deployer: its unfinished deployment and its lock."""

from os import environ

from pipeline.config import load
from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.cluster.stackfile import Release
from pipeline.deploy.commands.maintenance import bypass_headers
from pipeline.deploy.environment_secrets import load_secrets
from pipeline.deploy.progress import log, timed_step
from pipeline.deploy.rollout.context import Deployment
from pipeline.deploy.rollout.runbook import remove_first_release, remove_preview, restore_previous
from pipeline.deploy.signals import raise_on_signal
from pipeline.deploy.state import journal
from pipeline.deploy.state.deploy_lock import Lock, describe_lock, hold_lock, is_stale, read_lock
from pipeline.deploy.state.deploy_lock import release as unlock_now
from pipeline.deploy.state.journal import DeploymentRecord
from pipeline.deploy.target import connect
from pipeline.environments import Environment
from pipeline.errors import InputError, PipelineError


def recover(environment: Environment) -> None:
    """Roll back a deployment whose deployer was killed, and end it in the journal.

    Raises:
        InputError: There is no unfinished deployment.
        RollbackFailedError: The previous release does not start.
    """
    values = load_secrets(environment, environ)
    target = connect(environment, values)
    with raise_on_signal(), hold_lock(target.swarm, environment.stack, "recover") as lock:
        if not undo_unfinished(target, lock):
            raise InputError("there is no unfinished deployment", hint="invoke status")


def undo_unfinished(target: DeployTarget, lock: Lock, *, forward: bool = False) -> bool:
    """Roll back an unfinished deployment; return whether there was one.

    Args:
        target: The environment.
        lock: The lock, held by the caller.
        forward: Whether another release is deployed next; then a failed rollback is only logged.

    Raises:
        RollbackFailedError: The previous release does not start.
    """
    known = journal.entries(target.swarm, target.stack)
    waiting, before = journal.unfinished(known), journal.last_successful(known)
    if waiting is None:
        return False
    log(f"the {waiting.kind} of {waiting.version}, started {waiting.started}, never ended")
    release, services = release_from_record(waiting), waiting.services
    touched = list(load().app.rollout_order)
    headers = bypass_headers(target)
    left = Deployment(
        target,
        release,
        services,
        before,
        lock,
        headers,
        rolled_services=touched,
    )
    remove_preview(left)
    if before:
        try:
            timed_step("rollback", lambda: restore_previous(left))
        except PipelineError as error:
            if not forward:
                raise
            log(f"cannot roll back to {before.version}: {error}; continuing")
    else:
        remove_first_release(left)
    journal.record_end(target.swarm, target.stack, waiting, "abandoned", "its deployer was killed")
    return True


def release_from_record(entry: DeploymentRecord) -> Release:
    """Return the release of a journal record."""
    used = entry.api["secrets"]
    secrets = {secret["target"]: secret["source"] for secret in used}
    return Release(entry.deploy_id, entry.version, entry.commit, entry.images, secrets)


def unlock(environment: Environment) -> None:
    """Release a stale lock."""
    target = connect(environment)
    lock = read_lock(target.swarm, environment.stack)
    if lock is not None and not is_stale(target.swarm, environment.stack):
        raise InputError(
            f"{environment.stack} is locked by {describe_lock(lock)}, which is alive",
            hint="stop that process; a minute later the lock is stale",
        )
    unlock_now(target.swarm, environment.stack)
    log("the lock is free")
