"""D of the catalogue: requests in progress while every replica is replaced."""

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
    "D12": ("it ignores that the edge speaks TLS", "SECURE_PROXY_SSL_HEADER = None"),
    "D12b": ("its cookies are for another domain", 'SESSION_COOKIE_DOMAIN = "example.org"'),
}


@pytest.mark.fault("D3", "replicas that exit immediately, while clients still know their address")
def test_d3_immediate_exit_loses_no_request(site: LiveSite, case: FaultCase) -> None:
    with site.with_timings(drain=0):
        commit = site.variants.release("LABEL drained=0")
        case.assert_served(lambda: site.deploy(commit), "smoke done")
    assert site.rollback().returncode == 0


@pytest.mark.fault("D4", "a grace period too short to finish a request")
def test_d4_short_grace_period_is_refused(site: LiveSite, case: FaultCase) -> None:
    def act() -> CommandResult:
        with site.with_timings(stop_grace_period=1):
            return site.deploy(site.first)

    case.assert_caught(act, code=INPUT, at="timings.stop_grace_period")


@pytest.mark.fault("D7", "an edge that reloads during the roll")
def test_d7_edge_reload_loses_no_request(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL reloaded=1")
    (edge,) = site.containers("edge")

    def reload(_: object) -> None:
        docker("kill", "--signal=HUP", edge)

    act = partial(site.deploy_with_event, commit, "roll backend", reload)
    case.assert_served(partial(asked_meanwhile, site, act), "smoke done")
    assert site.rollback().returncode == 0


@pytest.mark.fault("D8", "a new configuration of the edge with a release")
def test_d8_release_keeps_running_edge(site: LiveSite, case: FaultCase) -> None:
    edge = site.containers("edge")
    with site.with_config("server_tokens off;", "server_tokens off; #", "deploy/edge.conf"):
        commit = site.variants.release("LABEL edge=1")
        case.assert_served(lambda: site.deploy(commit), "smoke done")
    assert site.containers("edge") == edge
    assert site.rollback().returncode == 0


@pytest.mark.fault("D9", "requests of twenty seconds during the roll")
def test_d9_long_requests_finish(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL long=1")
    case.assert_served(partial(asked_meanwhile, site, partial(site.deploy, commit)), "smoke done")
    assert site.rollback().returncode == 0


def asked_meanwhile(site: LiveSite, act: partial[CommandResult]) -> CommandResult:
    """Send long requests inside the block; each must be answered."""
    with ThreadPoolExecutor() as pool:
        requests = [pool.submit(site.ask, LONG) for _ in range(4)]
        output = act()
        assert [request.result() for request in requests] == [200] * 4
    return output


@pytest.mark.fault("D11", "only POST requests while every replica is replaced")
def test_d11_posts_are_not_repeated(site: LiveSite, case: FaultCase) -> None:
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
def test_d12_broken_behind_edge_stops(site: LiveSite, case: FaultCase, setting: str) -> None:
    commit = site.variants.release(append_layer(SETTINGS, setting))
    case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="preview failed")
