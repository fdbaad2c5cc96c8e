"""The network of several nodes on one machine: a network namespace each, and a bridge.

The bridge is in a namespace of its own, so the firewall of this machine does not filter its
packets, and needs no new rule. All of it is removed with the namespaces.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pipeline.images.targets import Command
from pipeline.images.tools import command_output
from pipeline.process import capture

_NETWORK_TEMPLATE = "198.18.{}"
"""Addresses reserved for benchmarks (RFC 2544), which are not routed."""
_FIRST_NODE = 11
_SWITCH, _HOST_PORT = "switch", "host"


@dataclass(frozen=True)
class Node:
    """One node.

    Attributes:
        name: Its name, which is also that of its port of the bridge.
        namespace: The name of its network namespace.
        address: Its IP address.
    """

    name: str
    namespace: str
    address: str

    def inside(self, *command: str) -> Command:
        """Return a command that runs in the network namespace of the node.

        `ip netns exec` also mounts a new /sys, in which dockerd does not start.
        """
        return "nsenter", f"--net=/run/netns/{self.namespace}", *command


@dataclass(frozen=True)
class Network:
    """A network of nodes.

    Attributes:
        name: The prefix of all names.
        prefix: The first three numbers of its addresses.
        nodes: The nodes.
    """

    name: str
    prefix: str
    nodes: Sequence[Node]

    @property
    def switch(self) -> str:
        """The namespace of the bridge."""
        return f"{self.name}-{_SWITCH}"

    @property
    def host_link(self) -> str:
        """This machine's end of the veth pair; Linux allows 15 characters."""
        return f"nodes-{self.name[-6:]}"

    @property
    def host_address(self) -> str:
        """This machine's address in the network."""
        return f"{self.prefix}.1"

    def set_link(self, node: Node, state: str) -> None:
        """Set the port of a node on the bridge `up` or `down`."""
        command_output(("ip", "-n", self.switch, "link", "set", node.name, state))


def plan_network(name: str, count: int) -> Network:
    """Return a network with free addresses; nothing is created."""
    prefix = next(filter(_is_free, map(_NETWORK_TEMPLATE.format, range(256))))
    nodes = [
        Node(f"node-{n}", f"{name}-{n}", f"{prefix}.{_FIRST_NODE + n - 1}")
        for n in range(1, count + 1)
    ]
    return Network(name, prefix, nodes)


def _is_free(prefix: str) -> bool:
    """Return whether this machine has no route to a network."""
    return not capture(["ip", "route", "show", f"{prefix}.0/24"]).stdout


@contextmanager
def create_network(network: Network) -> Iterator[None]:
    """Create the namespaces and the bridge, and delete them afterwards.

    Raises:
        CheckFailedError: A command failed, for example without the right to create namespaces.
    """
    try:
        for command in network_commands(network):
            command_output(command)
        yield
    finally:
        capture(["ip", "link", "delete", network.host_link])
        for namespace in (network.switch, *(node.namespace for node in network.nodes)):
            capture(["ip", "netns", "delete", namespace])


def network_commands(network: Network) -> Iterator[Command]:
    """Yield the commands that create the bridge, and connect this machine and the nodes."""
    switch = ("ip", "-n", network.switch)
    yield "ip", "netns", "add", network.switch
    yield *switch, "link", "add", _SWITCH, "type", "bridge"
    yield *switch, "link", "set", _SWITCH, "up"
    host_link = ("ip", "link", "add", network.host_link, "type", "veth")
    yield *host_link, "peer", _HOST_PORT, "netns", network.switch
    yield *switch, "link", "set", _HOST_PORT, "master", _SWITCH, "up"
    yield "ip", "address", "add", f"{network.host_address}/24", "dev", network.host_link
    yield "ip", "link", "set", network.host_link, "up"
    for node in network.nodes:
        yield "ip", "netns", "add", node.namespace
        own, add_port = ("ip", "-n", node.namespace), (*switch, "link", "add", node.name)
        yield *add_port, "type", "veth", "peer", "eth0", "netns", node.namespace
        yield *switch, "link", "set", node.name, "master", _SWITCH, "up"
        yield *own, "address", "add", f"{node.address}/24", "dev", "eth0"
        yield *own, "link", "set", "lo", "up"
        yield *own, "link", "set", "eth0", "up"
