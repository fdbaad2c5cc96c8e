import pytest

from pipeline.rehearsal.netns import Network, Node, network_commands

NAME = "rehearsal-abc123"


@pytest.fixture
def network() -> Network:
    nodes = [Node(f"node-{n}", f"{NAME}-{n}", f"198.18.7.{10 + n}") for n in (1, 2, 3)]
    return Network(NAME, "198.18.7", nodes)


def test_nothing_of_this_machine_is_touched_but_the_end_of_one_cable(network: Network) -> None:
    own = {network.switch, *(node.namespace for node in network.nodes)}
    for command in network_commands(network):
        made = command[:3] == ("ip", "netns", "add") and command[3] in own
        inside = command[:2] == ("ip", "-n") and command[2] in own
        assert made or inside or network.host_link in command, command


def test_the_name_of_the_cable_fits_and_is_of_this_rehearsal_alone(network: Network) -> None:
    """The kernel takes 15 letters: https://man7.org/linux/man-pages/man8/ip-link.8.html."""
    assert len(network.host_link) <= 15
    assert network.host_link != Network("rehearsal-abc124", "198.18.8", []).host_link


def test_every_node_is_plugged_into_the_switch(network: Network) -> None:
    plugged = {
        command[5] for command in network_commands(network) if command[6:8] == ("master", "switch")
    }
    assert plugged == {"host", "node-1", "node-2", "node-3"}


def test_a_namespace_is_there_before_anything_is_put_into_it(network: Network) -> None:
    there: set[str] = set()
    for command in network_commands(network):
        if command[1] == "netns":
            there.add(command[3])
        used = {word for word in command if word.startswith(f"{NAME}-")}
        assert used <= there


def test_a_command_runs_in_the_network_of_a_node(network: Network) -> None:
    command = network.nodes[1].inside("true", "--here")
    assert command == ("nsenter", f"--net=/run/netns/{NAME}-2", "true", "--here")
