from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prometheus_client import REGISTRY

from apps.telemetry.metrics import registry

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import Settings

METRICS = "/metrics"
TOKEN = "swordfish-0123456789-0123456789-01"
HEALTH = "/api/v1/health/"
BACKEND = Path(__file__).resolve().parents[3]
OBSERVE = """
from apps.telemetry.metrics import observe
observe(method="GET", route="shared", status=200, seconds=0.1)
"""


def count(method: str, route: str, status: int) -> float:
    labels = {"method": method, "route": route, "status": str(status)}
    return REGISTRY.get_sample_value("http_request_duration_seconds_count", labels) or 0


@pytest.fixture
def _token(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN


def test_request_is_counted(client: Client) -> None:
    before = count("GET", "api/v1/health/", 200)
    client.get(HEALTH)

    assert count("GET", "api/v1/health/", 200) == before + 1


def test_labels_are_limited(client: Client) -> None:
    before = count("other", "none", 404)
    client.generic("SWORDFISH", "/swordfish/")
    client.generic("TROUT", "/trout/")

    assert count("other", "none", 404) == before + 2


@pytest.mark.usefixtures("_token")
def test_metrics_with_token(client: Client) -> None:
    client.get(HEALTH)
    response = client.get(METRICS, headers={"Authorization": f"Bearer {TOKEN}"})
    text = response.content.decode()

    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain")
    assert "no-store" in response["Cache-Control"]
    assert 'http_request_duration_seconds_count{method="GET",route="api/v1/health/"' in text
    assert TOKEN not in text


@pytest.mark.usefixtures("_token")
@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", TOKEN, "Bearer \xe9"])
def test_metrics_with_wrong_token(client: Client, given: str) -> None:
    assert client.get(METRICS, headers={"Authorization": given}).status_code == 404


@pytest.mark.parametrize("given", ["Bearer ", "Bearer None"])
def test_metrics_without_token(client: Client, given: str) -> None:
    assert client.get(METRICS, headers={"Authorization": given}).status_code == 404


def test_metrics_post(client: Client) -> None:
    assert client.post(METRICS).status_code == 405


def test_metrics_of_several_workers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    for _ in range(2):
        subprocess.run([sys.executable, "-c", OBSERVE], cwd=BACKEND, check=True)

    labels = {"method": "GET", "route": "shared", "status": "200"}
    name = "http_request_duration_seconds_count"
    assert registry(str(tmp_path)).get_sample_value(name, labels) == 2
