from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

import dj_database_url
import pytest
from django.core.cache import caches
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import ConnectionHandler

from apps.health import checks
from apps.health.checks import CHECKS, readiness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from django.test import Client
    from django.test.client import _MonkeyPatchedWSGIResponse as Response
    from pytest_django import DjangoDbBlocker, Settings

HEALTH = "/api/v1/health/"
READY = "/api/v1/health/ready/"
VERSION = "/api/v1/version/"
MANIFEST = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"


def failed(response: Response) -> set[str]:
    return {name for name, verdict in response.json()["checks"].items() if verdict == "failed"}


@pytest.fixture
def _unreachable_database(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    url = "postgres://owner:swordfish@127.0.0.1:1/ledger"
    unreachable = ConnectionHandler({DEFAULT_DB_ALIAS: dict(dj_database_url.parse(url))})
    usual = connections[DEFAULT_DB_ALIAS]
    connections[DEFAULT_DB_ALIAS] = unreachable[DEFAULT_DB_ALIAS]
    with django_db_blocker.unblock():
        yield
    connections[DEFAULT_DB_ALIAS] = usual


@pytest.mark.usefixtures("_unreachable_database")
def test_health_without_database(client: Client) -> None:
    response = client.get(HEALTH)

    assert response.status_code == 200
    assert response.json() == {"status": "ok"}


@pytest.mark.django_db
def test_ready(client: Client) -> None:
    response = client.get(READY)

    assert response.status_code == 200
    assert response.json() == {"status": "ok", "checks": dict.fromkeys(CHECKS, "ok")}


@pytest.mark.django_db
def test_ready_pending_migration(client: Client) -> None:
    MigrationRecorder(connection).record_unapplied("projects", "0001_initial")
    response = client.get(READY)

    assert response.status_code == 503
    assert failed(response) == {"migrations"}


@pytest.mark.usefixtures("_unreachable_database")
def test_ready_without_database(client: Client) -> None:
    response = client.get(READY)

    assert response.status_code == 503
    assert response.json()["status"] == "failed"
    assert failed(response) == {"database", "migrations"}


@pytest.mark.usefixtures("_unreachable_database")
def test_ready_logs_failure(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    client.get(READY)

    assert "the readiness check database failed" in caplog.text
    assert "swordfish" not in caplog.text


@pytest.mark.django_db
@pytest.mark.parametrize("path", [HEALTH, READY, VERSION])
def test_response_is_not_cached(client: Client, path: str) -> None:
    assert "no-store" in client.get(path)["Cache-Control"]


@pytest.mark.django_db
def test_ready_without_cache(client: Client, settings: Settings) -> None:
    unreachable = "redis://:swordfish@127.0.0.1:1/0"
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": unreachable,
        }
    }
    response = client.get(READY)

    assert response.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert failed(response) == {"cache"}


@pytest.mark.django_db
def test_ready_cache_without_storage(client: Client, settings: Settings) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}

    assert failed(client.get(READY)) == {"cache"}


@pytest.mark.django_db
def test_ready_without_static_files(client: Client, settings: Settings, tmp_path: Path) -> None:
    settings.STATIC_ROOT = str(tmp_path)
    settings.STORAGES = {"staticfiles": {"BACKEND": MANIFEST}}

    assert failed(client.get(READY)) == {"static"}


@pytest.mark.django_db
def test_ready_with_static_files(client: Client, settings: Settings, tmp_path: Path) -> None:
    manifest = '{"version": "1.1", "hash": "0", "paths": {"admin/base.css": "admin/base.0.css"}}'
    (tmp_path / "staticfiles.json").write_text(manifest)
    settings.STATIC_ROOT = str(tmp_path)
    settings.STORAGES = {"staticfiles": {"BACKEND": MANIFEST}}

    assert failed(client.get(READY)) == set()


@pytest.mark.redis
@pytest.mark.django_db
def test_ready_with_redis(client: Client) -> None:
    assert type(caches["default"]).__name__ == "RedisCache"
    assert client.get(READY).json()["checks"]["cache"] == "ok"


def test_version(client: Client, settings: Settings) -> None:
    settings.VERSION = {"release": "v1.2.3", "commit": "0123456", "deploy_id": "deploy-7"}
    response = client.get(VERSION)

    assert response.status_code == HTTPStatus.OK
    assert response.json() == settings.VERSION


def test_ready_skips_dependent_checks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checked: list[str] = []

    def away(name: str) -> bool:
        checked.append(name)
        raise OSError

    monkeypatch.setattr(checks, "CHECKS", {name: partial(away, name) for name in CHECKS})

    assert set(readiness().values()) == {"failed"}
    assert checked == ["database", "cache", "static"]
