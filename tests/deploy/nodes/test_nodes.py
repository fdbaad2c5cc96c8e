"""Nodes go away while a release is rolled out, and come back: no user on another one notices."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pytest

from pipeline.rehearsal.loss import until
from pipeline.rehearsal.nodes import Cluster
from pipeline.run import Output
from tests.deploy.catalogue import Case, each
from tests.deploy.site import ENV, Site
from tests.deploy.test_preflight import INPUT
from tests.deploy.variants import docker

BACK_WITHIN = 180
WORKER = 2
CUT = {
    "N2": ("a link cut in the preview", "preview"),
    "N3": ("a link cut in the roll", "roll backend"),
    "N4": ("a link cut in the bake", "bake"),
}


@pytest.fixture
def cluster(site: Site) -> Cluster:
    assert site.yard.cluster
    return site.yard.cluster


@pytest.mark.fault("A18", "a node that is no manager, to deploy through")
def test_a18_who_is_no_manager_is_not_deployed_through(
    site: Site, case: Case, cluster: Cluster
) -> None:
    worker = cluster.engine(cluster.network.nodes[WORKER]).variables()
    variables = {**site.yard.variables, **worker}
    elsewhere = replace(site.yard, variables=variables, cluster=None)
    deploy = ("deploy", *ENV, f"--release={site.first}")
    case.caught(lambda: elsewhere.invoke(*deploy), code=INPUT, at="manager")


@pytest.mark.fault("N1", "a node that somebody drains in the middle of the roll")
def test_n1_a_node_may_be_drained_while_a_release_is_rolled_out(
    site: Site, case: Case, cluster: Cluster
) -> None:
    node = cluster.network.nodes[WORKER].name

    def drain(_: object) -> None:
        docker("node", "update", "--availability=drain", node, **site.yard.engines[0])

    commit = site.variants.release("LABEL drained=1")
    case.served(partial(site.deploy_and, commit, "roll backend", drain), "smoke done")
    docker("node", "update", "--availability=active", node, **site.yard.engines[0])
    assert site.rollback().returncode == 0


@pytest.mark.parametrize("step", each(CUT))
def test_n2_a_node_may_be_cut_off_while_a_release_is_rolled_out(
    site: Site, case: Case, cluster: Cluster, step: str
) -> None:
    commit = site.variants.release(f"LABEL cut='{step}'")

    def act() -> Output:
        with plugged_again(site, cluster):
            return site.deploy_and(commit, step, lambda _: pull(site, cluster))

    case.served(act, "smoke done")
    assert site.rollback().returncode == 0


def pull(site: Site, cluster: Cluster) -> None:
    """Pull the plug of a worker."""
    cluster.network.plug(cluster.network.nodes[WORKER], "down")
    site.cuts.append(time.time())


@contextmanager
def plugged_again(site: Site, cluster: Cluster) -> Iterator[None]:
    """Put the plug back afterwards, and wait until the swarm knows."""
    node = cluster.network.nodes[WORKER]
    try:
        yield
    finally:
        cluster.network.plug(node, "up")
        state = ("node", "inspect", "--format={{.Status.State}}", node.name)
        until(
            lambda: docker(*state, **site.yard.engines[0]) == "ready", "it is not back", BACK_WITHIN
        )
