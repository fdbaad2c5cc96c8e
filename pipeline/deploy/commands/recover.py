"""Put right what a deployer who died has left: what he began, and his lock."""

from collections.abc import Mapping
from os import environ

from pipeline.deploy.cluster.stackfile import Release
from pipeline.deploy.commands.maintenance import bypass_headers
from pipeline.deploy.environment_secrets import load_secrets
from pipeline.deploy.progress import log, timed_step
from pipeline.deploy.rollout.context import ROLLOUT_ORDER, Deployment
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
    """Undo a deployment whose deployer died, so that the journal is true again.

    Raises:
        InputError: There is none.
        RollbackFailedError: The release before it does not come back.
    """
    values = load_secrets(environment, environ)
    swarm = connect(environment)
    with raise_on_signal(), hold_lock(swarm, environment.stack, "resume") as lock:
        if not undo_unfinished(environment, lock, values):
            raise InputError("every deployment has ended", hint="invoke status")


def undo_unfinished(
    environment: Environment, lock: Lock, values: Mapping[str, str], *, forward: bool = False
) -> bool:
    """Put the last good release back, if a deployment after it never ended; say whether one did.

    Args:
        environment: Where.
        lock: It is held.
        values: The values of the environment's secrets.
        forward: Whether another release is rolled out next: then one that does not come back is
            no reason to stop.

    Raises:
        RollbackFailedError: It does not come back.
    """
    swarm = lock.swarm
    known = journal.entries(swarm, environment.stack)
    waiting, before = journal.unfinished(known), journal.last_successful(known)
    if waiting is None:
        return False
    log(f"the {waiting.kind} of {waiting.version}, begun {waiting.started}, never ended")
    release, services = release_from_record(waiting), waiting.services
    touched = list(ROLLOUT_ORDER)
    headers = bypass_headers(swarm, environment, values)
    left = Deployment(
        environment,
        swarm,
        release,
        services,
        before,
        values,
        lock,
        headers,
        rolled_services=touched,
    )
    remove_preview(left)
    if before:
        try:
            timed_step("put back", lambda: restore_previous(left))
        except PipelineError as error:
            if not forward:
                raise
            log(f"{before.version} does not come back: {error}; going on")
    else:
        remove_first_release(left)
    journal.record_end(swarm, environment.stack, waiting, "abandoned", "its deployer died")
    return True


def release_from_record(entry: DeploymentRecord) -> Release:
    """Return a release of the journal, as it was."""
    used = entry.services["backend"]["secrets"]
    secrets = {secret["target"]: secret["source"] for secret in used}
    return Release(entry.deploy_id, entry.version, entry.commit, entry.images, secrets)


def unlock(environment: Environment) -> None:
    """Take the lock away from whoever has it, once nobody deploys any more."""
    swarm = connect(environment)
    lock = read_lock(swarm, environment.stack)
    if lock is not None and not is_stale(swarm, environment.stack):
        raise InputError(
            f"{environment.stack} is locked by {describe_lock(lock)}, who lives",
            hint="stop that process; a minute later the lock is stale",
        )
    unlock_now(swarm, environment.stack)
    log("the lock is free")
