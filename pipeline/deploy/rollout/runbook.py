"""The steps of a deployment in order, and the rollback when one fails.

A fault before the roll stops the deployment; users never saw the release. A fault during the roll
or later rolls the whole previous release back by digest, and verifies it like a new one.
"""

import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from pipeline.config import load
from pipeline.deploy.cluster.client import service_variable
from pipeline.deploy.cluster.convergence import wait_for_convergence
from pipeline.deploy.cluster.retry import POLL_INTERVAL, EngineUnavailableError
from pipeline.deploy.cluster.stackfile import PREVIEW_SUFFIX, stack_file
from pipeline.deploy.progress import log, timed_step
from pipeline.deploy.rollout.assets import PUBLISHING
from pipeline.deploy.rollout.context import Deployment
from pipeline.deploy.rollout.migration import back_up_database, migrate_database
from pipeline.deploy.rollout.steps import (
    bake,
    deploy_preview,
    final_smoke_test,
    publish_assets,
    roll_service,
    self_check,
    stop_preview,
    verify_release,
)
from pipeline.deploy.signals import ignore_signals
from pipeline.deploy.state import journal
from pipeline.deploy.state.journal import DeploymentRecord
from pipeline.errors import (
    CheckFailedError,
    DeployAbortedError,
    DeployInterruptedError,
    MigrationError,
    NoRollbackError,
    PipelineError,
    RollbackFailedError,
    RolledBackError,
)

_Step = tuple[str, Callable[[Deployment], None]]


def run_deployment(deployment: Deployment, entry: DeploymentRecord) -> None:
    """Run all steps; on a fault, roll back and record the outcome in the journal.

    Args:
        deployment: The release and its environment.
        entry: Its record for the journal.

    Raises:
        DeployAbortedError: A step before the roll failed; users saw nothing.
        MigrationError: The migration failed; the running release was not changed.
        RolledBackError: A later step failed; the previous release serves again.
        RollbackFailedError: The rollback failed too; an operator must act.
        LostLockError: Another deployer holds the lock; nothing more was changed.
    """
    swarm, stack = deployment.swarm, deployment.stack
    journal.record_start(swarm, stack, entry)
    try:
        for name, step in _deployment_steps(migrate=deployment.migrates):
            deployment.lock.require_held()
            timed_step(name, partial(step, deployment))
        deployment.lock.require_held()
    except (Exception, KeyboardInterrupt) as fault:  # noqa: BLE001 - also roll back after a bug of our own
        # An unreachable engine must not prevent the rollback; a lock that was taken over must.
        with suppress(EngineUnavailableError):
            deployment.lock.require_held()
        error = _undo(deployment, fault)
        remove_preview(deployment)
        journal.record_end(swarm, stack, entry, error.outcome, _describe_error(fault))
        raise error from None
    remove_preview(deployment)
    journal.record_end(swarm, stack, entry, journal.SUCCEEDED, deployment.note)


def _deployment_steps(*, migrate: bool) -> Iterator[_Step]:
    """Yield the steps of a deployment in order, each with its name."""
    yield "self-check", self_check
    if migrate:
        yield "dump", back_up_database
        yield "migrate", migrate_database
    yield "assets", publish_assets
    yield "preview", deploy_preview
    if migrate:  # a rollback skips this step: its release was tested before, and it is urgent
        yield "stop", stop_preview
    for name in load().app.rollout_order:
        yield f"roll {name}", partial(roll_service, name=name)
    yield "bake", bake
    yield "smoke", final_smoke_test


def _undo(deployment: Deployment, fault: BaseException) -> DeployAbortedError:
    """Roll back the services that were rolled, and return the error to raise."""
    if isinstance(fault, MigrationError):
        return fault
    interrupted, why = isinstance(fault, KeyboardInterrupt), _describe_error(fault)
    if not deployment.rolled_services:
        kind = DeployInterruptedError if interrupted else DeployAbortedError
        return kind(f"{why}\nthe running release was not changed", hint=_hint_for(fault))
    try:
        with ignore_signals():
            timed_step("rollback", partial(restore_previous, deployment))
    except NoRollbackError as error:
        return NoRollbackError(f"{why}\n{error}", hint=error.hint)
    except Exception as error:  # noqa: BLE001 - any error here needs an operator
        hint = f"act immediately: {_hint_for(error)}; invoke status; then invoke rollback --to=…"
        return RollbackFailedError(
            f"{why}\nand the rollback failed: {_describe_error(error)}", hint=hint
        )
    kind = DeployInterruptedError if interrupted else RolledBackError
    return kind(f"{why}\nthe previous release serves again", hint=_hint_for(fault))


def restore_previous(deployment: Deployment) -> None:
    """Roll the previous release back, and verify it.

    Raises:
        RollbackFailedError: There is no previous release, or it does not serve.
        NoRollbackError: The previous release did not serve before the roll.
    """
    before = deployment.previous
    if before is None:
        remove_first_release(deployment)
        raise RollbackFailedError(
            "there is no previous release", hint="deploy a release that works"
        )
    if deployment.health.is_outage:
        raise NoRollbackError(
            f"{before.version} did not serve before: {deployment.health}",
            hint="invoke rollback --to=… with a release that served, or deploy another one",
        )
    for name in reversed(load().app.rollout_order):
        if name in deployment.rolled_services:
            services = {name: before.services[name]}
            deployment.swarm.deploy(deployment.stack, stack_file(deployment.stack, services))
            wanted = deployment.expected_state(name, before.services[name])
            ran = deployment.health.running.get(name, wanted.replicas)
            wanted = replace(wanted, min_replicas=ran if ran < wanted.replicas else 0)
            wait_for_convergence(
                deployment.swarm, wanted, deployment.environment.rollout_timeout, again=True
            )
    _verify_until_healthy(deployment, before.version)


def _verify_until_healthy(deployment: Deployment, version: str) -> None:
    """Verify the rolled-back release; retry, because PostgreSQL or Redis may need time to return.

    Raises:
        CheckFailedError: It still fails after the start timeout.
    """
    end = time.monotonic() + deployment.environment.timings.start_timeout
    while True:
        try:
            return verify_release(deployment, version, {})
        except CheckFailedError as error:
            if time.monotonic() > end:
                raise
            log(f"{error}; trying again")
            time.sleep(POLL_INTERVAL)


def remove_first_release(deployment: Deployment) -> None:
    """Remove a release that has no predecessor in the journal.

    If the journal was lost, a service may have run before. Then the engine rolls it back to its own
    previous spec: not verified, but better than no service.
    """
    swarm = deployment.swarm
    for service in (f"{deployment.stack}_{name}" for name in reversed(load().app.rollout_order)):
        found = swarm.service(service)
        ours = found and service_variable(found, "DEPLOY_ID") == deployment.release.deploy_id
        if ours and swarm.run("service", "rollback", "--detach", "--quiet", service).returncode:
            swarm.remove_services(service)


def remove_preview(deployment: Deployment) -> None:
    """Remove the preview services and the job that publishes assets, in any state."""
    previews = [f"{deployment.stack}_{name}{PREVIEW_SUFFIX}" for name in deployment.services]
    deployment.swarm.remove_services(*previews, f"{deployment.stack}-{PUBLISHING}")


def _describe_error(fault: BaseException) -> str:
    """Return the message of an error; for a bug of our own, also its place."""
    if isinstance(fault, KeyboardInterrupt):
        return "interrupted"
    if isinstance(fault, PipelineError):
        return str(fault)
    place = traceback.extract_tb(fault.__traceback__)[-1]
    where = f"{Path(place.filename).name}:{place.lineno}"
    return f"the deployer itself failed at {where}: {type(fault).__name__}: {fault}"


def _hint_for(fault: BaseException) -> str:
    return fault.hint if isinstance(fault, PipelineError) else "deploy again when you are ready"
