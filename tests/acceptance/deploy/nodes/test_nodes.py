"""N of the catalogue: nodes, engines and leaders fail during a deploy on three nodes."""

import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http import HTTPStatus

import pytest

from pipeline.process import CommandResult
from pipeline.rehearsal.cluster import Cluster
from pipeline.rehearsal.netns import Node
from pipeline.rehearsal.node_failure import wait_until
from tests.acceptance.deploy.fault_report import FaultCase, fault_params
from tests.acceptance.deploy.live_site import ENV, LiveSite
from tests.acceptance.deploy.release_variants import docker, migration_layer
from tests.acceptance.deploy.test_bad_releases import ROLLED_BACK, STOPPED
from tests.acceptance.deploy.test_preflight import INPUT

BACK_WITHIN = 180
CHOSEN_WITHIN = 60
READY = "/api/v1/health/ready/"
MANAGE = {"Leader", "Reachable"}
WORKER = 2
UNNOTICED, WITHOUT_DATA = 50, 500
"""Allowed failed requests until the load balancer notices, and while the database restarts."""
FILL = """
import os
left = os.statvfs("/full")
with open("/full/filler", "wb") as file:
    os.posix_fallocate(file.fileno(), 0, left.f_bavail * left.f_frsize - 20 * 2**20)
"""
CUT = {
    "N2": ("a network cut in the preview", "preview"),
    "N3": ("a network cut in the roll", "roll backend"),
    "N4": ("a network cut in the bake", "bake"),
    "N12": ("a network cut in the self-check, which runs on every node", "self-check"),
}
LEADERLESS = {
    "N5": ("the leader of the managers lost in the preview", "preview"),
    "N6": ("the leader of the managers lost in the roll", "roll backend"),
    "N7": ("the leader of the managers lost in the bake", "bake"),
}


@pytest.fixture
def cluster(site: LiveSite) -> Cluster:
    assert site.sandbox.cluster
    return site.sandbox.cluster


@pytest.mark.fault("A18", "a worker node as the manager")
def test_a18_worker_as_manager_is_refused(
    site: LiveSite, case: FaultCase, cluster: Cluster
) -> None:
    worker = cluster.engine(cluster.network.nodes[WORKER]).docker_env()
    variables = {**site.sandbox.variables, **worker}
    elsewhere = replace(site.sandbox, variables=variables, cluster=None)
    deploy = ("deploy", *ENV, f"--release={site.first}")
    case.assert_caught(lambda: elsewhere.invoke(*deploy), code=INPUT, at="manager")


@pytest.mark.fault("N1", "a node that is drained during the roll")
def test_n1_drain_during_roll(site: LiveSite, case: FaultCase, cluster: Cluster) -> None:
    node = cluster.network.nodes[WORKER].name

    def drain(_: object) -> None:
        docker("node", "update", "--availability=drain", node, **site.sandbox.engines[0])

    commit = site.variants.release("LABEL drained=1")
    case.assert_served(partial(site.deploy_with_event, commit, "roll backend", drain), "smoke done")
    docker("node", "update", "--availability=active", node, **site.sandbox.engines[0])
    assert site.rollback().returncode == 0


@pytest.mark.parametrize("step", fault_params(CUT))
def test_n2_node_cut_off_during_step(
    site: LiveSite, case: FaultCase, cluster: Cluster, step: str
) -> None:
    commit = site.variants.release(f"LABEL cut='{step}'")
    node = cluster.network.nodes[WORKER]
    case.assert_served(lambda: deploy_and_cut(site, cluster, commit, step, node), "smoke done")
    assert site.rollback().returncode == 0


@pytest.mark.parametrize("step", fault_params(LEADERLESS))
def test_n5_leader_lost_during_step(
    site: LiveSite, case: FaultCase, cluster: Cluster, step: str
) -> None:
    commit = site.variants.release(f"LABEL leaderless='{step}'")
    node = another_leader(cluster)
    wait_until(lambda: serves(site), "the site is not back", BACK_WITHIN)
    stderr = case.assert_served(
        lambda: deploy_and_cut(site, cluster, commit, step, node), "smoke done"
    )
    assert leader(cluster) not in {None, node}, stderr
    assert site.rollback().returncode == 0


@pytest.mark.fault("N8", "a node that lost the image to roll back to")
def test_n8_node_pulls_missing_image(site: LiveSite, case: FaultCase) -> None:
    (before,) = {*site.containers("backend").values()}
    assert site.deploy(site.variants.release("LABEL fetched=1")).returncode == 0
    docker("image", "rm", "--force", before, **site.sandbox.engines[WORKER])
    case.assert_served(site.rollback, "smoke done")


@pytest.mark.fault("N9", "an engine killed during the roll, and restarted")
def test_n9_engine_killed_during_roll(site: LiveSite, case: FaultCase, cluster: Cluster) -> None:
    """The edge of that node finds no replica until the load balancer notices."""
    node = serving_worker(site, cluster)
    commit = site.variants.release("LABEL killed=1")
    kill = partial(deploy_and_end, site, cluster, commit, node, signal.SIGKILL)
    case.assert_served(kill, "smoke done", failures=UNNOTICED)
    assert site.rollback().returncode == 0


@pytest.mark.fault("N10", "the engine of the manager, which has the data, restarted")
def test_n10_data_engine_restarts_during_roll(
    site: LiveSite, case: FaultCase, cluster: Cluster
) -> None:
    """No other node has the data, so failed requests may roll the release back."""
    node = cluster.network.nodes[0]
    commit = site.variants.release("LABEL restarted=1")
    restart = partial(deploy_and_end, site, cluster, commit, node, signal.SIGTERM)
    case.assert_served(restart, "roll backend", codes={0, ROLLED_BACK}, failures=WITHOUT_DATA)
    assert site.deploy(site.first).returncode == 0


@pytest.mark.fault("N11", "a node with a full disk")
def test_n11_full_disk_stops(site: LiveSite, case: FaultCase, cluster: Cluster) -> None:
    engine = cluster.engine(cluster.network.nodes[WORKER]).docker_env()
    commit = site.variants.release("RUN head -c 100M /dev/urandom > /large")
    with full_disk(site, engine):
        stderr = case.assert_caught(
            lambda: site.deploy(commit), code=STOPPED, at="self-check failed"
        )
    assert "a full disk" in stderr


@contextmanager
def full_disk(site: LiveSite, engine: Mapping[str, str]) -> Iterator[None]:
    """Fill the disk of a node inside the block."""
    (image,) = {*site.containers("backend").values()}
    volume = "--mount=type=volume,source=full,destination=/full"
    fill = ("run", "--rm", "--user=0:0", "--entrypoint=python", volume, image, "-c", FILL)
    docker(*fill, **engine)
    try:
        yield
    finally:
        docker("volume", "rm", "full", **engine)


def serving_worker(site: LiveSite, cluster: Cluster) -> Node:
    """Return a node with a replica of the backend that is not the manager of the deploy."""
    of = f"--filter=label=com.docker.swarm.service.name={site.service('backend')}"
    workers = cluster.network.nodes[1:]
    containers = {
        node: docker("ps", "--quiet", of, **cluster.engine(node).docker_env()) for node in workers
    }
    return next(node for node, found in containers.items() if found)


def deploy_and_end(
    site: LiveSite, cluster: Cluster, commit: str, node: Node, number: signal.Signals
) -> CommandResult:
    """Deploy a commit, and signal a node's engine in the roll; systemd restarts the engine."""

    def end(_: object) -> None:
        site.cuts.append(time.time())
        os.kill(int(cluster.file(node, "pid").read_text()), number)

    return site.deploy_with_event(commit, "roll backend", end)


def deploy_and_cut(
    site: LiveSite, cluster: Cluster, commit: str, step: str, node: Node
) -> CommandResult:
    """Deploy a commit, and cut a node's network in a step; restore it afterwards."""

    def cut(_: object) -> None:
        cluster.network.set_link(node, "down")
        site.cuts.append(time.time())

    with network_restored(cluster, node):
        return site.deploy_with_event(commit, step, cut)


@contextmanager
def network_restored(cluster: Cluster, node: Node) -> Iterator[None]:
    """Restore a node's network afterwards, and wait until the swarm reports it ready."""
    try:
        yield
    finally:
        cluster.network.set_link(node, "up")
        wait_until(lambda: states(cluster).get(node.name) == "Ready", "it is not back", BACK_WITHIN)


def serves(site: LiveSite) -> bool:
    """Return whether ten requests, spread over all replicas, find them ready."""
    try:
        return {site.ask(READY) for _ in range(10)} == {HTTPStatus.OK}
    except OSError:
        return False


def states(cluster: Cluster, what: str = "Status", manager_index: int = 0) -> dict[str, str]:
    """Return the state of each node as a manager reports it; empty without a leader."""
    listing = ("node", "ls", f"--format={{{{.Hostname}}}} {{{{.{what}}}}}")
    manager = cluster.engine(cluster.network.nodes[manager_index])
    rows = manager.run_once(*listing, stdin="", seconds=10).stdout.splitlines()
    return {name: state for name, _, state in (row.partition(" ") for row in rows)}


def leader(cluster: Cluster, manager_index: int = 0) -> Node | None:
    """Return the leader as a manager reports it."""
    found = states(cluster, "ManagerStatus", manager_index)
    return next((node for node in cluster.network.nodes if found.get(node.name) == "Leader"), None)


def another_leader(cluster: Cluster) -> Node:
    """Promote all nodes, and make another node than the manager of the deploy the leader."""
    first, *others = cluster.network.nodes
    cluster.manager.check_output("node", "promote", *(node.name for node in others))
    managing = partial(states, cluster, "ManagerStatus")
    wait_until(lambda: {*managing().values()} == MANAGE, "they do not manage", CHOSEN_WITHIN)
    if leader(cluster) == first:
        with network_restored(cluster, first):
            cluster.network.set_link(first, "down")
            wait_until(lambda: leader(cluster, WORKER) in others, "none is chosen", CHOSEN_WITHIN)
    found = leader(cluster)
    assert found in others, found
    return found


@pytest.fixture
def paused(site: LiveSite, cluster: Cluster) -> Iterator[str]:
    """The name of a paused node; its tasks keep running."""
    name = cluster.network.nodes[WORKER].name
    update = ("node", "update", name)
    docker(*update, "--availability=pause", **site.sandbox.engines[0])
    yield name
    docker(*update, "--availability=active", **site.sandbox.engines[0])


@pytest.mark.fault("N13", "one paused node of three")
def test_n13_one_paused_node_deploys(site: LiveSite, case: FaultCase, paused: str) -> None:
    commit = site.variants.release("LABEL one_paused=1")
    case.assert_served(lambda: site.deploy(commit), "smoke done")
    found = site.sandbox.invoke("doctor", "--env=staging")
    assert f"docker node update --availability=active {paused}" in found.stdout
    assert site.rollback().returncode == 0


@pytest.mark.fault("N14", "a paused node with the data, before a migration")
def test_n14_paused_data_node_stops(site: LiveSite, case: FaultCase, cluster: Cluster) -> None:
    """The dump is written on the node of the data, so no other node can run the job."""
    name, first = cluster.network.nodes[0].name, site.sandbox.engines[0]
    column = 'migrations.AddField("project", "n14", models.CharField(max_length=9, null=True))'
    commit = site.variants.release(migration_layer("9976_n14", column))
    docker("node", "update", "--availability=pause", name, **first)
    try:
        stderr = case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="dump failed")
    finally:
        docker("node", "update", "--availability=active", name, **first)
    assert f"paused, drained or down: {name} Ready Pause" in stderr
