"""Put right what a deployer who died has left: what he began, and his lock."""

from collections.abc import Mapping
from os import environ

from pipeline.deploy.cluster.stackfile import Release
from pipeline.deploy.commands.maintenance import insider
from pipeline.deploy.environment_secrets import credentials
from pipeline.deploy.progress import say, timed
from pipeline.deploy.rollout.context import ORDER, Deployment
from pipeline.deploy.rollout.runbook import clear, put_back, withdraw
from pipeline.deploy.signals import interruptible
from pipeline.deploy.state import journal
from pipeline.deploy.state.deploy_lock import Lock, current, described, is_stale, locked
from pipeline.deploy.state.deploy_lock import release as unlock_now
from pipeline.deploy.state.journal import Entry
from pipeline.deploy.target import connected
from pipeline.environments import Environment
from pipeline.errors import InputError, PipelineError


def resume(environment: Environment) -> None:
    """Undo a deployment whose deployer died, so that the journal is true again.

    Raises:
        InputError: There is none.
        RollbackFailedError: The release before it does not come back.
    """
    values = credentials(environment, environ)
    swarm = connected(environment)
    with interruptible(), locked(swarm, environment.stack, "resume") as lock:
        if not settle(environment, lock, values):
            raise InputError("every deployment has ended", hint="invoke status")


def settle(
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
    waiting, before = journal.unfinished(known), journal.good(known)
    if waiting is None:
        return False
    say(f"the {waiting.kind} of {waiting.version}, begun {waiting.started}, never ended")
    release, services = again(waiting), waiting.services
    touched = list(ORDER)
    headers = insider(swarm, environment, values)
    left = Deployment(
        environment, swarm, release, services, before, values, lock, headers, touched=touched
    )
    clear(left)
    if before:
        try:
            timed("put back", lambda: put_back(left))
        except PipelineError as error:
            if not forward:
                raise
            say(f"{before.version} does not come back: {error}; going on")
    else:
        withdraw(left)
    journal.end(swarm, environment.stack, waiting, "abandoned", "its deployer died")
    return True


def again(entry: Entry) -> Release:
    """Return a release of the journal, as it was."""
    used = entry.services["backend"]["secrets"]
    secrets = {secret["target"]: secret["source"] for secret in used}
    return Release(entry.deploy_id, entry.version, entry.commit, entry.images, secrets)


def unlock(environment: Environment) -> None:
    """Take the lock away from whoever has it, once nobody deploys any more."""
    swarm = connected(environment)
    lock = current(swarm, environment.stack)
    if lock is not None and not is_stale(swarm, environment.stack):
        raise InputError(
            f"{environment.stack} is locked by {described(lock)}, who lives",
            hint="stop that process; a minute later the lock is stale",
        )
    unlock_now(swarm, environment.stack)
    say("the lock is free")
