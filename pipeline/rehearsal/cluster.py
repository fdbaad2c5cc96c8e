"""Several nodes on one machine: a swarm of engines, each in a network of its own.

A node is a dockerd with its own network, its own /run and its own disk, a file. An engine that dies
is begun again, as systemd does it. A node ends with its process, and its disk with its folder. The
first node is the manager; two would be worse than one.
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
REQUIRED_TOOLS = {
    "dockerd": "https://docs.docker.com/engine/install",
    "ip": "the package iproute2",
    "mkfs.ext4": "the package e2fsprogs",
    "nsenter": "the package util-linux",
    "unshare": "the package util-linux",
}
# A folder of its own is made in it; /tmp may be memory.
LARGE_TMP_DIR = "/var/tmp"  # noqa: S108  # nosec B108
START_TIMEOUT, STOP_TIMEOUT = 30, 5
DISK_BYTES = 20 * 2**30  # of which only what is written takes room
START_SCRIPT = """
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
class NodeEngine(SwarmClient):
    """The engine of a node.

    Attributes:
        host: Where it listens, as Docker's command line is told.
    """

    host: str = ""

    def docker_env(self) -> dict[str, str]:
        """Return what makes Docker's command line talk to it."""
        return {"DOCKER_HOST": self.host}


@dataclass(frozen=True)
class Cluster:
    """Nodes that are a swarm, the manager first.

    Attributes:
        network: The nodes, and what joins them.
        folder: Where their data is.
    """

    network: Network
    folder: Path

    def engine(self, node: Node) -> NodeEngine:
        """Return the engine of a node."""
        return NodeEngine(host=f"unix://{self.file(node, 'sock')}")

    @property
    def manager(self) -> NodeEngine:
        """The engine that knows of all nodes."""
        return self.engine(self.network.nodes[0])

    def file(self, node: Node, kind: str) -> Path:
        """Return a file of a node: of its engine json, log, pid and sock; its disk."""
        return self.folder / f"{node.name}.{kind}"


@contextmanager
def cluster(
    name: str, count: int, registry: str, ports: Sequence[int], certificate: str
) -> Iterator[Cluster]:
    """Have a swarm of several nodes, and leave nothing of it.

    Args:
        name: What everything of it begins with.
        count: How many nodes.
        registry: The address on this machine that each node is to reach under the same name.
        ports: Of this machine, behind which the edges of all nodes stand.
        certificate: That of the edges, as a file.

    Raises:
        CheckFailedError: A node does not come up.
    """
    network = plan_network(name, count)
    with TemporaryDirectory(prefix=f"{name}-", dir=LARGE_TMP_DIR) as folder, ExitStack() as running:
        made = Cluster(network, Path(folder))
        running.enter_context(create_network(network))
        for node in network.nodes:
            make_disk(made.file(node, "disk"))
            running.enter_context(background_process(engine_command(made, node)))
        for command in proxy_commands(network, registry, ports, certificate):
            running.enter_context(background_process(command))
        form_swarm(made)
        yield made


def require_root() -> None:
    """Refuse to begin where no network can be made.

    Raises:
        NotJudgedError: Only root can.
        MissingToolError: Names all programs that are missing.
    """
    if os.geteuid() != 0:
        raise InconclusiveError(
            CHECK, "only root may make the networks of nodes", hint="sudo, or leave --nodes out"
        )
    if missing := [tool for tool in REQUIRED_TOOLS if shutil.which(tool) is None]:
        where = "; ".join(f"{tool}: {REQUIRED_TOOLS[tool]}" for tool in missing)
        raise MissingToolError(f"not here: {', '.join(missing)}", hint=where)


def engine_command(made: Cluster, node: Node) -> Command:
    """Return the command that is a node's engine, once its settings are written."""
    made.file(node, "json").write_text(json.dumps(engine_config(made, node)))
    apart = ("unshare", "--mount", "--uts", "sh", "-euc", START_SCRIPT)
    return node.inside(*apart, "sh", node.name, str(made.folder / node.name))


def make_disk(file: Path) -> None:
    """Make an empty disk: without a journal, since it is thrown away, and all of it for anybody."""
    with file.open("wb") as room:
        room.truncate(DISK_BYTES)
    command_output(("mkfs.ext4", "-q", "-O", "^has_journal", "-m", "0", str(file)))


def engine_config(made: Cluster, node: Node) -> Mapping[str, object]:
    """Return the settings of a node's engine; those of this machine's own do not count."""
    return {
        "data-root": str(made.folder / node.name),
        "exec-root": "/run/docker",
        "hosts": [made.engine(node).host],
        "pidfile": str(made.file(node, "pid")),
        "shutdown-timeout": STOP_TIMEOUT,
    }


def proxy_commands(
    network: Network, registry: str, ports: Sequence[int], certificate: str
) -> Iterator[Command]:
    """Yield the commands that lead from each node to the registry, and from here to the edges."""
    passing = (sys.executable, "-m", load_balancer.__name__)
    loopback, _, port = registry.partition(":")
    entrance = f"{network.host_address}:{port}"
    yield *passing, entrance, registry
    for node in network.nodes:
        yield node.inside(*passing, registry, entrance)
    for edge in ports:
        edges = [f"{node.address}:{edge}" for node in network.nodes]
        yield *passing, f"{loopback}:{edge}", *edges, f"--certificate={certificate}"


def form_swarm(made: Cluster) -> None:
    """Make the nodes a swarm.

    Raises:
        CheckFailedError: A node does not come up, or does not join.
    """
    first, *others = made.network.nodes
    for node in made.network.nodes:
        wait_for_engine(made, node)
    made.manager.check_output("swarm", "init", f"--advertise-addr={first.address}")
    token = made.manager.check_output("swarm", "join-token", "--quiet", "worker").strip()
    for node in others:
        where = (f"--advertise-addr={node.address}", f"{first.address}:2377")
        made.engine(node).check_output("swarm", "join", f"--token={token}", *where)


def wait_for_engine(made: Cluster, node: Node) -> None:
    """Wait until an engine answers.

    Raises:
        CheckFailedError: It does not; what it said last is part of it.
    """
    end = time.monotonic() + START_TIMEOUT
    while made.engine(node).run("version").returncode:
        if time.monotonic() > end:
            said = made.file(node, "log").read_text()[-1000:]
            raise CheckFailedError(
                f"{node.name} did not start within {START_TIMEOUT} s\n{said}",
                hint="may root make networks and mounts here? in a container it often may not",
            )
        time.sleep(0.2)
