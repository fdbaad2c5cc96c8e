"""A site is closed by a file that its edge looks for; we are let in all the time."""

import pytest

from pipeline.config import load
from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.cluster.one_shot_jobs import JobFailedError
from pipeline.deploy.commands import status
from pipeline.deploy.commands.maintenance import bypass_headers, maintenance_since, set_maintenance
from pipeline.deploy.rollout.edge import edge_config_name
from pipeline.deploy.state.audit_log import entries
from pipeline.errors import InputError
from tests.unit.deploy.factories import IMAGES, INSTANT_TIMINGS, make_environment
from tests.unit.deploy.fake_swarm import FakeSwarm

STAGING = make_environment(timings=INSTANT_TIMINGS)
EDGE = IMAGES["frontend"]


def have_edge(engine: FakeSwarm, configuration: str) -> None:
    engine.start_service("shop_edge", EDGE, [], 1, "running")
    container = engine.objects("service")["shop_edge"]["Spec"]["TaskTemplate"]["ContainerSpec"]
    container["Configs"] = [{"ConfigName": configuration}]


@pytest.fixture
def site(engine: FakeSwarm) -> FakeSwarm:
    have_edge(engine, edge_config_name("shop"))
    return engine


def test_a_site_is_closed_and_opened_on_every_node_and_everybody_sees_who_did_it(
    site: FakeSwarm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTOR", "ada")
    set_maintenance(STAGING, "on")
    received = site.options["shop-maintenance"]
    assert received[-2:] == ("maintenance.sh", "on")
    volume = "--mount=type=volume,source=shop-assets,destination=/published"
    assert {"--mode=global", volume} <= {*received}
    assert status.status(STAGING) == 0
    assert "closed    for maintenance, since 20" in capsys.readouterr().out
    assert maintenance_since(DeployTarget(STAGING, site)).endswith(" by ada")
    set_maintenance(STAGING, "off")
    assert site.options["shop-maintenance"][-1] == "off"
    assert maintenance_since(DeployTarget(STAGING, site)) == ""
    assert [(act.what, act.outcome) for act in entries(site, "shop")] == [
        ("on", "succeeded"),
        ("off", "succeeded"),
    ]


def test_who_has_the_token_is_let_in_while_it_is_closed(site: FakeSwarm) -> None:
    values = {"PREVIEW_TOKEN": "swordfish"}
    assert bypass_headers(DeployTarget(STAGING, site, values)) == {}
    set_maintenance(STAGING, "on")
    assert bypass_headers(DeployTarget(STAGING, site, values)) == {
        load().app.bypass_header: "swordfish"
    }


def test_a_node_that_cannot_be_told_leaves_the_site_said_to_be_closed(site: FakeSwarm) -> None:
    site.ends[EDGE] = "failed"
    for state in ("on", "off"):
        with pytest.raises(JobFailedError):
            set_maintenance(STAGING, state)
        assert maintenance_since(DeployTarget(STAGING, site))


@pytest.mark.parametrize("state", ["", "yes", "ON"])
def test_there_are_two_states(site: FakeSwarm, state: str) -> None:
    with pytest.raises(InputError, match="no such state"):
        set_maintenance(STAGING, state)
    assert site.requested == []


def test_an_edge_that_does_not_look_for_the_file_is_refused(engine: FakeSwarm) -> None:
    with pytest.raises(InputError, match="staging has no edge yet"):
        set_maintenance(STAGING, "on")
    have_edge(engine, "shop-edge-01234567")
    with pytest.raises(InputError, match=r"runs another deploy/edge\.conf") as caught:
        set_maintenance(STAGING, "on")
    assert "invoke renew-edge" in caught.value.hint
    assert maintenance_since(DeployTarget(STAGING, engine)) == ""
