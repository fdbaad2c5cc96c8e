"""The stack file of a release: images by digest, its secrets, and no other variables."""

from typing import Any

import pytest
from ruamel.yaml import YAML

from pipeline.deploy.cluster.stackfile import (
    Release,
    preview_service,
    render_services,
    service_environment,
    stack_file,
    with_deploy_id,
)
from tests.conftest import ROOT
from tests.unit.deploy.factories import IMAGES, make_environment, make_release

STAGING = make_environment(
    replicas=3,
    variables={"DJANGO_ALLOWED_HOSTS": "shop.example.com", "DEPLOY_ID": "mine", "LOG": "no"},
    timings={"start_timeout": 40, "delay": 7, "monitor": 9, "stop_grace_period": 30, "drain": 4},
)
RELEASE = make_release()

Services = dict[str, dict[str, Any]]


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.fixture
def services() -> Services:
    return render_services(STAGING, RELEASE)


def parsed(text: str) -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    return found


def test_both_services_run_by_digest(services: Services) -> None:
    images = {name: service["image"] for name, service in services.items()}
    assert images == {name: RELEASE.images[name] for name in IMAGES}
    assert set(services) == set(IMAGES)


def test_only_the_backend_has_secrets_and_only_its_user_may_read_them(services: Services) -> None:
    assert services["frontend"]["secrets"] == []
    assert services["backend"]["secrets"] == [
        {
            "source": "shop-database_url-01234567",
            "target": "DATABASE_URL",
            "uid": "10001",
            "gid": "10001",
            "mode": 0o400,
        }
    ]


def test_the_app_is_told_where_and_what_it_is_and_nobody_can_say_otherwise(
    services: Services,
) -> None:
    assert services["backend"]["environment"] == {
        "TRUSTED_PROXIES": "1",
        "DJANGO_ALLOWED_HOSTS": "shop.example.com",
        "LOG": "no",
        "DEPLOY_ID": "deploy-1",
        "DRAIN_SECONDS": "4",
        "ENVIRONMENT": "staging",
        "RELEASE": "v1.0.1",
        "COMMIT": RELEASE.commit,
    }
    assert services["frontend"]["environment"] == {
        "DEPLOY_ID": "deploy-1",
        "DRAIN_SECONDS": "4",
        "ENVIRONMENT": "staging",
        "RELEASE": "v1.0.1",
    }


def test_the_page_is_told_where_to_report_errors_and_nothing_else_of_the_app_s() -> None:
    dsn = "https://key@sentry.example.com/1"
    place = make_environment(variables={"SENTRY_DSN": dsn, "LOG": "no"})
    received = service_environment("frontend", place, RELEASE)
    assert received["SENTRY_DSN"] == dsn
    assert "LOG" not in received


@pytest.mark.parametrize("name", sorted(IMAGES))
def test_the_timings_and_the_labels_are_those_of_the_environment(
    services: Services, name: str
) -> None:
    deploy = services[name]["deploy"]
    assert services[name]["stop_grace_period"] == "30s"
    assert services[name]["healthcheck"] == {"interval": "2s", "start_period": "40s"}
    assert (deploy["update_config"]["delay"], deploy["update_config"]["monitor"]) == ("7s", "9s")
    assert deploy["labels"] == {"release": "v1.0.1", "deploy-id": "deploy-1"}
    assert deploy["replicas"] == 3


@pytest.mark.parametrize("name", sorted(IMAGES))
def test_a_new_replica_starts_before_an_old_one_stops(services: Services, name: str) -> None:
    deploy = services[name]["deploy"]
    assert deploy["endpoint_mode"] == "dnsrr"
    assert deploy["update_config"]["order"] == "start-first"
    assert deploy["update_config"]["parallelism"] == 1


def test_a_preview_is_one_replica_that_asks_the_other_preview(services: Services) -> None:
    shown = {name: preview_service(service, name) for name, service in services.items()}
    assert [service["deploy"]["replicas"] for service in shown.values()] == [1, 1]
    assert shown["frontend"]["environment"] == {
        **services["frontend"]["environment"],
        "BACKEND_UPSTREAM": "backend-next:8000",
    }
    assert "BACKEND_UPSTREAM" not in shown["backend"]["environment"]
    assert services == render_services(STAGING, RELEASE), "what is rolled later was changed"


def test_an_earlier_deployment_is_another_one_when_it_comes_back(services: Services) -> None:
    again = with_deploy_id(services, "deploy-2")
    expected = render_services(STAGING, Release(**{**vars(RELEASE), "deploy_id": "deploy-2"}))
    assert again == expected
    assert services == render_services(STAGING, RELEASE), "the journal's own memory was changed"


def test_a_document_has_the_asked_services_and_only_what_they_use(services: Services) -> None:
    whole = parsed(stack_file("shop", services))
    assert whole["services"] == services
    assert whole["secrets"] == {"shop-database_url-01234567": {"external": True}}
    assert whole["networks"] == {"app": {"external": True, "name": "shop-app"}}

    page = parsed(stack_file("shop", {"frontend": services["frontend"]}))
    assert page["services"] == {"frontend": services["frontend"]}
    assert page["secrets"] == {}


def test_a_document_names_configs_and_volumes_once() -> None:
    volumes = [{"type": "tmpfs", "target": "/cache"}, {"type": "volume", "source": "assets"}]
    service = {"configs": [{"source": "shop-edge-1"}], "volumes": volumes}
    found = parsed(stack_file("shop", {"edge": service, "other": service}))
    assert found["configs"] == {"shop-edge-1": {"external": True}}
    assert found["volumes"] == {"assets": {"name": "shop-assets"}}


@pytest.mark.parametrize("value", ["yes", "1.0", "123456e78901", "0x10", "", "a: b", "é\n", "null"])
def test_a_value_reaches_the_engine_as_the_text_that_it_is(value: str) -> None:
    found = parsed(stack_file("shop", {"backend": {"environment": {"NAME": value}}}))
    assert found["services"]["backend"]["environment"] == {"NAME": value}


def test_a_dollar_stays_one_though_docker_fills_in_variables() -> None:
    text = stack_file("shop", {"backend": {"environment": {"NAME": "a$HOME"}}})
    assert "a$$HOME" in text
