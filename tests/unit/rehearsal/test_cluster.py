import json
import os
from pathlib import Path

import pytest

from pipeline.errors import InconclusiveError, InputError, MissingToolError
from pipeline.rehearsal.cluster import Cluster, engine_command, proxy_commands, require_root
from pipeline.rehearsal.netns import Network, Node
from pipeline.rehearsal.runner import rehearse

NODES = [Node(f"node-{n}", f"lab-{n}", f"198.18.7.{10 + n}") for n in (1, 2)]
NETWORK = Network("lab", "198.18.7", NODES)


def test_engines_share_nothing(tmp_path: Path) -> None:
    """Each has a disk and a /run of its own."""
    made = Cluster(NETWORK, tmp_path)
    commands = [engine_command(made, node) for node in NODES]
    settings = [json.loads((tmp_path / f"{node.name}.json").read_text()) for node in NODES]
    for name in ("data-root", "hosts", "pidfile"):
        assert settings[0][name] != settings[1][name]
        assert str(tmp_path) in str(settings[0][name])
    for command, node in zip(commands, NODES, strict=True):
        assert "mount -t tmpfs run /run" in " ".join(command)
        assert command[-1] == str(tmp_path / node.name) == settings[NODES.index(node)]["data-root"]
    assert all(each["exec-root"].startswith("/run/") for each in settings)


def test_an_engine_has_the_network_and_the_name_of_its_node(tmp_path: Path) -> None:
    command = engine_command(Cluster(NETWORK, tmp_path), NODES[1])
    assert command[:2] == ("nsenter", "--net=/run/netns/lab-2")
    assert "node-2" in command


def test_nodes_reach_the_registry_by_the_name_that_it_has_here() -> None:
    """Digests are of that name, and without TLS an engine talks to 127.0.0.1 alone."""
    commands = list(proxy_commands(NETWORK, "127.0.0.1:5000", [], "tls.crt"))
    assert commands[0][-2:] == ("198.18.7.1:5000", "127.0.0.1:5000")
    for node, command in zip(NODES, commands[1:], strict=True):
        assert command[:2] == node.inside()
        assert command[-2:] == ("127.0.0.1:5000", "198.18.7.1:5000")


def test_each_site_is_spread_over_the_edges_of_all_nodes() -> None:
    *_, staging, production = proxy_commands(NETWORK, "127.0.0.1:5000", [8443, 9443], "tls.crt")
    edges = ("198.18.7.11:8443", "198.18.7.12:8443")
    assert staging[-4:] == ("127.0.0.1:8443", *edges, "--certificate=tls.crt")
    assert production[-4] == "127.0.0.1:9443"


def test_without_root_nothing_is_judged_and_the_reason_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(InconclusiveError, match="only root") as caught:
        require_root()
    assert "sudo" in caught.value.hint


def test_all_programs_that_are_missing_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingToolError, match=r"dockerd, ip, mkfs\.ext4, nsenter") as caught:
        require_root()
    assert "iproute2" in caught.value.hint


@pytest.mark.parametrize("number", [0, -1, 100])
def test_a_number_of_nodes_that_cannot_be_is_refused(number: int) -> None:
    with pytest.raises(InputError, match=f"`--nodes={number}`"):
        rehearse(number)
