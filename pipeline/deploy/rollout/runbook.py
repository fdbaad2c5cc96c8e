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

from pipeline.deploy.cluster.client import variable_of
from pipeline.deploy.cluster.convergence import watch
from pipeline.deploy.cluster.retry import POLL_SECONDS, EngineAwayError
from pipeline.deploy.cluster.stackfile import NEXT, document
from pipeline.deploy.progress import say, timed
from pipeline.deploy.rollout.assets import PUBLISHING
from pipeline.deploy.rollout.context import ORDER, Deployment
from pipeline.deploy.rollout.migration import bring_forward, save_data
from pipeline.deploy.rollout.steps import (
    bake,
    last_walk,
    prove,
    publish_assets,
    roll,
    self_check,
    show_preview,
    stop_preview,
)
from pipeline.deploy.signals import uninterrupted
from pipeline.deploy.state import journal
from pipeline.deploy.state.journal import Entry
from pipeline.errors import (
    CheckFailedError,
    InterruptedDeployError,
    MigrationError,
    NoWayBackError,
    PipelineError,
    RollbackFailedError,
    RolledBackError,
    StoppedError,
)

Step = tuple[str, Callable[[Deployment], None]]


def deploy(deployment: Deployment, entry: Entry) -> None:
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
    journal.begin(swarm, stack, entry)
    try:
        for name, step in steps(migrate=deployment.migrates):
            deployment.lock.require()
            timed(name, partial(step, deployment))
        deployment.lock.require()
    except (Exception, KeyboardInterrupt) as fault:  # noqa: BLE001 - users come before our bugs
        with suppress(EngineAwayError):  # whether it is ours decides nothing that it could do
            deployment.lock.require()
        error = undone(deployment, fault)
        clear(deployment)
        journal.end(swarm, stack, entry, error.outcome, why_of(fault))
        raise error from None
    clear(deployment)
    journal.end(swarm, stack, entry, journal.GOOD, deployment.note)


def steps(*, migrate: bool) -> Iterator[Step]:
    """Return the steps of a deployment in their order."""
    yield "self-check", self_check
    if migrate:
        yield "dump", save_data
        yield "migrate", bring_forward
    yield "assets", publish_assets
    yield "preview", show_preview
    if migrate:  # what has served before has proved that it stops, and may be wanted at once
        yield "stop", stop_preview
    for name in ORDER:
        yield f"roll {name}", partial(roll, name=name)
    yield "bake", bake
    yield "smoke", last_walk


def undone(deployment: Deployment, fault: BaseException) -> StoppedError:
    """Put back what users may have seen of a release, and return how it ended."""
    if isinstance(fault, MigrationError):
        return fault
    interrupted, why = isinstance(fault, KeyboardInterrupt), why_of(fault)
    if not deployment.touched:
        kind = InterruptedDeployError if interrupted else StoppedError
        return kind(f"{why}\nnothing that serves was touched", hint=hint_of(fault))
    try:
        with uninterrupted():
            timed("put back", partial(put_back, deployment))
    except NoWayBackError as error:
        return NoWayBackError(f"{why}\n{error}", hint=error.hint)
    except Exception as error:  # noqa: BLE001 - whatever it is, somebody has to look
        hint = f"look at once: {hint_of(error)}; invoke status; then invoke rollback --to=…"
        return RollbackFailedError(f"{why}\nand going back failed: {why_of(error)}", hint=hint)
    kind = InterruptedDeployError if interrupted else RolledBackError
    return kind(f"{why}\nthe release before serves again", hint=hint_of(fault))


def put_back(deployment: Deployment) -> None:
    """Have the release before serve again, and prove it.

    Raises:
        RollbackFailedError: There is none, or it did not serve either.
    """
    before = deployment.before
    if before is None:
        withdraw(deployment)
        raise RollbackFailedError("there is no release before", hint="deploy one that works")
    if deployment.health.is_outage:
        raise NoWayBackError(
            f"{before.version} did not serve before: {deployment.health}",
            hint="invoke rollback --to=… with a release that served, or deploy another one",
        )
    for name in reversed(ORDER):
        if name in deployment.touched:
            services = {name: before.services[name]}
            deployment.swarm.deploy(deployment.stack, document(deployment.stack, services))
            wanted = deployment.wanted(name, before.services[name])
            ran = deployment.health.running.get(name, wanted.replicas)
            wanted = replace(wanted, least=ran if ran < wanted.replicas else 0)
            watch(deployment.swarm, wanted, deployment.environment.deadline, again=True)
    prove_in_time(deployment, before.version)


def prove_in_time(deployment: Deployment, version: str) -> None:
    """Prove what was put back, again and again: what it stands on may come back after it.

    Raises:
        CheckFailedError: It is broken still, after the time that a service has to start.
    """
    end = time.monotonic() + deployment.environment.timings.start
    while True:
        try:
            return prove(deployment, version, {})
        except CheckFailedError as error:
            if time.monotonic() > end:
                raise
            say(f"{error}; trying again")
            time.sleep(POLL_SECONDS)


def withdraw(deployment: Deployment) -> None:
    """Take a release away that has none before it in the journal.

    A service that ran before all the same, since the journal was lost, goes back to what the
    engine itself remembers: that is unproved, and better than nothing.
    """
    swarm = deployment.swarm
    for service in (f"{deployment.stack}_{name}" for name in reversed(ORDER)):
        found = swarm.service(service)
        ours = found and variable_of(found, "DEPLOY_ID") == deployment.release.deploy_id
        if ours and swarm.ask("service", "rollback", "--detach", "--quiet", service).returncode:
            swarm.remove(service)


def clear(deployment: Deployment) -> None:
    """Take the preview away, and what lays files, whatever became of them."""
    previews = [f"{deployment.stack}_{name}{NEXT}" for name in deployment.services]
    deployment.swarm.remove(*previews, f"{deployment.stack}-{PUBLISHING}")


def why_of(fault: BaseException) -> str:
    """Return what went wrong, and of a fault of our own also where."""
    if isinstance(fault, KeyboardInterrupt):
        return "interrupted"
    if isinstance(fault, PipelineError):
        return str(fault)
    place = traceback.extract_tb(fault.__traceback__)[-1]
    where = f"{Path(place.filename).name}:{place.lineno}"
    return f"the deployer itself failed at {where}: {type(fault).__name__}: {fault}"


def hint_of(fault: BaseException) -> str:
    """Return what a fault says is to be done."""
    return fault.hint if isinstance(fault, PipelineError) else "deploy again when you are ready"
