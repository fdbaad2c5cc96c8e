"""Several nodes on one machine: a swarm of Docker Engines, each in a network namespace.

A node is a dockerd with its own network, its own /run and its own disk, which is a file. A loop
restarts an engine that exits, as systemd does. A node ends with its process, and its disk with its
folder. The first node is the only manager, as two managers have no majority when one is lost:
https://docs.docker.com/engine/swarm/raft/
"""

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.deploy.cluster.client import SwarmClient
from pipeline.errors import CheckFailedError, InconclusiveError, MissingToolError
from pipeline.images.targets import Command
from pipeline.images.tools import command_output
from pipeline.process import background_process
from pipeline.rehearsal import load_balancer
from pipeline.rehearsal.netns import Network, Node, create_network, plan_network

CHECK = "rehearsal"
_REQUIRED_TOOLS = {
    "dockerd": "https://docs.docker.com/engine/install",
    "ip": "the package iproute2",
    "mkfs.ext4": "the package e2fsprogs",
    "nsenter": "the package util-linux",
    "unshare": "the package util-linux",
}
# A folder of its own is new_cluster in it; /tmp may be memory.
_LARGE_TMP_DIR = "/var/tmp"  # noqa: S108  # nosec B108
_START_TIMEOUT, _STOP_TIMEOUT = 30, 5
_DISK_BYTES = 20 * 2**30  # a sparse file: only written blocks take space
_START_SCRIPT = """
hostname "$1"
mount -t tmpfs run /run
mkdir "$2"
mount -o loop,noatime "$2.disk" "$2"
trap 'kill $engine; wait $engine; exit' TERM
while :; do
  dockerd --config-file "$2.json" 2>> "$2.log" & engine=$!
  wait $engine || sleep 2
done
"""


@dataclass(frozen=True)
class _NodeEngine(SwarmClient):
    """The engine of a node.

    Attributes:
        host: Its address, in the form of DOCKER_HOST.
    """

    host: str = ""

    def docker_env(self) -> dict[str, str]:
        """Return the environment variables that make Docker's command line connect to it."""
        return {"DOCKER_HOST": self.host}


@dataclass(frozen=True)
class Cluster:
    """Nodes that form a swarm, the manager first.

    Attributes:
        network: The nodes, and the switch between them.
        folder: The folder of their data.
    """

    network: Network
    folder: Path

    def engine(self, node: Node) -> _NodeEngine:
        """Return the engine of a node."""
        return _NodeEngine(host=f"unix://{self.file(node, 'sock')}")

    @property
    def manager(self) -> _NodeEngine:
        """The engine of the manager."""
        return self.engine(self.network.nodes[0])

    def file(self, node: Node, kind: str) -> Path:
        """Return the path of a file of a node.

        Json, log, pid and sock of its engine, or its disk.
        """
        return self.folder / f"{node.name}.{kind}"


@contextmanager
def cluster(
    name: str, count: int, registry: str, ports: Sequence[int], certificate: str
) -> Iterator[Cluster]:
    """Start a swarm of several nodes, and remove all of it afterwards.

    Args:
        name: The prefix of all names.
        count: The number of nodes.
        registry: The address of a registry on this machine; each node reaches it by the same
            address.
        ports: Ports of this machine that a load balancer forwards to the edges of all nodes.
        certificate: Path of the certificate of the edges.

    Raises:
        CheckFailedError: A node does not start.
    """
    network = plan_network(name, count)
    with (
        TemporaryDirectory(prefix=f"{name}-", dir=_LARGE_TMP_DIR) as folder,
        ExitStack() as running,
    ):
        new_cluster = Cluster(network, Path(folder))
        running.enter_context(create_network(network))
        for node in network.nodes:
            _make_disk(new_cluster.file(node, "disk"))
            running.enter_context(background_process(engine_command(new_cluster, node)))
        for command in proxy_commands(network, registry, ports, certificate):
            running.enter_context(background_process(command))
        _form_swarm(new_cluster)
        yield new_cluster


def require_root() -> None:
    """Check that this process may create network namespaces.

    Raises:
        InconclusiveError: The user is not root.
        MissingToolError: Names all programs that are missing.
    """
    if os.geteuid() != 0:
        raise InconclusiveError(
            CHECK,
            "only root may create network namespaces",
            hint="run it with sudo, or without --nodes",
        )
    if missing := [tool for tool in _REQUIRED_TOOLS if shutil.which(tool) is None]:
        packages = "; ".join(f"{tool}: {_REQUIRED_TOOLS[tool]}" for tool in missing)
        raise MissingToolError(f"missing programs: {', '.join(missing)}", hint=packages)


def engine_command(new_cluster: Cluster, node: Node) -> Command:
    """Write the configuration of a node's engine, and return the command that starts it."""
    new_cluster.file(node, "json").write_text(json.dumps(_engine_config(new_cluster, node)))
    isolated = ("unshare", "--mount", "--uts", "sh", "-euc", _START_SCRIPT)
    return node.inside(*isolated, "sh", node.name, str(new_cluster.folder / node.name))


def _make_disk(file: Path) -> None:
    """Make an empty file system without a journal and without blocks reserved for root."""
    with file.open("wb") as disk:
        disk.truncate(_DISK_BYTES)
    command_output(("mkfs.ext4", "-q", "-O", "^has_journal", "-m", "0", str(file)))


def _engine_config(new_cluster: Cluster, node: Node) -> Mapping[str, object]:
    """Return the configuration of a node's engine, which replaces the machine's daemon.json."""
    return {
        "data-root": str(new_cluster.folder / node.name),
        "exec-root": "/run/docker",
        "hosts": [new_cluster.engine(node).host],
        "pidfile": str(new_cluster.file(node, "pid")),
        "shutdown-timeout": _STOP_TIMEOUT,
    }


def proxy_commands(
    network: Network, registry: str, ports: Sequence[int], certificate: str
) -> Iterator[Command]:
    """Yield commands that forward from each node to the registry, and from here to the edges."""
    proxy = (sys.executable, "-m", load_balancer.__name__)
    loopback, _, port = registry.partition(":")
    registry_proxy = f"{network.host_address}:{port}"
    yield *proxy, registry_proxy, registry
    for node in network.nodes:
        yield node.inside(*proxy, registry, registry_proxy)
    for edge in ports:
        edges = [f"{node.address}:{edge}" for node in network.nodes]
        yield *proxy, f"{loopback}:{edge}", *edges, f"--certificate={certificate}"


def _form_swarm(new_cluster: Cluster) -> None:
    """Join the nodes to a swarm.

    Raises:
        CheckFailedError: A node does not start, or does not join.
    """
    first, *others = new_cluster.network.nodes
    for node in new_cluster.network.nodes:
        _wait_for_engine(new_cluster, node)
    new_cluster.manager.check_output("swarm", "init", f"--advertise-addr={first.address}")
    token = new_cluster.manager.check_output("swarm", "join-token", "--quiet", "worker").strip()
    for node in others:
        options = (f"--advertise-addr={node.address}", f"{first.address}:2377")
        new_cluster.engine(node).check_output("swarm", "join", f"--token={token}", *options)


def _wait_for_engine(new_cluster: Cluster, node: Node) -> None:
    """Wait until an engine answers.

    Raises:
        CheckFailedError: It does not start in time; the message contains the end of its log.
    """
    end = time.monotonic() + _START_TIMEOUT
    while new_cluster.engine(node).run("version").returncode:
        if time.monotonic() > end:
            log = new_cluster.file(node, "log").read_text()[-1000:]
            raise CheckFailedError(
                f"{node.name} did not start within {_START_TIMEOUT} s\n{log}",
                hint="in a container, root may lack the right to create namespaces and mounts",
            )
        time.sleep(0.2)
