"""What people ask of an environment: deploy, and go back."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from os import environ

from pipeline.deploy.cluster.client import Swarm
from pipeline.deploy.cluster.stackfile import document, new_id, render, renewed
from pipeline.deploy.commands.maintenance import insider
from pipeline.deploy.commands.recover import again, settle
from pipeline.deploy.commands.status import drift
from pipeline.deploy.confirmation import NONE, Consent, agree
from pipeline.deploy.database import require_address
from pipeline.deploy.environment_secrets import credentials
from pipeline.deploy.progress import say, timed
from pipeline.deploy.rollout import runbook
from pipeline.deploy.rollout.candidate import Candidate, entry_of, release_of, resolve_candidate
from pipeline.deploy.rollout.cleanup import clean_up
from pipeline.deploy.rollout.context import Deployment
from pipeline.deploy.rollout.health import health
from pipeline.deploy.rollout.infrastructure import bring_app_secrets, lay
from pipeline.deploy.rollout.notify import announced
from pipeline.deploy.rollout.schema_compatibility import require_way_back
from pipeline.deploy.rollout.signatures import trust, versions, vouch
from pipeline.deploy.signals import interruptible
from pipeline.deploy.state import journal
from pipeline.deploy.state.deploy_lock import Lock, locked
from pipeline.deploy.state.journal import Entry
from pipeline.deploy.target import connected
from pipeline.environments import Environment
from pipeline.errors import InputError, NoWayBackError, RolledBackError
from pipeline.git import is_ancestor
from pipeline.github.actions import set_output
from pipeline.images.commands.cosign import Signer
from pipeline.images.registry_login import login
from pipeline.images.signing import tag_digests

DEPLOY, ROLLBACK = "deploy", "rollback"


def deploy(
    environment: Environment,
    signer: Signer,
    release: str | None,
    *,
    dry: bool = False,
    consent: Consent = NONE,
) -> None:
    """Deploy a release to an environment.

    Args:
        environment: Where to.
        signer: Who has to have signed its images.
        release: A version tag or a commit; the commit that is checked out, if not given.
        dry: Whether to only print what the engine would be told.
        consent: What a person has agreed to already.

    Raises:
        InputError: Something is missing or wrong; nothing was touched.
        UntrustedError: An image is not what was signed; nothing was touched.
        StoppedError: The deployment did not go well; its exit code says how it ended.
    """
    values = credentials(environment, environ)
    if environment.dump:
        require_address(values)
    swarm = connected(environment)
    login()
    found = resolve_candidate(environment, release)
    live = journal.good(journal.entries(swarm, environment.stack))
    timed("verify", partial(trust, environment, found, signer, live))
    new = release_of(environment, found, values)
    services = render(environment, new)
    if dry:
        print(document(environment.stack, services))
        return
    agree(environment, f"deploy {found.version} to {environment.name}", yes=consent.yes)
    set_output("url", environment.url)
    tag_digests(versions(found))
    with interruptible(), locked(swarm, environment.stack, f"deploy {found.version}") as lock:
        settle(environment, lock, values, forward=True)
        known = journal.entries(swarm, environment.stack)
        before, headers = journal.good(known), insider(swarm, environment, values)
        deployment = Deployment(environment, swarm, new, services, before, values, lock, headers)
        deployment.log_out = consent.log_out
        if before and is_live(deployment, before):
            say(f"{found.version} is live already, since {before.ended}")
            vouch(environment, found, signer)  # whoever deployed it may have died before that
            return
        kind = kind_of(found, before, asked=release is not None)
        deployment.migrates = kind == DEPLOY
        if before and not is_ancestor(before.commit, found.commit):
            bring_app_secrets(swarm, environment, services, values)
            outage = partial(is_outage, swarm, environment, before, values)
            require_way_back(swarm, environment, known, services, outage)
        with announced(environment, values, kind, found.version):
            timed("foundation", partial(prepare, deployment))
            restores = journal.number_of(known, found.version) if kind == ROLLBACK else 0
            entry = entry_of(new, services, known, kind, restores)
            rolled(deployment, entry)
            vouch(environment, found, signer)
    say(f"{found.version} serves at {environment.url}")
    clean_up(swarm, environment)


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
    if before is None or before.commit == found.commit:
        return DEPLOY
    if not is_ancestor(found.commit, before.commit):
        return DEPLOY
    if not asked:
        raise InputError(
            f"{before.version}, which is live, is newer than {found.version}",
            hint=f"git pull; or go back on purpose: --release={found.version}",
        )
    say(f"{found.version} is older than {before.version}, which is live: this is a rollback")
    return ROLLBACK


def prepare(deployment: Deployment) -> None:
    """Lay what a release stands on: network, edge, data, secrets."""
    swarm, environment, values = deployment.swarm, deployment.environment, deployment.credentials
    lay(swarm, environment, deployment.release.images, values)
    bring_app_secrets(swarm, environment, deployment.services, values)


def rollback(
    environment: Environment,
    to: str | None,
    *,
    dry: bool = False,
    consent: Consent = NONE,
) -> None:
    """Put a release of the journal back; the one before the live one, if none is named.

    No signature is asked for: the journal names digests, which were verified before they served and
    stay what they are, and a way out of an outage must not depend on Cosign. Whether a key is
    still to be trusted is not asked here: `deploy --release=…` of that release asks.

    Args:
        environment: Where.
        to: The version or number of a good release.
        dry: Whether to only print what the engine would be told.
        consent: What a person has agreed to already.

    Raises:
        InputError: There is no such release, or no way back to it.
        StoppedError: It did not go well; its exit code says how it ended.
    """
    values = credentials(environment, environ)
    swarm = connected(environment)
    if dry:
        known = journal.entries(swarm, environment.stack)
        print(document(environment.stack, journal.earlier(known, to).services))
        return
    with interruptible(), locked(swarm, environment.stack, "rollback") as lock:
        settle(environment, lock, values, forward=True)
        known = journal.entries(swarm, environment.stack)
        target, live = journal.earlier(known, to), journal.good(known)
        bring_app_secrets(swarm, environment, target.services, values)
        outage = partial(is_outage, swarm, environment, live, values)
        require_way_back(swarm, environment, known, target.services, outage)
        agree(environment, f"put {target.version} back on {environment.name}", yes=consent.yes)
        with announced(environment, values, ROLLBACK, target.version):
            put_again(environment, lock, target, values, consent)
    say(f"{target.version} serves at {environment.url} again")


def put_again(
    environment: Environment,
    lock: Lock,
    target: Entry,
    values: Mapping[str, str],
    consent: Consent = NONE,
) -> None:
    """Make an earlier release the one that serves."""
    swarm = lock.swarm
    known = journal.entries(swarm, environment.stack)
    old = replace(again(target), deploy_id=new_id())
    services = renewed(target.services, old.deploy_id)
    before, headers = journal.good(known), insider(swarm, environment, values)
    deployment = Deployment(environment, swarm, old, services, before, values, lock, headers)
    deployment.log_out, deployment.migrates = consent.log_out, False
    entry = entry_of(old, services, known, ROLLBACK, journal.origin(target))
    rolled(deployment, entry)


def rolled(deployment: Deployment, entry: Entry) -> None:
    """Roll a release out; where it fails in an outage, put the last one back that served.

    Raises:
        StoppedError: It did not go well; its exit code says how it ended.
    """
    try:
        runbook.deploy(deployment, entry)
    except NoWayBackError as error:
        environment, values = deployment.environment, deployment.credentials
        known = journal.entries(deployment.swarm, environment.stack)
        live, spare = journal.good(known), journal.spare(known, entry.images)
        if live is None or spare is None:
            raise
        say(f"{error}; putting {spare.version} back, which served before it")
        bring_app_secrets(deployment.swarm, environment, spare.services, values)
        require_way_back(deployment.swarm, environment, known, spare.services, lambda: True)
        put_again(environment, deployment.lock, spare, values)
        serves = f"{spare.version} serves instead"
        raise RolledBackError(f"{error}\n{serves}", hint=error.hint) from None


def is_outage(
    swarm: Swarm, environment: Environment, live: Entry | None, values: Mapping[str, str]
) -> bool:
    """Say whether what is live serves no user."""
    headers = insider(swarm, environment, values)
    return live is None or health(swarm, environment, live, headers, values).is_outage


def is_live(deployment: Deployment, before: Entry) -> bool:
    """Say whether just this is what serves: to tell the engine again would only blur its memory."""
    swarm, environment = deployment.swarm, deployment.environment
    same = renewed(deployment.services, before.deploy_id) == before.services
    if not same or list(drift(swarm, environment, before)):
        return False
    return not health(swarm, environment, before, deployment.headers, deployment.credentials).fault
