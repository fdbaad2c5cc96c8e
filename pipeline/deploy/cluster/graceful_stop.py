"""Checks that replicas stop gracefully: they receive SIGTERM, serve on, and exit in time.

A server that ignores SIGTERM is killed at the end of its grace period with all its requests, and
every roll waits that long for each replica.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.deploy.cluster.client import JSONObject, SwarmClient
from pipeline.deploy.cluster.convergence import (
    ExpectedState,
    NotConvergedError,
    convergence_error,
    query_service,
    tasks_of_deployment,
)
from pipeline.deploy.cluster.retry import POLL_INTERVAL
from pipeline.deploy.progress import log
from pipeline.environments import Timings

_NO_NODE_CONSTRAINT = "node.id==none"
_END_STATES = {"complete", "shutdown", "failed", "rejected", "orphaned", "remove"}
_CLEAN_EXIT_CODES = {0, 143}
"""Exit codes of a graceful stop: 0, or SIGTERM that the server raises again at its end."""
_KILLED_EXIT_CODE = 137
_MARGIN_SECONDS = 30
"""The engine may report an exit that much later: it first detaches the network of the task."""
_HINT = (
    'use CMD in exec form, as in ["python", "server.py"]; handle SIGTERM; '
    "or increase timings.stop_grace_period"
)


@dataclass(frozen=True)
class _StopRequest:
    """The tasks of a service that must stop, and the time of the request."""

    wanted: ExpectedState
    tasks: set[str]
    began: float


def check_graceful_stop(
    swarm: SwarmClient, wanted: Sequence[ExpectedState], timings: Timings
) -> None:
    """Stop the replicas of services at the same time, and check how each exits.

    The engine drops a task and its exit code if the service is scaled down or removed, and keeps it
    if another task replaces it. So an update with a constraint that no node meets replaces each
    task.

    Args:
        swarm: The client of the swarm.
        wanted: The services.
        timings: Drain and grace period.

    Raises:
        NotConvergedError: A replica was killed, exited too early or with an error, or did not exit.
    """
    left = [_request_stop(swarm, each) for each in wanted]
    while left := [each for each in left if _is_stopping(swarm, each, timings)]:
        time.sleep(POLL_INTERVAL)


def _request_stop(swarm: SwarmClient, wanted: ExpectedState) -> _StopRequest:
    """Update a service so that its tasks stop, and no node runs new ones."""
    _, tasks = query_service(swarm, wanted.service, 0)
    running = {
        task["ID"]
        for task in tasks_of_deployment(wanted, tasks)
        if task["Status"]["State"] == "running"
    }
    began = time.monotonic()
    placed = ("--update-order=stop-first", f"--constraint-add={_NO_NODE_CONSTRAINT}")
    swarm.check_output("service", "update", "--detach", "--quiet", *placed, wanted.service)
    return _StopRequest(wanted, running, began)


def _is_stopping(swarm: SwarmClient, order: _StopRequest, timings: Timings) -> bool:
    """Return whether a replica still has to exit.

    Raises:
        NotConvergedError: It exited with a fault, or takes too long.
    """
    service, end = order.wanted.service, order.began + timings.stop_grace_period + _MARGIN_SECONDS
    tasks = [task for task in query_service(swarm, service, end)[1] if task["ID"] in order.tasks]
    if not tasks:
        log(f"cannot check the shutdown of {service}: the engine has dropped the task")
    seconds = time.monotonic() - order.began
    under_way = [task for task in tasks if task["Status"]["State"] not in _END_STATES]
    faults = [_stop_error(task, seconds, timings) for task in tasks if task not in under_way]
    if time.monotonic() > end:
        faults += [f"it did not exit within {seconds:.0f} s of SIGTERM"] * len(under_way)
    for fault in filter(None, faults):
        raise NotConvergedError(str(convergence_error(swarm, order.wanted, fault)), hint=_HINT)
    return any(not _node_is_away(swarm, task) for task in under_way)


def _node_is_away(swarm: SwarmClient, task: JSONObject) -> bool:
    """Return whether the node of a task is down, so that the exit stays unknown; log that."""
    nodes = swarm.inspect("node", task["NodeID"])
    down = [node for node in nodes if node["Status"]["State"] != "ready"]
    if down:
        log(f"cannot check the shutdown of the preview: its node is {down[0]['Status']['State']}")
    return bool(down)


def _stop_error(task: JSONObject, seconds: float, timings: Timings) -> str | None:
    """Return the fault of an exit; None for a graceful one.

    Args:
        task: The task that exited.
        seconds: Seconds since SIGTERM, at least.
        timings: Drain and grace period.
    """
    code = (task["Status"].get("ContainerStatus") or {}).get("ExitCode")
    if code is None:
        log("cannot check the shutdown of the preview: the engine has no exit code")
    elif code == _KILLED_EXIT_CODE:
        return (
            f"it was killed {seconds:.0f} s after SIGTERM (exit code {code}), and must exit on "
            f"its own within {timings.stop_grace_period} s"
        )
    elif code not in _CLEAN_EXIT_CODES:
        return f"it exited with code {code} after SIGTERM"
    elif seconds < timings.drain:
        return (
            f"it exited {seconds:.0f} s after SIGTERM (exit code {code}), and must serve on for "
            f"{timings.drain} s"
        )
    return None
