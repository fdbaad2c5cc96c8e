"""D of the catalogue: what happens to requests that are under way while everything is replaced."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from pipeline.process import CommandResult
from tests.acceptance.deploy.fault_report import FaultCase, fault_params
from tests.acceptance.deploy.live_site import LiveSite
from tests.acceptance.deploy.release_variants import append_layer, docker
from tests.acceptance.deploy.test_bad_releases import STOPPED
from tests.acceptance.deploy.test_preflight import INPUT, SETTINGS

LONG = "/api/v1/version/?sleep=20"
BEHIND_THE_PROXY = {
    "D12": ("it does not believe the edge that users speak TLS", "SECURE_PROXY_SSL_HEADER = None"),
    "D12b": ("its cookies are for another domain", 'SESSION_COOKIE_DOMAIN = "example.org"'),
}


@pytest.mark.fault("D3", "replicas that leave at once, whoever still knows their address")
def test_d3_who_asks_a_replica_that_has_left_is_sent_to_another(
    site: LiveSite, case: FaultCase
) -> None:
    with site.with_timings(drain=0):
        commit = site.variants.release("LABEL drained=0")
        case.assert_served(lambda: site.deploy(commit), "smoke done")
    assert site.rollback().returncode == 0


@pytest.mark.fault("D4", "replicas that are not given the time to finish a request")
def test_d4_too_little_time_to_finish_is_found_in_the_settings(
    site: LiveSite, case: FaultCase
) -> None:
    def act() -> CommandResult:
        with site.with_timings(stop_grace_period=1):
            return site.deploy(site.first)

    case.assert_caught(act, code=INPUT, at="timings.grace")


@pytest.mark.fault("D7", "an edge that reads its settings anew, in the middle of a roll")
def test_d7_an_edge_that_is_reloaded_finishes_what_it_has_begun(
    site: LiveSite, case: FaultCase
) -> None:
    commit = site.variants.release("LABEL reloaded=1")
    (edge,) = site.containers("edge")

    def reload(_: object) -> None:
        docker("kill", "--signal=HUP", edge)

    act = partial(site.deploy_with_event, commit, "roll backend", reload)
    case.assert_served(partial(asked_meanwhile, site, act), "smoke done")
    assert site.rollback().returncode == 0


@pytest.mark.fault("D8", "another configuration of the edge, with a release")
def test_d8_a_release_does_not_start_the_edge_anew(site: LiveSite, case: FaultCase) -> None:
    edge = site.containers("edge")
    with site.with_config("server_tokens off;", "server_tokens off; #", "deploy/edge.conf"):
        commit = site.variants.release("LABEL edge=1")
        case.assert_served(lambda: site.deploy(commit), "smoke done")
    assert site.containers("edge") == edge
    assert site.rollback().returncode == 0


@pytest.mark.fault("D9", "requests of twenty seconds while replicas leave")
def test_d9_a_long_request_is_finished_by_the_replica_that_leaves(
    site: LiveSite, case: FaultCase
) -> None:
    commit = site.variants.release("LABEL long=1")
    case.assert_served(partial(asked_meanwhile, site, partial(site.deploy, commit)), "smoke done")
    assert site.rollback().returncode == 0


def asked_meanwhile(site: LiveSite, act: partial[CommandResult]) -> CommandResult:
    """Have users who wait long for an answer, and get it."""
    with ThreadPoolExecutor() as pool:
        asked = [pool.submit(site.ask, LONG) for _ in range(4)]
        output = act()
        assert [request.result() for request in asked] == [200] * 4
    return output


@pytest.mark.fault("D11", "nothing but POST while every replica is replaced")
def test_d11_nothing_is_done_twice(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL once=1")

    def act() -> CommandResult:
        before = site.project_count()
        with site.under_traffic_without_failures({"post": 4}, pause=0.05) as samples:
            output = site.deploy(commit)
        assert site.project_count() - before == len(samples)
        return output

    case.assert_served(act, "smoke done", clients={"get": 1})
    assert site.rollback().returncode == 0


@pytest.mark.parametrize("setting", fault_params(BEHIND_THE_PROXY))
def test_d12_what_breaks_behind_the_edge_is_found_behind_the_edge(
    site: LiveSite, case: FaultCase, setting: str
) -> None:
    commit = site.variants.release(append_layer(SETTINGS, setting))
    case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="preview failed")
