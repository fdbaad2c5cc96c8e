"""What people ask of an environment: deploy, go back, tell."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from os import environ

from pipeline.deploy import flow, journal
from pipeline.deploy.credentials import credentials
from pipeline.deploy.deployment import ORDER, Deployment
from pipeline.deploy.environments import Environment
from pipeline.deploy.flow import clear, put_back
from pipeline.deploy.foundation import lay
from pipeline.deploy.journal import Entry
from pipeline.deploy.lock import current, described, is_stale, locked
from pipeline.deploy.lock import release as unlock_now
from pipeline.deploy.prepare import (
    Candidate,
    candidate,
    entry_of,
    new_id,
    release_of,
    trust,
    versions,
    vouch,
)
from pipeline.deploy.progress import say, timed
from pipeline.deploy.report import drift
from pipeline.deploy.signals import interruptible
from pipeline.deploy.stack import Release, Service, document, render, renewed
from pipeline.deploy.swarm import Swarm
from pipeline.errors import InputError
from pipeline.git import precedes
from pipeline.github import set_output
from pipeline.images.cosign import Signer
from pipeline.images.login import log_in
from pipeline.images.release import give

DEPLOY, ROLLBACK = "deploy", "rollback"


def deploy(
    environment: Environment,
    signer: Signer,
    release: str | None,
    *,
    dry: bool = False,
    yes: bool = False,
) -> None:
    """Deploy a release to an environment.

    Args:
        environment: Where to.
        signer: Who has to have signed its images.
        release: A version tag or a commit; the commit that is checked out, if not given.
        dry: Whether to only print what the engine would be told.
        yes: Whether a person has agreed already.

    Raises:
        InputError: Something is missing or wrong; nothing was touched.
        UntrustedError: An image is not what was signed; nothing was touched.
        StoppedError: The deployment did not go well; its exit code says how it ended.
    """
    swarm = Swarm(environment.host)
    values = credentials(environment, environ)
    swarm.require_manager()
    log_in()
    found = candidate(environment, release)
    trust(environment, found, signer)
    new = release_of(environment, found, values)
    services = render(environment, new)
    if dry:
        print(document(environment.stack, services))
        return
    agree(environment, f"deploy {found.version} to {environment.name}", yes=yes)
    set_output("url", environment.url)
    give(versions(found))
    with interruptible(), locked(swarm, environment.stack, f"deploy {found.version}"):
        settle(environment, swarm, values)
        known = journal.entries(swarm, environment.stack)
        before = journal.good(known)
        if before and is_live(swarm, environment, before, services):
            say(f"{found.version} is live already, since {before.ended}")
            vouch(environment, found, signer)  # whoever deployed it may have died before that
            return
        kind = kind_of(found, before, asked=release is not None)
        timed("foundation", lambda: lay(swarm, environment, found.images, values))
        swarm.ensure_secrets(
            {new.secrets[name]: values[name] for name in new.secrets},
            f"pipeline.stack={environment.stack}",
        )
        deployment = Deployment(environment, swarm, new, services, before, values)
        entry = entry_of(new, services, known, kind)
        flow.deploy(deployment, entry, migrate=kind == DEPLOY)
        vouch(environment, found, signer)
        journal.prune(swarm, environment.stack)
    say(f"{found.version} serves at {environment.url}")


def kind_of(found: Candidate, before: Entry | None, *, asked: bool) -> str:
    """Say whether a candidate goes forward, or back to what is older than what is live.

    Args:
        found: The candidate.
        before: What is live.
        asked: Whether somebody named this release: then going back is what he wants. A run of
            main that waited for a newer one did not.

    Raises:
        InputError: It is older, and nobody asked for it.
    """
    if before is None or not precedes(found.commit, before.commit):
        return DEPLOY
    if not asked:
        raise InputError(
            f"{before.version}, which is live, is newer than {found.version}",
            hint=f"git pull; or go back on purpose: --release={found.version}",
        )
    say(f"{found.version} is older than {before.version}, which is live: this is a rollback")
    return ROLLBACK


def rollback(environment: Environment, to: str | None, *, yes: bool = False) -> None:
    """Put a release of the journal back; the one before the last good one, if none is named.

    Args:
        environment: Where.
        to: The version or number of a good release.
        yes: Whether a person has agreed already.

    Raises:
        InputError: There is no such release.
        StoppedError: It did not go well; its exit code says how it ended.
    """
    swarm = Swarm(environment.host)
    values = credentials(environment, environ)
    swarm.require_manager()
    with interruptible(), locked(swarm, environment.stack, "rollback"):
        settle(environment, swarm, values)
        known = journal.entries(swarm, environment.stack)
        target = journal.earlier(known, to)
        agree(environment, f"put {target.version} back on {environment.name}", yes=yes)
        old = replace(again(target), deploy_id=new_id())
        services = renewed(target.services, old.deploy_id)
        deployment = Deployment(environment, swarm, old, services, journal.good(known), values)
        flow.deploy(deployment, entry_of(old, services, known, ROLLBACK), migrate=False)
    say(f"{target.version} serves at {environment.url} again")


def resume(environment: Environment) -> None:
    """Undo a deployment whose deployer died, so that the journal is true again.

    Raises:
        InputError: There is none.
        RollbackFailedError: The release before it does not come back.
    """
    swarm = Swarm(environment.host)
    values = credentials(environment, environ)
    swarm.require_manager()
    with interruptible(), locked(swarm, environment.stack, "resume"):
        if not settle(environment, swarm, values):
            raise InputError("every deployment has ended", hint="invoke status")


def settle(environment: Environment, swarm: Swarm, values: Mapping[str, str]) -> bool:
    """Put the last good release back, if a deployment after it never ended; say whether one did.

    Raises:
        RollbackFailedError: It does not come back.
    """
    known = journal.entries(swarm, environment.stack)
    waiting, before = journal.unfinished(known), journal.good(known)
    if waiting is None:
        return False
    say(f"the {waiting.kind} of {waiting.version}, begun {waiting.started}, never ended")
    release, services = again(waiting), waiting.services
    touched = list(ORDER)
    left = Deployment(environment, swarm, release, services, before, values, touched)
    clear(left)
    if before:
        timed("put back", lambda: put_back(left))
    else:
        swarm.remove(*(f"{environment.stack}_{name}" for name in services))
    journal.end(swarm, environment.stack, waiting, "abandoned", "its deployer died")
    return True


def again(entry: Entry) -> Release:
    """Return a release of the journal, as it was."""
    used = entry.services["backend"]["secrets"]
    secrets = {secret["target"]: secret["source"] for secret in used}
    return Release(entry.deploy_id, entry.version, entry.commit, entry.images, secrets)


def is_live(
    swarm: Swarm, environment: Environment, before: Entry, services: Mapping[str, Service]
) -> bool:
    """Say whether just this is what runs: to tell the engine again would only blur its memory."""
    same = renewed(services, before.deploy_id) == before.services
    return same and not list(drift(swarm, environment, before))


def unlock(environment: Environment) -> None:
    """Take the lock away from whoever has it, once nobody deploys any more."""
    swarm = Swarm(environment.host)
    swarm.require_manager()
    lock = current(swarm, environment.stack)
    if lock is not None and not is_stale(swarm, environment.stack):
        raise InputError(
            f"{environment.stack} is locked by {described(lock)}, who lives",
            hint="stop that process; a minute later the lock is stale",
        )
    unlock_now(swarm, environment.stack)
    say("the lock is free")


def agree(environment: Environment, what: str, *, yes: bool) -> None:
    """Ask a person, where the environment wants that.

    Raises:
        InputError: Nobody agreed.
    """
    if not environment.confirm or yes:
        return
    if not sys.stdin.isatty() or typed(f"{what}? type {environment.name}: ") != environment.name:
        raise InputError(f"nobody agreed to {what}", hint="type its name when asked, or give --yes")


def typed(question: str) -> str:
    """Ask on the screen; who ends the input has answered nothing."""
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()
