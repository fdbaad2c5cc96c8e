"""Decides from the spec and the tasks of a service whether it converged.

The engine has no deadline, and its update state is not reliable: after a rollback it can be
`completed` with the old release. So the image and the deploy id of the spec must be the expected
ones, and every task must run them.
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

_FAILED_STATES = {"failed", "rejected", "orphaned"}
_NOTICE_SECONDS = 15
"""After that time the log names the reason why no node started a replica; the wait goes on."""
_GONE = "the service was removed"
_PAUSED_STATES = {"paused", "rollback_paused"}


@dataclass(frozen=True)
class ExpectedState:
    """The state in which a service has converged."""

    service: str
    image: str
    deploy_id: str
    replicas: int
    min_replicas: int = 0
    """Sufficient number of replicas, for a release that already lacked some; 0 for all."""


class NotConvergedError(CheckFailedError):
    """A service did not reach the expected state."""


def find_failure(
    wanted: ExpectedState, service: JSONObject | None, tasks: Sequence[JSONObject]
) -> str | None:
    """Return a fault that waiting does not fix; None without one.

    Args:
        wanted: The expected state.
        service: The service of the engine.
        tasks: Its tasks.
    """
    if service is None:
        return _GONE
    if (
        service_image(service) != wanted.image
        or service_variable(service, "DEPLOY_ID") != wanted.deploy_id
    ):
        return "the engine rolled back to the previous release"
    state = (service.get("UpdateStatus") or {}).get("State", "")
    if state in _PAUSED_STATES or state.startswith("rollback"):
        return f"the engine stopped: {state}"
    return next(
        (describe_task(task) for task in tasks_of_deployment(wanted, tasks) if has_failed(task)),
        None,
    )


def has_converged(wanted: ExpectedState, service: JSONObject, tasks: Sequence[JSONObject]) -> bool:
    """Return whether all replicas run, all of this deployment, and the update is complete."""
    state = (service.get("UpdateStatus") or {}).get("State", "completed")
    desired = [task for task in tasks if task["DesiredState"] == "running"]
    mine = tasks_of_deployment(wanted, desired)
    running = [task for task in mine if task["Status"]["State"] == "running"]
    if wanted.min_replicas:
        return len(running) >= wanted.min_replicas
    return state == "completed" and len(running) == len(desired) == wanted.replicas


def tasks_of_deployment(wanted: ExpectedState, tasks: Sequence[JSONObject]) -> list[JSONObject]:
    """Return the tasks with the deploy id of this deployment."""
    return [
        task
        for task in tasks
        if f"DEPLOY_ID={wanted.deploy_id}" in (task["Spec"]["ContainerSpec"].get("Env") or [])
    ]


def has_failed(task: JSONObject) -> bool:
    """Return whether a task ended unexpectedly; a successful restart counts as a failure too."""
    return task["Status"]["State"] in _FAILED_STATES or (
        task["Status"]["State"] == "complete" and task["DesiredState"] == "shutdown"
    )


def describe_task(task: JSONObject) -> str:
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
    """Wait until a service has converged.

    Args:
        swarm: The client of the swarm.
        wanted: The expected state.
        seconds: The time limit.
        again: Whether the deployment ran before, so that failed tasks in its history do not count.
        look: Called in every poll; raises if another check fails.

    Raises:
        NotConvergedError: The service failed, or the time is over.
    """
    notice = time.monotonic() + _NOTICE_SECONDS
    for service, tasks in _poll(swarm, wanted, seconds):
        if not again and (wrong := find_failure(wanted, service, tasks)):
            raise _convergence_cause(swarm, wanted, wrong)
        if service and has_converged(wanted, service, tasks):
            return
        if time.monotonic() > notice and (waiting := _unstarted(wanted, tasks)):
            _log_cause(swarm, wanted.service, waiting)
            notice = math.inf
        look()
    raise _convergence_cause(swarm, wanted, f"it did not start within {seconds:.0f} s")


def watch_stability(
    swarm: SwarmClient,
    wanted: Sequence[ExpectedState],
    seconds: float,
    *,
    look: Callable[[], None] = lambda: None,
) -> None:
    """Check for some time that services stay converged.

    Args:
        swarm: The client of the swarm.
        wanted: The expected states.
        seconds: The duration.
        look: Called in every poll, as in `wait_for_convergence`.

    Raises:
        NotConvergedError: A service changed.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for each in wanted:
            service, tasks = query_service(swarm, each.service, end)
            wrong = find_failure(each, service, tasks)
            if wrong or service is None or not has_converged(each, service, tasks):
                raise _convergence_cause(swarm, each, wrong or "a replica is not running any more")
        look()
        time.sleep(POLL_INTERVAL)


def is_running(swarm: SwarmClient, service: str) -> bool:
    """Return whether a service has tasks that should run, and all of them run."""
    desired = [task for task in swarm.tasks(service) if task["DesiredState"] == "running"]
    return bool(desired) and all(task["Status"]["State"] == "running" for task in desired)


def wait_until_running(swarm: SwarmClient, service: str, seconds: float) -> None:
    """Wait until every task of a service runs.

    Raises:
        CheckFailedError: The time is over; the message has the last log lines.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if is_running(swarm, service):
            return
        time.sleep(POLL_INTERVAL)
    why = blocking_cause(swarm, service, swarm.tasks(service))
    raise CheckFailedError(
        f"{service} did not start within {seconds:.0f} s{why.sentence}\n{swarm.tail_logs(service)}",
        hint=why.hint,
    )


def _poll(
    swarm: SwarmClient, wanted: ExpectedState, seconds: float
) -> Iterator[tuple[JSONObject | None, list[JSONObject]]]:
    """Yield a service and its tasks in every poll, until the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield query_service(swarm, wanted.service, end)
        time.sleep(POLL_INTERVAL)


def query_service(
    swarm: SwarmClient, name: str, end: float
) -> tuple[JSONObject | None, list[JSONObject]]:
    """Return a service and its tasks; retry while the engine is unavailable.

    Raises:
        EngineUnavailableError: The engine stays unavailable until the deadline.
    """
    return retry_while_unavailable(lambda: (swarm.service(name), swarm.tasks(name)), end)


def convergence_error(swarm: SwarmClient, wanted: ExpectedState, why: str) -> NotConvergedError:
    """Print the last log lines of a replica, and return the error to raise."""
    with suppress(EngineUnavailableError):
        if lines := _failed_task_logs(swarm, wanted):
            log(f"last log lines of {wanted.service}:\n{lines}")
    return NotConvergedError(
        f"{wanted.service}: {why}", hint=f"docker service ps --no-trunc {wanted.service}"
    )


def _convergence_cause(swarm: SwarmClient, wanted: ExpectedState, why: str) -> NotConvergedError:
    """Return a `convergence_error` with the cause that keeps the replicas from running."""
    error = convergence_error(swarm, wanted, why)
    if why == _GONE:
        hint = "docker events --since=1h --until=0s --filter=type=service; deploy again"
        return NotConvergedError(str(error), hint=hint)
    with suppress(EngineUnavailableError):
        cause = blocking_cause(
            swarm, wanted.service, tasks_of_deployment(wanted, swarm.tasks(wanted.service))
        )
        return NotConvergedError(f"{error}{cause.sentence}", hint=cause.hint)
    return error


def blocking_cause(swarm: SwarmClient, service: str, tasks: Sequence[JSONObject]) -> Cause:
    """Return the cause that keeps tasks from running, as the end of a sentence."""
    hint = f"docker service ps --no-trunc {service}"
    idle = sorted(filter(_is_idle, tasks), key=has_failed, reverse=True)
    if not idle:
        return Cause("", hint)
    image, stack = idle[0]["Spec"]["ContainerSpec"]["Image"], service.partition("_")[0]
    if has_failed(idle[0]):  # the message already names the error of the task
        known = start_failures.task_cause(swarm, stack, image, idle[0])
        return Cause(f" ({known.sentence})", known.hint) if known else Cause("", hint)
    found = start_failures.start_failure(swarm, stack, image, idle)
    return Cause(f": {found.sentence}", found.hint or hint)


def _unstarted(wanted: ExpectedState, tasks: Sequence[JSONObject]) -> list[JSONObject]:
    """Return the tasks of this deployment that should run, and that no node has started."""
    mine = [
        task for task in tasks_of_deployment(wanted, tasks) if task["DesiredState"] == "running"
    ]
    return [task for task in mine if task["Status"]["State"] in start_failures.UNSTARTED_STATES]


def _log_cause(swarm: SwarmClient, service: str, waiting: Sequence[JSONObject]) -> None:
    """Log why replicas wait, so that the operator can fix it before the time is over."""
    with suppress(EngineUnavailableError):
        why = blocking_cause(swarm, service, waiting)
        log(f"{service} waits{why.sentence}; hint: {why.hint}")


def _is_idle(task: JSONObject) -> bool:
    """Return whether a task failed, or should run and does not yet."""
    waits = (
        task["Status"]["State"]
        in start_failures.UNSTARTED_STATES | start_failures.IN_PROGRESS_STATES
    )
    return has_failed(task) or (waits and task["DesiredState"] == "running")


def _failed_task_logs(swarm: SwarmClient, wanted: ExpectedState) -> str:
    """Return the last log lines of a replica, of a failed one if there is any."""
    mine = tasks_of_deployment(wanted, swarm.tasks(wanted.service))
    return next(
        (swarm.tail_logs(task["ID"]) for task in sorted(mine, key=has_failed, reverse=True)), ""
    )
