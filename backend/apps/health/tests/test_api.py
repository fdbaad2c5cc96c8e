from collections.abc import Iterator

import dj_database_url
import pytest
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import ConnectionHandler
from django.test import Client
from pytest_django import DjangoDbBlocker

HEALTH = "/api/v1/health/"
READY = "/api/v1/health/ready/"


@pytest.fixture
def _unreachable_database(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    url = "postgres://clerk:swordfish@127.0.0.1:1/ledger"
    unreachable = ConnectionHandler({DEFAULT_DB_ALIAS: dict(dj_database_url.parse(url))})
    usual = connections[DEFAULT_DB_ALIAS]
    connections[DEFAULT_DB_ALIAS] = unreachable[DEFAULT_DB_ALIAS]
    with django_db_blocker.unblock():
        yield
    connections[DEFAULT_DB_ALIAS] = usual


@pytest.mark.usefixtures("_unreachable_database")
def test_it_is_healthy_whatever_the_database_does(client: Client) -> None:
    response = client.get(HEALTH)

    assert response.status_code == 200
    assert response.json() == {"status": "ok"}


@pytest.mark.django_db
def test_it_is_ready_when_every_check_passes(client: Client) -> None:
    response = client.get(READY)

    assert response.status_code == 200
    assert response.json() == {"status": "ok", "checks": {"database": "ok", "migrations": "ok"}}


@pytest.mark.django_db
def test_it_is_not_ready_while_a_migration_is_pending(client: Client) -> None:
    MigrationRecorder(connection).record_unapplied("accounts", "0001_initial")
    response = client.get(READY)

    assert response.status_code == 503
    assert response.json()["checks"] == {"database": "ok", "migrations": "failed"}


@pytest.mark.usefixtures("_unreachable_database")
def test_it_is_not_ready_without_a_database(client: Client) -> None:
    response = client.get(READY)

    assert response.status_code == 503
    assert response.json() == {
        "status": "failed",
        "checks": {"database": "failed", "migrations": "failed"},
    }


@pytest.mark.usefixtures("_unreachable_database")
def test_it_says_in_the_log_what_failed(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    client.get(READY)

    assert "the readiness check database failed" in caplog.text
    assert "swordfish" not in caplog.text


@pytest.mark.django_db
@pytest.mark.parametrize("path", [HEALTH, READY])
def test_its_answers_are_never_cached(client: Client, path: str) -> None:
    assert "no-store" in client.get(path)["Cache-Control"]
