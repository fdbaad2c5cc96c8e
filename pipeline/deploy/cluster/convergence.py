"""Know for sure what became of a service: from its specification and its tasks, never by hope.

The engine has no deadline of its own, and its state can lie: after a rollback it may say
`completed` with the old release in place. What decides is which image and which deployment the
service is meant to run, and that every task of it does.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from pipeline.deploy.cluster import start_failures
from pipeline.deploy.cluster.client import JSONObject, SwarmClient, service_image, service_variable
from pipeline.deploy.cluster.failure_causes import Cause
from pipeline.deploy.cluster.retry import (
    POLL_INTERVAL,
    EngineUnavailableError,
    retry_while_unavailable,
)
from pipeline.deploy.progress import log
from pipeline.errors import CheckFailedError

FAILED_STATES = {"failed", "rejected", "orphaned"}
NOTICE_SECONDS = 15
"""After that time it is said why no node has begun with a replica; the wait goes on."""
GONE = "it is gone"
PAUSED_STATES = {"paused", "rollback_paused"}


@dataclass(frozen=True)
class ExpectedState:
    """What a service has to come to."""

    service: str
    image: str
    deploy_id: str
    replicas: int
    min_replicas: int = 0
    """How many replicas will do, of a release that lacked some before."""


class NotConvergedError(CheckFailedError):
    """A service did not come to what was wanted."""


def find_failure(
    wanted: ExpectedState, service: JSONObject | None, tasks: Sequence[JSONObject]
) -> str | None:
    """Say what has gone wrong for good, if anything has.

    Args:
        wanted: What the service has to come to.
        service: The service as the engine has it.
        tasks: Its tasks.
    """
    if service is None:
        return GONE
    if (
        service_image(service) != wanted.image
        or service_variable(service, "DEPLOY_ID") != wanted.deploy_id
    ):
        return "the engine put the release before it back"
    state = (service.get("UpdateStatus") or {}).get("State", "")
    if state in PAUSED_STATES or state.startswith("rollback"):
        return f"the engine stopped: {state}"
    return next(
        (describe_task(task) for task in tasks_of_deployment(wanted, tasks) if has_failed(task)),
        None,
    )


def has_converged(wanted: ExpectedState, service: JSONObject, tasks: Sequence[JSONObject]) -> bool:
    """Say whether all replicas run, none of them another image, and the engine is done."""
    state = (service.get("UpdateStatus") or {}).get("State", "completed")
    meant = [task for task in tasks if task["DesiredState"] == "running"]
    mine = tasks_of_deployment(wanted, meant)
    running = [task for task in mine if task["Status"]["State"] == "running"]
    if wanted.min_replicas:
        return len(running) >= wanted.min_replicas
    return state == "completed" and len(running) == len(meant) == wanted.replicas


def tasks_of_deployment(wanted: ExpectedState, tasks: Sequence[JSONObject]) -> list[JSONObject]:
    """Return the tasks that belong to this deployment."""
    return [
        task
        for task in tasks
        if f"DEPLOY_ID={wanted.deploy_id}" in (task["Spec"]["ContainerSpec"].get("Env") or [])
    ]


def has_failed(task: JSONObject) -> bool:
    """Say whether a task ended that should run: a restart that recovered is a fault as well."""
    return task["Status"]["State"] in FAILED_STATES or (
        task["Status"]["State"] == "complete" and task["DesiredState"] == "shutdown"
    )


def describe_task(task: JSONObject) -> str:
    """Say what became of a task."""
    status = task["Status"]
    code = (status.get("ContainerStatus") or {}).get("ExitCode")
    why = status.get("Err") or status.get("Message", "")
    return f"a replica {status['State']}: {why}" + (f" (exit code {code})" if code else "")


def wait_for_convergence(
    swarm: SwarmClient,
    wanted: ExpectedState,
    seconds: float,
    *,
    again: bool = False,
    look: Callable[[], None] = lambda: None,
) -> None:
    """Wait until a service has come to what is wanted.

    Args:
        swarm: Where it is.
        wanted: What it has to come to.
        seconds: How long it may take.
        again: Whether this ran before, so that its old tasks that ended are no fault.
        look: Looks at something else as well, again and again, and raises what it finds wrong.

    Raises:
        NotConvergedError: It went wrong, or took too long.
    """
    notice = time.monotonic() + NOTICE_SECONDS
    for service, tasks in poll(swarm, wanted, seconds):
        if not again and (wrong := find_failure(wanted, service, tasks)):
            raise convergence_cause(swarm, wanted, wrong)
        if service and has_converged(wanted, service, tasks):
            return
        if time.monotonic() > notice and (waiting := unstarted(wanted, tasks)):
            say_why(swarm, wanted.service, waiting)
            notice = math.inf
        look()
    raise convergence_cause(swarm, wanted, f"it did not come up within {seconds:.0f} s")


def watch_stability(
    swarm: SwarmClient,
    wanted: Sequence[ExpectedState],
    seconds: float,
    *,
    look: Callable[[], None] = lambda: None,
) -> None:
    """See to it that services stay as they are for a while.

    Args:
        swarm: Where they are.
        wanted: What they have to stay.
        seconds: How long.
        look: Looks at something else as well, as in `wait_for_convergence`.

    Raises:
        NotConvergedError: One did not.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for each in wanted:
            service, tasks = query_service(swarm, each.service, end)
            wrong = find_failure(each, service, tasks)
            if wrong or service is None or not has_converged(each, service, tasks):
                raise convergence_cause(swarm, each, wrong or "a replica is not running any more")
        look()
        time.sleep(POLL_INTERVAL)


def is_running(swarm: SwarmClient, service: str) -> bool:
    """Say whether a service is there, and all that is meant to run of it runs."""
    meant = [task for task in swarm.tasks(service) if task["DesiredState"] == "running"]
    return bool(meant) and all(task["Status"]["State"] == "running" for task in meant)


def wait_until_running(swarm: SwarmClient, service: str, seconds: float) -> None:
    """Wait until every task of a service runs.

    Raises:
        CheckFailedError: They do not in time; what the service said last is part of it.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if is_running(swarm, service):
            return
        time.sleep(POLL_INTERVAL)
    why = is_blocked(swarm, service, swarm.tasks(service))
    raise CheckFailedError(
        f"{service} did not come up within {seconds:.0f} s{why.sentence}\n"
        f"{swarm.tail_logs(service)}",
        hint=why.hint,
    )


def poll(
    swarm: SwarmClient, wanted: ExpectedState, seconds: float
) -> Iterator[tuple[JSONObject | None, list[JSONObject]]]:
    """Look at a service again and again, until the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield query_service(swarm, wanted.service, end)
        time.sleep(POLL_INTERVAL)


def query_service(
    swarm: SwarmClient, name: str, end: float
) -> tuple[JSONObject | None, list[JSONObject]]:
    """Return a service and its tasks; an engine that is away for a moment is asked again.

    Raises:
        EngineAwayError: It is away for longer than there is time.
    """
    return retry_while_unavailable(lambda: (swarm.service(name), swarm.tasks(name)), end)


def convergence_error(swarm: SwarmClient, wanted: ExpectedState, why: str) -> NotConvergedError:
    """Say what a replica said last, and return the fault of its service, to be raised."""
    with suppress(EngineUnavailableError):
        if words := failed_task_logs(swarm, wanted):
            log(f"the last words of {wanted.service}:\n{words}")
    return NotConvergedError(
        f"{wanted.service}: {why}", hint=f"docker service ps --no-trunc {wanted.service}"
    )


def convergence_cause(swarm: SwarmClient, wanted: ExpectedState, why: str) -> NotConvergedError:
    """Do as `convergence_error`, and say what keeps this deployment from running."""
    error = convergence_error(swarm, wanted, why)
    if why == GONE:
        hint = "docker events --since=1h --until=0s --filter=type=service; deploy again"
        return NotConvergedError(str(error), hint=hint)
    with suppress(EngineUnavailableError):
        cause = is_blocked(
            swarm, wanted.service, tasks_of_deployment(wanted, swarm.tasks(wanted.service))
        )
        return NotConvergedError(f"{error}{cause.sentence}", hint=cause.hint)
    return error


def is_blocked(swarm: SwarmClient, service: str, tasks: Sequence[JSONObject]) -> Cause:
    """Return what keeps tasks of a service from running, to be said behind what came of that."""
    hint = f"docker service ps --no-trunc {service}"
    idle = sorted(filter(is_idle, tasks), key=has_failed, reverse=True)
    if not idle:
        return Cause("", hint)
    image, stack = idle[0]["Spec"]["ContainerSpec"]["Image"], service.partition("_")[0]
    if has_failed(idle[0]):  # what became of it is said by then
        known = start_failures.task_cause(swarm, stack, image, idle[0])
        return Cause(f" ({known.sentence})", known.hint) if known else Cause("", hint)
    found = start_failures.start_failure(swarm, stack, image, idle)
    return Cause(f": {found.sentence}", found.hint or hint)


def unstarted(wanted: ExpectedState, tasks: Sequence[JSONObject]) -> list[JSONObject]:
    """Return the tasks of this deployment that should run, and that no node has begun with."""
    mine = [
        task for task in tasks_of_deployment(wanted, tasks) if task["DesiredState"] == "running"
    ]
    return [task for task in mine if task["Status"]["State"] in start_failures.UNSTARTED_STATES]


def say_why(swarm: SwarmClient, service: str, waiting: Sequence[JSONObject]) -> None:
    """Say what replicas wait for, while there is time for the operator to mend it."""
    with suppress(EngineUnavailableError):
        why = is_blocked(swarm, service, waiting)
        log(f"{service} waits{why.sentence}; hint: {why.hint}")


def is_idle(task: JSONObject) -> bool:
    """Say whether a task has not begun that should run, or has ended."""
    waits = (
        task["Status"]["State"]
        in start_failures.UNSTARTED_STATES | start_failures.IN_PROGRESS_STATES
    )
    return has_failed(task) or (waits and task["DesiredState"] == "running")


def failed_task_logs(swarm: SwarmClient, wanted: ExpectedState) -> str:
    """Return what a replica of this deployment said last: of one that ended, if any did."""
    mine = tasks_of_deployment(wanted, swarm.tasks(wanted.service))
    return next(
        (swarm.tail_logs(task["ID"]) for task in sorted(mine, key=has_failed, reverse=True)), ""
    )
