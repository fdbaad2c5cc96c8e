"""Disconnect a node under traffic, and reconnect it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product

from pipeline.config import load
from pipeline.deploy.cluster.client import JSONObject
from pipeline.errors import CheckFailedError
from pipeline.rehearsal.cluster import Cluster
from pipeline.rehearsal.load_balancer import is_healthy, ssl_context
from pipeline.rehearsal.netns import Node
from pipeline.rehearsal.traffic import Traffic
from pipeline.rehearsal.workspace import ENVIRONMENTS, Sandbox

_DETECTION_TIMEOUT, _REPLACEMENT_TIMEOUT, _RECOVERY_TIMEOUT = 60, 120, 180
_READY, _DOWN, _RUNNING = "ready", "down", "running"
_EDGE = "edge"
_END_STATES = {"complete", "failed", "orphaned", "rejected", "remove", "shutdown"}


@dataclass
class NodeFailure:
    """The failure of one node: its network link is set down.

    Attributes:
        sandbox: Where the rehearsal runs.
        cluster: The cluster of the node.
        traffic: The traffic during the failure.
        lost: The node.
    """

    sandbox: Sandbox
    cluster: Cluster
    traffic: Traffic
    lost: Node = field(init=False)

    def steps(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Yield the steps."""
        yield "disconnect a node", self.disconnect
        yield "wait for its replicas on other nodes", self.wait_for_replacement
        yield "reconnect the node", self.reconnect

    def disconnect(self) -> None:
        """Disconnect a worker that runs a replica of production, and wait until it is down."""
        self.lost = self.pick_worker()
        self.cluster.network.set_link(self.lost, "down")
        self.traffic.outages.append(time.time())
        wait_until(
            lambda: self.state() == _DOWN,
            "the swarm does not report the node as down",
            _DETECTION_TIMEOUT,
        )

    def wait_for_replacement(self) -> None:
        """Wait until all its replicas run on other nodes."""
        wait_until(self.is_replaced, "its replicas do not run on other nodes", _REPLACEMENT_TIMEOUT)

    def reconnect(self) -> None:
        """Reconnect the node, and wait until services edge of services node serves."""
        self.cluster.network.set_link(self.lost, "up")
        wait_until(lambda: self.state() == _READY, "the node is not ready", _RECOVERY_TIMEOUT)
        wait_until(self.has_no_old_tasks, "the node still runs old tasks", _RECOVERY_TIMEOUT)
        wait_until(self.all_edges_serve, "not services edge serves", _RECOVERY_TIMEOUT)

    def pick_worker(self) -> Node:
        """Return a worker that runs a replica of production's API."""
        used = {
            task["NodeID"] for task in self.tasks("production", load().app.api) if _is_serving(task)
        }
        workers = self.cluster.network.nodes[1:]
        return next(node for node in workers if self.node_object(node)["ID"] in used)

    def is_replaced(self) -> bool:
        """Return whether all services have their replicas on the other nodes."""
        return all(
            self.has_all_replicas(*which)
            for which in product(ENVIRONMENTS, load().app.rollout_order)
        )

    def has_all_replicas(self, environment: str, service: str) -> bool:
        """Return whether a service has its replicas on the other nodes."""
        node_id = self.node_object(self.lost)["ID"]
        running = [task for task in self.tasks(environment, service) if _is_serving(task)]
        left = [task for task in running if task["NodeID"] != node_id]
        return len(left) == self.replicas(environment, service)

    def has_no_old_tasks(self) -> bool:
        """Return whether every task on the node should run there, or has ended."""
        node_id = self.node_object(self.lost)["ID"]
        services = (
            self.tasks(*which)
            for which in product(ENVIRONMENTS, (*load().app.rollout_order, _EDGE))
        )
        tasks_on_node = [
            task for tasks in services for task in tasks if task.get("NodeID") == node_id
        ]
        return all(_is_serving(task) or _has_ended(task) for task in tasks_on_node)

    def tasks(self, environment: str, service: str) -> list[JSONObject]:
        """Return all tasks of a service."""
        return self.cluster.manager.tasks(f"{self.sandbox.stack(environment)}_{service}")

    def replicas(self, environment: str, service: str) -> int:
        """Return the number of replicas in the spec of a service."""
        found = self.cluster.manager.service(f"{self.sandbox.stack(environment)}_{service}") or {}
        return int(found["Spec"]["Mode"]["Replicated"]["Replicas"])

    def all_edges_serve(self) -> bool:
        """Return whether the edges of all nodes serve the app."""
        context = ssl_context(self.sandbox.variables["SSL_CERT_FILE"])
        edges = product(self.cluster.network.nodes, self.sandbox.ports.values())
        return all(is_healthy((node.address, port), context) for node, port in edges)

    def state(self) -> str:
        """Return the state of the node in `docker node ls`."""
        return str(self.node_object(self.lost)["Status"]["State"])

    def node_object(self, node: Node) -> JSONObject:
        """Return a node as `docker node inspect` prints it."""
        nodes = self.cluster.manager.inspect("node", node.name)
        if not nodes:
            raise CheckFailedError(f"no node {node.name} in the swarm", hint="docker node ls")
        return nodes[0]


def _is_serving(task: JSONObject) -> bool:
    """Return whether a task is running, and its desired state is running."""
    return bool(task["DesiredState"] == task["Status"]["State"] == _RUNNING)


def _has_ended(task: JSONObject) -> bool:
    """Return whether a task has ended, and its desired state is not running."""
    return task["DesiredState"] != _RUNNING and task["Status"]["State"] in _END_STATES


def wait_until(condition: Callable[[], bool], problem: str, seconds: float) -> None:
    """Wait until a condition is true.

    Raises:
        CheckFailedError: It is not true in time.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise CheckFailedError(f"{problem} within {seconds} s", hint="docker node ls")
        time.sleep(1)
