"""The foundation of an environment is created once, and not changed by later deployments."""

import json

import pytest

from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.rollout.edge import edge_service, preview_token_map
from pipeline.deploy.rollout.infrastructure import ensure_infrastructure
from pipeline.errors import InputError
from tests.unit.deploy.factories import IMAGES, INSTANT_TIMINGS, make_environment
from tests.unit.deploy.fake_swarm import FakeSwarm

STAGING = make_environment(
    timings=INSTANT_TIMINGS,
    managed_data=True,
    port=8443,
    required_secrets=[*make_environment().secrets, "POSTGRES_PASSWORD"],
)
VALUES = {name: f"swordfish-{name}" for name in STAGING.secrets}


@pytest.fixture(autouse=True)
def certified(pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a certificate that is good for the site."""
    for name, value in zip(("TLS_CERTIFICATE", "TLS_KEY"), pair, strict=True):
        monkeypatch.setitem(VALUES, name, value)


ALL = {**IMAGES, "postgres": "postgres@sha256:3", "redis": "redis@sha256:4"}


def written(engine: FakeSwarm) -> set[str]:
    return set(engine.objects("service"))


def test_the_edge_and_the_data_are_brought_where_there_are_none(engine: FakeSwarm) -> None:
    ensure_infrastructure(DeployTarget(STAGING, engine, VALUES), ALL)
    assert written(engine) == {"shop_edge", "shop_postgres", "shop_redis"}
    assert set(engine.objects("network")) == {"shop-app"}
    kinds = sorted(name.rsplit("-", 1)[0] for name in engine.objects("secret"))
    assert kinds == [
        "shop-postgres_password", "shop-preview.conf", "shop-tls_certificate", "shop-tls_key"
    ]  # fmt: skip
    assert "swordfish" not in json.dumps(engine.objects("service"))


def test_an_environment_with_data_of_its_own_is_brought_the_edge_alone(engine: FakeSwarm) -> None:
    ensure_infrastructure(
        DeployTarget(make_environment(timings=INSTANT_TIMINGS), engine, VALUES), IMAGES
    )
    assert written(engine) == {"shop_edge"}


def test_what_is_there_is_left_alone(engine: FakeSwarm) -> None:
    ensure_infrastructure(DeployTarget(STAGING, engine, VALUES), ALL)
    engine.requested.clear()
    ensure_infrastructure(DeployTarget(STAGING, engine, VALUES), ALL)
    assert "stack deploy shop" not in engine.requested


def node_of(engine: FakeSwarm, service: str) -> list[str]:
    """Return where a service has to run."""
    template = engine.objects("service")[service]["Spec"]["TaskTemplate"]
    constraints: list[str] = template["Placement"]["Constraints"]
    return constraints


def test_the_data_stay_on_their_node_whichever_is_asked(engine: FakeSwarm) -> None:
    """On another manager PostgreSQL would begin with an empty volume."""
    ensure_infrastructure(DeployTarget(STAGING, engine, VALUES), ALL)
    engine.facts["info"] = "node-2"
    for each in engine.tasks_of("shop_postgres"):
        each["Status"]["State"] = "failed"
    ensure_infrastructure(DeployTarget(STAGING, engine, VALUES), ALL)
    assert len(engine.tasks_of("shop_postgres")) == 2
    for service in ("shop_postgres", "shop_redis"):
        assert node_of(engine, service) == ["node.id == node-1"]


def test_the_edge_listens_on_the_port_of_the_environment_on_each_node(engine: FakeSwarm) -> None:
    del engine
    edge, _ = edge_service(STAGING, ALL["frontend"], VALUES)
    port = {"target": 8443, "published": 8443, "mode": "host", "protocol": "tcp"}
    assert edge["ports"] == [port]
    assert {secret["mode"] for secret in edge["secrets"]} == {0o400}


def test_a_secret_that_it_needs_and_nobody_names_is_an_error_that_names_it(
    engine: FakeSwarm,
) -> None:
    given = {name: value for name, value in VALUES.items() if name != "POSTGRES_PASSWORD"}
    with pytest.raises(InputError, match="POSTGRES_PASSWORD is not among those"):
        ensure_infrastructure(DeployTarget(STAGING, engine, given), ALL)
    assert written(engine) == set()


def test_only_who_has_the_token_sees_what_is_not_live_yet() -> None:
    token = "0123456789abcdef"
    assert preview_token_map(token).splitlines() == [
        f'map $http_x_preview $next {{ default ""; "{token}" -next; }}',
        f'map $http_x_preview$http_x_insider $insider {{ default ""; "~{token}" 1; }}',
    ]


@pytest.mark.parametrize("token", ["short", '0123456789abcdef" -next; "', "0123456789abcde$host"])
def test_a_token_that_nginx_would_understand_is_refused(token: str) -> None:
    with pytest.raises(InputError, match="PREVIEW_TOKEN must have at least 16 characters"):
        preview_token_map(token)
