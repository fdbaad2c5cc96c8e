"""Deploys a release to an environment, and rolls back to an earlier one."""

from dataclasses import replace
from functools import partial
from os import environ

from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.cluster.stackfile import (
    new_deploy_id,
    render_services,
    stack_file,
    with_deploy_id,
)
from pipeline.deploy.commands.maintenance import bypass_headers
from pipeline.deploy.commands.recover import release_from_record, undo_unfinished
from pipeline.deploy.commands.status import find_drift
from pipeline.deploy.confirmation import NO_CONSENT, Consent, confirm
from pipeline.deploy.database import require_database_url
from pipeline.deploy.environment_secrets import load_secrets
from pipeline.deploy.progress import log, timed_step
from pipeline.deploy.rollout import runbook
from pipeline.deploy.rollout.candidate import (
    ReleaseCandidate,
    create_release,
    new_record,
    resolve_candidate,
)
from pipeline.deploy.rollout.cleanup import clean_up
from pipeline.deploy.rollout.context import Deployment
from pipeline.deploy.rollout.health import check_health
from pipeline.deploy.rollout.infrastructure import bring_app_secrets, ensure_infrastructure
from pipeline.deploy.rollout.notify import notify_outcome
from pipeline.deploy.rollout.schema_compatibility import require_rollback_compatible
from pipeline.deploy.rollout.signatures import attest_deployment, verify_candidate, version_tags
from pipeline.deploy.signals import raise_on_signal
from pipeline.deploy.state import journal
from pipeline.deploy.state.deploy_lock import Lock, hold_lock
from pipeline.deploy.state.journal import DeploymentRecord
from pipeline.deploy.target import connect
from pipeline.environments import Environment
from pipeline.errors import InputError, NoRollbackError, RolledBackError
from pipeline.git import is_ancestor
from pipeline.github.actions import set_output
from pipeline.images.commands.cosign import Signer
from pipeline.images.registry_login import login
from pipeline.images.signing import tag_digests

_DEPLOY, _ROLLBACK = "deploy", "rollback"


def deploy(
    environment: Environment,
    signer: Signer,
    release: str | None,
    *,
    dry_run: bool = False,
    consent: Consent = NO_CONSENT,
) -> None:
    """Deploy a release to an environment.

    Args:
        environment: The target.
        signer: The required signer of its images.
        release: A version tag or a commit; by default the commit that is checked out.
        dry_run: Print the stack file only.
        consent: Confirmations given on the command line.

    Raises:
        InputError: An input is missing or wrong; nothing was changed.
        VerificationError: An image fails verification; nothing was changed.
        DeployAbortedError: The deployment failed; its class has the exit code.
    """
    values = load_secrets(environment, environ)
    if environment.backup_before_migrate:
        require_database_url(values)
    target = connect(environment, values)
    login()
    found = resolve_candidate(environment, release)
    live = journal.last_successful(journal.entries(target.swarm, environment.stack))
    timed_step("verify", partial(verify_candidate, environment, found, signer, live))
    new = create_release(environment, found, values)
    services = render_services(environment, new)
    if dry_run:
        print(stack_file(environment.stack, services))
        return
    confirm(environment, f"deploy {found.version} to {environment.name}", yes=consent.yes)
    set_output("url", environment.url)
    tag_digests(version_tags(found))
    with (
        raise_on_signal(),
        hold_lock(target.swarm, environment.stack, f"deploy {found.version}") as lock,
    ):
        undo_unfinished(target, lock, forward=True)
        known = journal.entries(target.swarm, target.stack)
        before, headers = journal.last_successful(known), bypass_headers(target)
        deployment = Deployment(target, new, services, before, lock, headers)
        deployment.log_out = consent.log_out
        if before and _is_already_live(deployment, before):
            log(f"{found.version} is already live, since {before.ended}")
            # the deployer of that release may have been killed before this step
            attest_deployment(environment, found, signer)
            return
        kind = deployment_kind(found, before, named=release is not None)
        deployment.migrates = kind == _DEPLOY
        if before and not is_ancestor(before.commit, found.commit):
            bring_app_secrets(target, services)
            outage = partial(_is_outage, target, before)
            require_rollback_compatible(target, known, services, outage)
        with notify_outcome(target, kind, found.version):
            timed_step("foundation", partial(_prepare_infrastructure, deployment))
            restores = journal.number_for_version(known, found.version) if kind == _ROLLBACK else 0
            entry = new_record(new, services, known, kind, restores)
            _roll_out(deployment, entry)
            attest_deployment(environment, found, signer)
    log(f"{found.version} serves at {environment.url}")
    clean_up(target)


def deployment_kind(
    found: ReleaseCandidate, before: DeploymentRecord | None, *, named: bool
) -> str:
    """Return whether a candidate is newer than the live release, or a rollback.

    Args:
        found: The candidate.
        before: The live release.
        named: Whether the command names this release. A run of main that waited in the queue while
            a newer one was deployed does not, and must not roll back.

    Raises:
        InputError: The candidate is older, and the command does not name it.
    """
    if before is None or before.commit == found.commit:
        return _DEPLOY
    if not is_ancestor(found.commit, before.commit):
        return _DEPLOY
    if not named:
        raise InputError(
            f"the live release {before.version} is newer than {found.version}",
            hint=f"git pull; or roll back on purpose: --release={found.version}",
        )
    log(f"{found.version} is older than the live release {before.version}: this is a rollback")
    return _ROLLBACK


def _prepare_infrastructure(deployment: Deployment) -> None:
    """Create the network, the edge, the data services and the secrets of a release."""
    ensure_infrastructure(deployment.target, deployment.release.images)
    bring_app_secrets(deployment.target, deployment.services)


def rollback(
    environment: Environment,
    to: str | None,
    *,
    dry_run: bool = False,
    consent: Consent = NO_CONSENT,
) -> None:
    """Roll back to a release of the journal; by default to the one before the live release.

    Signatures are not verified again: the journal has digests, which were verified before they
    served, and a rollback in an outage must not depend on Cosign. To check whether the key is still
    trusted, use `deploy --release=…` of that release.

    Args:
        environment: The environment.
        to: The version or number of a good release.
        dry_run: Print the stack file only.
        consent: Confirmations given on the command line.

    Raises:
        InputError: There is no such release, or it is incompatible with the database.
        DeployAbortedError: The rollback failed; its class has the exit code.
    """
    values = load_secrets(environment, environ)
    target = connect(environment, values)
    if dry_run:
        known = journal.entries(target.swarm, environment.stack)
        print(stack_file(environment.stack, journal.find_rollback_target(known, to).services))
        return
    with raise_on_signal(), hold_lock(target.swarm, environment.stack, "rollback") as lock:
        undo_unfinished(target, lock, forward=True)
        known = journal.entries(target.swarm, target.stack)
        old, live = journal.find_rollback_target(known, to), journal.last_successful(known)
        bring_app_secrets(target, old.services)
        outage = partial(_is_outage, target, live)
        require_rollback_compatible(target, known, old.services, outage)
        confirm(environment, f"roll {environment.name} back to {old.version}", yes=consent.yes)
        with notify_outcome(target, _ROLLBACK, old.version):
            _redeploy(target, lock, old, consent)
    log(f"{old.version} serves at {environment.url} again")


def _redeploy(
    target: DeployTarget, lock: Lock, old: DeploymentRecord, consent: Consent = NO_CONSENT
) -> None:
    """Deploy the services of an earlier release under a new deploy id."""
    known = journal.entries(target.swarm, target.stack)
    release = replace(release_from_record(old), deploy_id=new_deploy_id())
    services = with_deploy_id(old.services, release.deploy_id)
    before, headers = journal.last_successful(known), bypass_headers(target)
    deployment = Deployment(target, release, services, before, lock, headers)
    deployment.log_out, deployment.migrates = consent.log_out, False
    entry = new_record(release, services, known, _ROLLBACK, journal.original_number(old))
    _roll_out(deployment, entry)


def _roll_out(deployment: Deployment, entry: DeploymentRecord) -> None:
    """Run a deployment; if it fails in an outage, deploy the last release that served.

    Raises:
        DeployAbortedError: The deployment failed; its class has the exit code.
    """
    try:
        runbook.run_deployment(deployment, entry)
    except NoRollbackError as error:
        target = deployment.target
        known = journal.entries(target.swarm, target.stack)
        live, spare = journal.last_successful(known), journal.fallback_release(known, entry.images)
        if live is None or spare is None:
            raise
        log(f"{error}; rolling back to {spare.version}, which served before")
        bring_app_secrets(target, spare.services)
        require_rollback_compatible(target, known, spare.services, lambda: True)
        _redeploy(target, deployment.lock, spare)
        serves = f"{spare.version} serves instead"
        raise RolledBackError(f"{error}\n{serves}", hint=error.hint) from None


def _is_outage(target: DeployTarget, live: DeploymentRecord | None) -> bool:
    """Return whether users cannot reach the live release."""
    headers = bypass_headers(target)
    return live is None or check_health(target, live, headers).is_outage


def _is_already_live(deployment: Deployment, before: DeploymentRecord) -> bool:
    """Return whether exactly these services run.

    Deploying them again would overwrite the previous spec that the engine keeps for its rollback.
    """
    same = with_deploy_id(deployment.services, before.deploy_id) == before.services
    if not same or list(find_drift(deployment.target, before)):
        return False
    return not check_health(deployment.target, before, deployment.headers).fault
