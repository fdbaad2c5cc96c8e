"""Prove that replicas stop as a roll stops them: they hear SIGTERM, serve on, and end in time.

A server that does not hear it serves well and is killed at the end of its grace period, with all
that it was asked; every roll waits that long for each replica.
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

NO_NODE_CONSTRAINT = "node.id==nowhere"
END_STATES = {"complete", "shutdown", "failed", "rejected", "orphaned", "remove"}
CLEAN_EXIT_CODES = {0, 143}
"""The exit codes of a good end: the server's own, or SIGTERM that it raises again at the end."""
KILLED_EXIT_CODE = 137
MARGIN_SECONDS = 30
"""The engine may tell so much later of an end: it first takes the replica out of its network."""
HINT = (
    'give CMD in exec form, as in ["python", "server.py"]; handle SIGTERM; '
    "or give more time to end: timings.grace"
)


@dataclass(frozen=True)
class StopRequest:
    """A service that was told to stop: which of its tasks, and when at the earliest."""

    wanted: ExpectedState
    tasks: set[str]
    began: float


def check_graceful_stop(
    swarm: SwarmClient, wanted: Sequence[ExpectedState], timings: Timings
) -> None:
    """Stop the replicas of services, all at once, and see that each ends as it should.

    A task is forgotten with its exit code where its service is scaled down or removed, and kept
    where another one replaces it. So each is replaced by one that fits on no node.

    Args:
        swarm: Where they are.
        wanted: The services.
        timings: How long a replica serves on, and how long it may take to end.

    Raises:
        NotConvergedError: One was killed, ended too early, with a fault, or not at all.
    """
    left = [request_stop(swarm, each) for each in wanted]
    while left := [each for each in left if is_stopping(swarm, each, timings)]:
        time.sleep(POLL_INTERVAL)


def request_stop(swarm: SwarmClient, wanted: ExpectedState) -> StopRequest:
    """Order the engine to stop what runs of a service, and to run it nowhere else."""
    _, tasks = query_service(swarm, wanted.service, 0)
    running = {
        task["ID"]
        for task in tasks_of_deployment(wanted, tasks)
        if task["Status"]["State"] == "running"
    }
    began = time.monotonic()
    placed = ("--update-order=stop-first", f"--constraint-add={NO_NODE_CONSTRAINT}")
    swarm.check_output("service", "update", "--detach", "--quiet", *placed, wanted.service)
    return StopRequest(wanted, running, began)


def is_stopping(swarm: SwarmClient, order: StopRequest, timings: Timings) -> bool:
    """Say whether a replica has yet to end.

    Raises:
        NotConvergedError: It ended as it should not, or takes too long.
    """
    service, end = order.wanted.service, order.began + timings.stop_grace_period + MARGIN_SECONDS
    tasks = [task for task in query_service(swarm, service, end)[1] if task["ID"] in order.tasks]
    if not tasks:
        log(f"how {service} ended is not known: the engine has forgotten it")
    seconds = time.monotonic() - order.began
    under_way = [task for task in tasks if task["Status"]["State"] not in END_STATES]
    faults = [stop_error(task, seconds, timings) for task in tasks if task not in under_way]
    if time.monotonic() > end:
        faults += [f"it did not end within {seconds:.0f} s of SIGTERM"] * len(under_way)
    for fault in filter(None, faults):
        raise NotConvergedError(str(convergence_error(swarm, order.wanted, fault)), hint=HINT)
    return any(not node_is_away(swarm, task) for task in under_way)


def node_is_away(swarm: SwarmClient, task: JSONObject) -> bool:
    """Say whether the node of a task is away, which alone knows how it ends; tell that."""
    nodes = swarm.inspect("node", task["NodeID"])
    away = [node for node in nodes if node["Status"]["State"] != "ready"]
    if away:
        log(f"how the preview ends is not known: its node is {away[0]['Status']['State']}")
    return bool(away)


def stop_error(task: JSONObject, seconds: float, timings: Timings) -> str | None:
    """Say what is wrong with how a task ended, if anything is.

    Args:
        task: It has ended.
        seconds: How long ago it was told to, or less.
        timings: How long it serves on, and may take.
    """
    code = (task["Status"].get("ContainerStatus") or {}).get("ExitCode")
    if code is None:
        log("how the preview ended is not known: the engine has no exit code")
    elif code == KILLED_EXIT_CODE:
        return (
            f"it was killed {seconds:.0f} s after SIGTERM (exit code {code}), and has to end by "
            f"itself within {timings.stop_grace_period} s"
        )
    elif code not in CLEAN_EXIT_CODES:
        return f"it ended with exit code {code} after SIGTERM"
    elif seconds < timings.drain:
        return (
            f"it ended {seconds:.0f} s after SIGTERM (exit code {code}), and has to serve on for "
            f"{timings.drain} s"
        )
    return None
