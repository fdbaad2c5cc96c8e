"""Deploy a release, or put one back: a runbook in code.

What is found wrong before the roll touches no user. What is found wrong later puts the whole
release before it back, by digest, and proves that as it would prove a new one.
"""

import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from pipeline.deploy.cluster.client import service_variable
from pipeline.deploy.cluster.convergence import wait_for_convergence
from pipeline.deploy.cluster.retry import POLL_INTERVAL, EngineUnavailableError
from pipeline.deploy.cluster.stackfile import PREVIEW_SUFFIX, stack_file
from pipeline.deploy.progress import log, timed_step
from pipeline.deploy.rollout.assets import PUBLISHING
from pipeline.deploy.rollout.context import ROLLOUT_ORDER, Deployment
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

Step = tuple[str, Callable[[Deployment], None]]


def run_deployment(deployment: Deployment, entry: DeploymentRecord) -> None:
    """Make a release the one that serves, or leave the one that did.

    Args:
        deployment: What and where.
        entry: What the journal is to say of it.

    Raises:
        StoppedError: A fault was found before any user could see it.
        MigrationError: The database refused; nothing else was touched.
        RolledBackError: A fault was found later; the release before serves again.
        RollbackFailedError: And that could not be put back: somebody has to look at once.
        LostLockError: Somebody else deploys here by now, and nothing more was touched.
    """
    swarm, stack = deployment.swarm, deployment.stack
    journal.record_start(swarm, stack, entry)
    try:
        for name, step in deployment_steps(migrate=deployment.migrates):
            deployment.lock.require_held()
            timed_step(name, partial(step, deployment))
        deployment.lock.require_held()
    except (Exception, KeyboardInterrupt) as fault:  # noqa: BLE001 - users come before our bugs
        # whether it is ours decides nothing that it could do
        with suppress(EngineUnavailableError):
            deployment.lock.require_held()
        error = undo(deployment, fault)
        remove_preview(deployment)
        journal.record_end(swarm, stack, entry, error.outcome, describe_error(fault))
        raise error from None
    remove_preview(deployment)
    journal.record_end(swarm, stack, entry, journal.SUCCEEDED, deployment.note)


def deployment_steps(*, migrate: bool) -> Iterator[Step]:
    """Return the steps of a deployment in their order."""
    yield "self-check", self_check
    if migrate:
        yield "dump", back_up_database
        yield "migrate", migrate_database
    yield "assets", publish_assets
    yield "preview", deploy_preview
    if migrate:  # what has served before has proved that it stops, and may be wanted at once
        yield "stop", stop_preview
    for name in ROLLOUT_ORDER:
        yield f"roll {name}", partial(roll_service, name=name)
    yield "bake", bake
    yield "smoke", final_smoke_test


def undo(deployment: Deployment, fault: BaseException) -> DeployAbortedError:
    """Put back what users may have seen of a release, and return how it ended."""
    if isinstance(fault, MigrationError):
        return fault
    interrupted, why = isinstance(fault, KeyboardInterrupt), describe_error(fault)
    if not deployment.rolled_services:
        kind = DeployInterruptedError if interrupted else DeployAbortedError
        return kind(f"{why}\nnothing that serves was touched", hint=hint_for(fault))
    try:
        with ignore_signals():
            timed_step("put back", partial(restore_previous, deployment))
    except NoRollbackError as error:
        return NoRollbackError(f"{why}\n{error}", hint=error.hint)
    except Exception as error:  # noqa: BLE001 - whatever it is, somebody has to look
        hint = f"look at once: {hint_for(error)}; invoke status; then invoke rollback --to=…"
        return RollbackFailedError(
            f"{why}\nand going back failed: {describe_error(error)}", hint=hint
        )
    kind = DeployInterruptedError if interrupted else RolledBackError
    return kind(f"{why}\nthe release before serves again", hint=hint_for(fault))


def restore_previous(deployment: Deployment) -> None:
    """Have the release before serve again, and prove it.

    Raises:
        RollbackFailedError: There is none, or it did not serve either.
    """
    before = deployment.previous
    if before is None:
        remove_first_release(deployment)
        raise RollbackFailedError("there is no release before", hint="deploy one that works")
    if deployment.health.is_outage:
        raise NoRollbackError(
            f"{before.version} did not serve before: {deployment.health}",
            hint="invoke rollback --to=… with a release that served, or deploy another one",
        )
    for name in reversed(ROLLOUT_ORDER):
        if name in deployment.rolled_services:
            services = {name: before.services[name]}
            deployment.swarm.deploy(deployment.stack, stack_file(deployment.stack, services))
            wanted = deployment.expected_state(name, before.services[name])
            ran = deployment.health.running.get(name, wanted.replicas)
            wanted = replace(wanted, min_replicas=ran if ran < wanted.replicas else 0)
            wait_for_convergence(
                deployment.swarm, wanted, deployment.environment.rollout_timeout, again=True
            )
    verify_until_healthy(deployment, before.version)


def verify_until_healthy(deployment: Deployment, version: str) -> None:
    """Prove what was put back, again and again: what it stands on may come back after it.

    Raises:
        CheckFailedError: It is broken still, after the time that a service has to start.
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
    """Take a release away that has none before it in the journal.

    A service that ran before all the same, since the journal was lost, goes back to what the
    engine itself remembers: that is unproved, and better than nothing.
    """
    swarm = deployment.swarm
    for service in (f"{deployment.stack}_{name}" for name in reversed(ROLLOUT_ORDER)):
        found = swarm.service(service)
        ours = found and service_variable(found, "DEPLOY_ID") == deployment.release.deploy_id
        if ours and swarm.run("service", "rollback", "--detach", "--quiet", service).returncode:
            swarm.remove_services(service)


def remove_preview(deployment: Deployment) -> None:
    """Take the preview away, and what lays files, whatever became of them."""
    previews = [f"{deployment.stack}_{name}{PREVIEW_SUFFIX}" for name in deployment.services]
    deployment.swarm.remove_services(*previews, f"{deployment.stack}-{PUBLISHING}")


def describe_error(fault: BaseException) -> str:
    """Return what went wrong, and of a fault of our own also where."""
    if isinstance(fault, KeyboardInterrupt):
        return "interrupted"
    if isinstance(fault, PipelineError):
        return str(fault)
    place = traceback.extract_tb(fault.__traceback__)[-1]
    where = f"{Path(place.filename).name}:{place.lineno}"
    return f"the deployer itself failed at {where}: {type(fault).__name__}: {fault}"


def hint_for(fault: BaseException) -> str:
    """Return what a fault says is to be done."""
    return fault.hint if isinstance(fault, PipelineError) else "deploy again when you are ready"
