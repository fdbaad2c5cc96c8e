"""The network of several nodes on one machine: one namespace each, and a switch between them.

The switch is a bridge in a namespace of its own: no firewall of this machine looks at what it
passes, and no rule is added to one. Nothing here is on disk; with its namespaces all of it is gone.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pipeline.images.targets import Command
from pipeline.images.tools import command_output
from pipeline.process import capture

NETWORK_TEMPLATE = "198.18.{}"
"""Networks for tests on one's own machines, which lead nowhere (RFC 2544)."""
FIRST_NODE = 11
SWITCH, CABLE = "switch", "here"


@dataclass(frozen=True)
class Node:
    """One node.

    Attributes:
        name: What it is called, and its port of the switch.
        namespace: What its network is called on this machine.
        address: Where it is in the network.
    """

    name: str
    namespace: str
    address: str

    def inside(self, *command: str) -> Command:
        """Return a command as one that runs in the node's network.

        `ip netns exec` would mount another /sys too, in which an engine dies.
        """
        return "nsenter", f"--net=/run/netns/{self.namespace}", *command


@dataclass(frozen=True)
class Network:
    """A network of nodes.

    Attributes:
        name: What everything of it begins with.
        prefix: The first three numbers of its addresses.
        nodes: The nodes.
    """

    name: str
    prefix: str
    nodes: Sequence[Node]

    @property
    def switch(self) -> str:
        """The namespace in which all cables meet."""
        return f"{self.name}-{SWITCH}"

    @property
    def cable(self) -> str:
        """The end of the cable that leads here; 15 letters are the most for it."""
        return f"nodes-{self.name[-6:]}"

    @property
    def host_address(self) -> str:
        """This machine's address in the network."""
        return f"{self.prefix}.1"

    def set_link(self, node: Node, state: str) -> None:
        """Pull a node's plug out of the switch, or put it back: `down`, `up`."""
        command_output(("ip", "-n", self.switch, "link", "set", node.name, state))


def plan_network(name: str, count: int) -> Network:
    """Return a network that is still to be made, at addresses that are free."""
    prefix = next(filter(is_free, map(NETWORK_TEMPLATE.format, range(256))))
    nodes = [
        Node(f"node-{n}", f"{name}-{n}", f"{prefix}.{FIRST_NODE + n - 1}")
        for n in range(1, count + 1)
    ]
    return Network(name, prefix, nodes)


def is_free(prefix: str) -> bool:
    """Say whether this machine has no way into a network yet."""
    return not capture(["ip", "route", "show", f"{prefix}.0/24"]).stdout


@contextmanager
def create_network(network: Network) -> Iterator[None]:
    """Have the networks of all nodes, plugged into one switch.

    Raises:
        CheckFailedError: A command failed; the right to make networks may be missing.
    """
    try:
        for command in network_commands(network):
            command_output(command)
        yield
    finally:
        capture(["ip", "link", "delete", network.cable])
        for namespace in (network.switch, *(node.namespace for node in network.nodes)):
            capture(["ip", "netns", "delete", namespace])


def network_commands(network: Network) -> Iterator[Command]:
    """Yield the commands that make the switch, and plug in this machine and the nodes."""
    switch = ("ip", "-n", network.switch)
    yield "ip", "netns", "add", network.switch
    yield *switch, "link", "add", SWITCH, "type", "bridge"
    yield *switch, "link", "set", SWITCH, "up"
    cable = ("ip", "link", "add", network.cable, "type", "veth")
    yield *cable, "peer", CABLE, "netns", network.switch
    yield *switch, "link", "set", CABLE, "master", SWITCH, "up"
    yield "ip", "address", "add", f"{network.host_address}/24", "dev", network.cable
    yield "ip", "link", "set", network.cable, "up"
    for node in network.nodes:
        yield "ip", "netns", "add", node.namespace
        own, plug = ("ip", "-n", node.namespace), (*switch, "link", "add", node.name)
        yield *plug, "type", "veth", "peer", "eth0", "netns", node.namespace
        yield *switch, "link", "set", node.name, "master", SWITCH, "up"
        yield *own, "address", "add", f"{node.address}/24", "dev", "eth0"
        yield *own, "link", "set", "lo", "up"
        yield *own, "link", "set", "eth0", "up"
