"""A node goes away under traffic, and comes back: what a swarm of several nodes is for."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product

from pipeline.deploy.cluster.client import JSONObject
from pipeline.deploy.rollout.context import ROLLOUT_ORDER
from pipeline.errors import CheckFailedError
from pipeline.rehearsal.cluster import Cluster
from pipeline.rehearsal.load_balancer import is_healthy, ssl_context
from pipeline.rehearsal.netns import Node
from pipeline.rehearsal.traffic import Traffic
from pipeline.rehearsal.workspace import ENVIRONMENTS, Sandbox

DETECTION_TIMEOUT, REPLACEMENT_TIMEOUT, RECOVERY_TIMEOUT = 60, 120, 180
READY, DOWN, RUNNING = "ready", "down", "running"
EDGE = "edge"
END_STATES = {"complete", "failed", "orphaned", "rejected", "remove", "shutdown"}


@dataclass
class NodeFailure:
    """A node that goes away: its plug is pulled, without a word to anybody.

    Attributes:
        yard: Where.
        cluster: Whose node it is.
        traffic: What goes on meanwhile.
        lost: The node.
    """

    yard: Sandbox
    cluster: Cluster
    traffic: Traffic
    lost: Node = field(init=False)

    def steps(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Yield the steps."""
        yield "a node goes away, and the swarm notices", self.disconnect
        yield "its replicas run elsewhere", self.wait_for_replacement
        yield "it comes back, and its edges serve", self.reconnect

    def disconnect(self) -> None:
        """Pull the plug of a worker that serves users of production."""
        self.lost = self.pick_worker()
        self.cluster.network.set_link(self.lost, "down")
        self.traffic.outages.append(time.time())
        wait_until(lambda: self.state() == DOWN, "the swarm does not notice", DETECTION_TIMEOUT)

    def wait_for_replacement(self) -> None:
        """See to it that all that ran there runs elsewhere."""
        wait_until(self.is_replaced, "its replicas are not back", REPLACEMENT_TIMEOUT)

    def reconnect(self) -> None:
        """Put the plug back, and see to it that every edge of every node serves."""
        self.cluster.network.set_link(self.lost, "up")
        wait_until(lambda: self.state() == READY, "it is not back in the swarm", RECOVERY_TIMEOUT)
        wait_until(self.has_no_old_tasks, "what it ran before is still there", RECOVERY_TIMEOUT)
        wait_until(self.all_edges_serve, "its edges do not serve", RECOVERY_TIMEOUT)

    def pick_worker(self) -> Node:
        """Return a worker that has a replica of production's backend."""
        used = {task["NodeID"] for task in self.tasks("production", "backend") if is_serving(task)}
        workers = self.cluster.network.nodes[1:]
        return next(node for node in workers if self.node_object(node)["ID"] in used)

    def is_replaced(self) -> bool:
        """Say whether all services have their replicas, on the nodes that are left."""
        return all(self.has_all_replicas(*which) for which in product(ENVIRONMENTS, ROLLOUT_ORDER))

    def has_all_replicas(self, environment: str, service: str) -> bool:
        """Say whether a service has its replicas, on the nodes that are left."""
        gone = self.node_object(self.lost)["ID"]
        running = [task for task in self.tasks(environment, service) if is_serving(task)]
        left = [task for task in running if task["NodeID"] != gone]
        return len(left) == self.replicas(environment, service)

    def has_no_old_tasks(self) -> bool:
        """Say whether the node runs what the swarm means it to, and nothing of before."""
        gone = self.node_object(self.lost)["ID"]
        every = (self.tasks(*which) for which in product(ENVIRONMENTS, (*ROLLOUT_ORDER, EDGE)))
        there = [task for tasks in every for task in tasks if task.get("NodeID") == gone]
        return all(is_serving(task) or has_ended(task) for task in there)

    def tasks(self, environment: str, service: str) -> list[JSONObject]:
        """Return all tasks of a service."""
        return self.cluster.manager.tasks(f"{self.yard.stack(environment)}_{service}")

    def replicas(self, environment: str, service: str) -> int:
        """Return how many replicas a service should have."""
        found = self.cluster.manager.service(f"{self.yard.stack(environment)}_{service}") or {}
        return int(found["Spec"]["Mode"]["Replicated"]["Replicas"])

    def all_edges_serve(self) -> bool:
        """Say whether the edges of all nodes answer for the app."""
        context = ssl_context(self.yard.variables["SSL_CERT_FILE"])
        edges = product(self.cluster.network.nodes, self.yard.ports.values())
        return all(is_healthy((node.address, port), context) for node, port in edges)

    def state(self) -> str:
        """Return what the swarm thinks of the node."""
        return str(self.node_object(self.lost)["Status"]["State"])

    def node_object(self, node: Node) -> JSONObject:
        """Return a node as the swarm has it."""
        nodes = self.cluster.manager.inspect("node", node.name)
        if not nodes:
            raise CheckFailedError(f"the swarm knows no {node.name}", hint="docker node ls")
        return nodes[0]


def is_serving(task: JSONObject) -> bool:
    """Say whether a task runs, and is meant to."""
    return bool(task["DesiredState"] == task["Status"]["State"] == RUNNING)


def has_ended(task: JSONObject) -> bool:
    """Say whether a task runs no more, and is not meant to."""
    return task["DesiredState"] != RUNNING and task["Status"]["State"] in END_STATES


def wait_until(condition: Callable[[], bool], otherwise: str, seconds: float) -> None:
    """Wait until something is so.

    Raises:
        CheckFailedError: It is not, within these seconds.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise CheckFailedError(f"{otherwise} within {seconds} s", hint="docker node ls")
        time.sleep(1)
