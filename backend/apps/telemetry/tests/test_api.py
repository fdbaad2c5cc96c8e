from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest
    from django.test import Client
    from pytest_django import Settings

BACKEND = Path(__file__).resolve().parents[3]
WORKERS = "/api/v1/health/workers/"
DIES = "from apps.telemetry.metrics import WORKER_DEATHS; WORKER_DEATHS.inc()"


def test_without_a_shared_directory_no_worker_can_tell(client: Client, settings: Settings) -> None:
    settings.METRICS_DIRECTORY = None
    settings.VERSION = {"release": "v1.2.3", "commit": "0123456", "deploy_id": "deploy-7"}
    response = client.get(WORKERS)

    expected = {"deploy_id": "deploy-7", "replica": socket.gethostname(), "died": None}
    assert response.json() == expected
    assert "no-store" in response["Cache-Control"]


def test_a_death_that_another_process_counted_is_told(
    client: Client, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.METRICS_DIRECTORY = str(tmp_path)
    assert client.get(WORKERS).json()["died"] == 0

    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    subprocess.run([sys.executable, "-c", DIES], cwd=BACKEND, check=True)
    assert client.get(WORKERS).json()["died"] == 1
