"""Nodes go away while a release is rolled out, and come back: no user on another one notices."""

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
"""Requests that may fail until a balancer has noticed, and while a database begins anew."""
FILL = """
import os
left = os.statvfs("/full")
with open("/full/filler", "wb") as file:
    os.posix_fallocate(file.fileno(), 0, left.f_bavail * left.f_frsize - 20 * 2**20)
"""
CUT = {
    "N2": ("a link cut in the preview", "preview"),
    "N3": ("a link cut in the roll", "roll backend"),
    "N4": ("a link cut in the bake", "bake"),
    "N12": ("a link cut in the self-check, which runs on every node", "self-check"),
}
LEADERLESS = {
    "N5": ("the leader of the managers lost in the preview", "preview"),
    "N6": ("the leader of the managers lost in the roll", "roll backend"),
    "N7": ("the leader of the managers lost in the bake", "bake"),
}


@pytest.fixture
def cluster(site: LiveSite) -> Cluster:
    assert site.yard.cluster
    return site.yard.cluster


@pytest.mark.fault("A18", "a node that is no manager, to deploy through")
def test_a18_who_is_no_manager_is_not_deployed_through(
    site: LiveSite, case: FaultCase, cluster: Cluster
) -> None:
    worker = cluster.engine(cluster.network.nodes[WORKER]).docker_env()
    variables = {**site.yard.variables, **worker}
    elsewhere = replace(site.yard, variables=variables, cluster=None)
    deploy = ("deploy", *ENV, f"--release={site.first}")
    case.assert_caught(lambda: elsewhere.invoke(*deploy), code=INPUT, at="manager")


@pytest.mark.fault("N1", "a node that somebody drains in the middle of the roll")
def test_n1_a_node_may_be_drained_while_a_release_is_rolled_out(
    site: LiveSite, case: FaultCase, cluster: Cluster
) -> None:
    node = cluster.network.nodes[WORKER].name

    def drain(_: object) -> None:
        docker("node", "update", "--availability=drain", node, **site.yard.engines[0])

    commit = site.variants.release("LABEL drained=1")
    case.assert_served(partial(site.deploy_with_event, commit, "roll backend", drain), "smoke done")
    docker("node", "update", "--availability=active", node, **site.yard.engines[0])
    assert site.rollback().returncode == 0


@pytest.mark.parametrize("step", fault_params(CUT))
def test_n2_a_node_may_be_cut_off_while_a_release_is_rolled_out(
    site: LiveSite, case: FaultCase, cluster: Cluster, step: str
) -> None:
    commit = site.variants.release(f"LABEL cut='{step}'")
    node = cluster.network.nodes[WORKER]
    case.assert_served(lambda: deploy_and_cut(site, cluster, commit, step, node), "smoke done")
    assert site.rollback().returncode == 0


@pytest.mark.parametrize("step", fault_params(LEADERLESS))
def test_n5_managers_may_lose_their_leader_while_a_release_is_rolled_out(
    site: LiveSite, case: FaultCase, cluster: Cluster, step: str
) -> None:
    commit = site.variants.release(f"LABEL leaderless='{step}'")
    node = another_leader(cluster)
    wait_until(lambda: serves(site), "the site is not back", BACK_WITHIN)
    said = case.assert_served(
        lambda: deploy_and_cut(site, cluster, commit, step, node), "smoke done"
    )
    assert leader(cluster) not in {None, node}, said
    assert site.rollback().returncode == 0


@pytest.mark.fault("N8", "a node that has lost the image to go back to")
def test_n8_a_node_without_an_image_fetches_it(site: LiveSite, case: FaultCase) -> None:
    (before,) = {*site.containers("backend").values()}
    assert site.deploy(site.variants.release("LABEL fetched=1")).returncode == 0
    docker("image", "rm", "--force", before, **site.yard.engines[WORKER])
    case.assert_served(site.rollback, "smoke done")


@pytest.mark.fault("N9", "an engine killed in the middle of the roll, and begun again")
def test_n9_an_engine_may_die_while_a_release_is_rolled_out(
    site: LiveSite, case: FaultCase, cluster: Cluster
) -> None:
    """Its edge finds no replica any more, until the balancer has noticed."""
    node = serving_worker(site, cluster)
    commit = site.variants.release("LABEL killed=1")
    kill = partial(deploy_and_end, site, cluster, commit, node, signal.SIGKILL)
    case.assert_served(kill, "smoke done", failures=UNNOTICED)
    assert site.rollback().returncode == 0


@pytest.mark.fault("N10", "the engine that is deployed through, and has the data, begun again")
def test_n10_the_engine_with_the_data_may_begin_anew_while_a_release_is_rolled_out(
    site: LiveSite, case: FaultCase, cluster: Cluster
) -> None:
    """Nobody else has the data: where too many requests fail meanwhile, they take it back."""
    node = cluster.network.nodes[0]
    commit = site.variants.release("LABEL restarted=1")
    restart = partial(deploy_and_end, site, cluster, commit, node, signal.SIGTERM)
    case.assert_served(restart, "roll backend", codes={0, ROLLED_BACK}, failures=WITHOUT_DATA)
    assert site.deploy(site.first).returncode == 0


@pytest.mark.fault("N11", "a node whose disk is full")
def test_n11_a_node_without_room_for_an_image_is_found_out(
    site: LiveSite, case: FaultCase, cluster: Cluster
) -> None:
    engine = cluster.engine(cluster.network.nodes[WORKER]).docker_env()
    commit = site.variants.release("RUN head -c 100M /dev/urandom > /large")
    with full_disk(site, engine):
        said = case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="self-check failed")
    assert "a full disk" in said


@contextmanager
def full_disk(site: LiveSite, engine: Mapping[str, str]) -> Iterator[None]:
    """Have a node whose disk has room for hardly anything."""
    (image,) = {*site.containers("backend").values()}
    volume = "--mount=type=volume,source=full,destination=/full"
    fill = ("run", "--rm", "--user=0:0", "--entrypoint=python", volume, image, "-c", FILL)
    docker(*fill, **engine)
    try:
        yield
    finally:
        docker("volume", "rm", "full", **engine)


def serving_worker(site: LiveSite, cluster: Cluster) -> Node:
    """Return a node that has a replica of the backend, and is not deployed through."""
    of = f"--filter=label=com.docker.swarm.service.name={site.service('backend')}"
    workers = cluster.network.nodes[1:]
    asked = {
        node: docker("ps", "--quiet", of, **cluster.engine(node).docker_env()) for node in workers
    }
    return next(node for node, found in asked.items() if found)


def deploy_and_end(
    site: LiveSite, cluster: Cluster, commit: str, node: Node, number: signal.Signals
) -> CommandResult:
    """Deploy a commit, and end a node's engine in the roll; it begins anew by itself."""

    def end(_: object) -> None:
        site.cuts.append(time.time())
        os.kill(int(cluster.file(node, "pid").read_text()), number)

    return site.deploy_with_event(commit, "roll backend", end)


def deploy_and_cut(
    site: LiveSite, cluster: Cluster, commit: str, step: str, node: Node
) -> CommandResult:
    """Deploy a commit, and pull a node's plug in a step of it; put it back afterwards."""

    def pull(_: object) -> None:
        cluster.network.set_link(node, "down")
        site.cuts.append(time.time())

    with plugged_again(cluster, node):
        return site.deploy_with_event(commit, step, pull)


@contextmanager
def plugged_again(cluster: Cluster, node: Node) -> Iterator[None]:
    """Put a plug back afterwards, and wait until the swarm knows."""
    try:
        yield
    finally:
        cluster.network.set_link(node, "up")
        wait_until(lambda: states(cluster).get(node.name) == "Ready", "it is not back", BACK_WITHIN)


def serves(site: LiveSite) -> bool:
    """Say whether all replicas are ready; one of them answers each time."""
    try:
        return {site.ask(READY) for _ in range(10)} == {HTTPStatus.OK}
    except OSError:
        return False


def states(cluster: Cluster, what: str = "Status", asked: int = 0) -> dict[str, str]:
    """Return what a manager knows of each node; nothing, while there is no leader."""
    listing = ("node", "ls", f"--format={{{{.Hostname}}}} {{{{.{what}}}}}")
    manager = cluster.engine(cluster.network.nodes[asked])
    rows = manager.run_once(*listing, stdin="", seconds=10).stdout.splitlines()
    return {name: state for name, _, state in (row.partition(" ") for row in rows)}


def leader(cluster: Cluster, asked: int = 0) -> Node | None:
    """Return the node that leads, as a manager has it."""
    found = states(cluster, "ManagerStatus", asked)
    return next((node for node in cluster.network.nodes if found.get(node.name) == "Leader"), None)


def another_leader(cluster: Cluster) -> Node:
    """Have all nodes manage, and another one lead than that which is deployed through."""
    first, *others = cluster.network.nodes
    cluster.manager.check_output("node", "promote", *(node.name for node in others))
    managing = partial(states, cluster, "ManagerStatus")
    wait_until(lambda: {*managing().values()} == MANAGE, "they do not manage", CHOSEN_WITHIN)
    if leader(cluster) == first:
        with plugged_again(cluster, first):
            cluster.network.set_link(first, "down")
            wait_until(lambda: leader(cluster, WORKER) in others, "none is chosen", CHOSEN_WITHIN)
    found = leader(cluster)
    assert found in others, found
    return found


@pytest.fixture
def paused(site: LiveSite, cluster: Cluster) -> Iterator[str]:
    """A node that takes no work, with what it has."""
    name = cluster.network.nodes[WORKER].name
    update = ("node", "update", name)
    docker(*update, "--availability=pause", **site.yard.engines[0])
    yield name
    docker(*update, "--availability=active", **site.yard.engines[0])


@pytest.mark.fault("N13", "one node of three that is paused")
def test_n13_a_node_that_is_paused_does_not_stop_the_others(
    site: LiveSite, case: FaultCase, paused: str
) -> None:
    commit = site.variants.release("LABEL one_paused=1")
    case.assert_served(lambda: site.deploy(commit), "smoke done")
    found = site.yard.invoke("doctor", "--env=staging")
    assert f"docker node update --availability=active {paused}" in found.stdout
    assert site.rollback().returncode == 0


@pytest.mark.fault("N14", "a node that is paused, and has the data, before a migration")
def test_n14_a_dump_on_a_node_that_is_paused_is_given_up(
    site: LiveSite, case: FaultCase, cluster: Cluster
) -> None:
    """The dump has to lie where the data are, so that no other node can make it."""
    name, first = cluster.network.nodes[0].name, site.yard.engines[0]
    column = 'migrations.AddField("project", "n14", models.CharField(max_length=9, null=True))'
    commit = site.variants.release(migration_layer("9976_n14", column))
    docker("node", "update", "--availability=pause", name, **first)
    try:
        said = case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="dump failed")
    finally:
        docker("node", "update", "--availability=active", name, **first)
    assert f"paused, drained or down: {name} Ready Pause" in said
