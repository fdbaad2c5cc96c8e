import runpy
from http import HTTPStatus
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from config.environment import InvalidEnvironmentError
from config.tests.conftest import BACKEND, Manage

HTTPS = {"Host": "www.example.com", "X-Forwarded-Proto": "https"}


@pytest.fixture
def deployed(production: None, settings: Settings) -> Client:  # noqa: ARG001
    """A client of the app as production configures it, but on the database of the tests."""
    for name, value in runpy.run_module("config.settings.production").items():
        if name.isupper() and name != "DATABASES":
            setattr(settings, name, value)
    return Client()


@pytest.mark.usefixtures("production")
def test_production_passes_the_deployment_check(manage: Manage) -> None:
    result = manage("check", "--deploy", "--fail-level=WARNING", settings="production")

    assert result.returncode == 0, result.stderr
    assert "no issues" in result.stdout


def test_production_does_not_start_without_its_variables(manage: Manage) -> None:
    result = manage("check", settings="production")

    assert result.returncode == 1
    assert result.stderr.startswith("error: the environment is not usable: DJANGO_SECRET_KEY")
    assert "Traceback" not in result.stderr


def test_production_has_no_defaults() -> None:
    with pytest.raises(InvalidEnvironmentError):
        runpy.run_module("config.settings.production")


def test_production_answers_with_security_headers(deployed: Client) -> None:
    response = deployed.get("/api/v1/health/", headers=HTTPS)

    assert response.status_code == HTTPStatus.OK
    assert response["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"


def test_production_sends_browsers_to_https(deployed: Client) -> None:
    response = deployed.get("/api/v1/auth/me/", headers={"Host": "www.example.com"})

    assert response.status_code == HTTPStatus.MOVED_PERMANENTLY
    assert response["Location"] == "https://www.example.com/api/v1/auth/me/"


def test_production_lets_a_probe_ask_without_https(deployed: Client) -> None:
    response = deployed.get("/api/v1/health/", headers={"Host": "www.example.com"})

    assert response.status_code == HTTPStatus.OK


def test_production_refuses_a_host_that_it_does_not_know(deployed: Client) -> None:
    response = deployed.get("/api/v1/auth/me/", headers=HTTPS | {"Host": "evil.example.net"})

    assert response.status_code == HTTPStatus.BAD_REQUEST


@pytest.mark.django_db
def test_production_sends_cookies_over_https_only(deployed: Client) -> None:
    cookie = deployed.get("/api/v1/auth/me/", headers=HTTPS).cookies["csrftoken"]

    assert cookie["secure"]
    assert cookie["samesite"] == "Lax"


def test_development_shows_errors_and_keeps_its_data_in_a_file() -> None:
    development = runpy.run_module("config.settings.dev")

    assert development["DEBUG"]
    assert development["DATABASES"]["default"]["NAME"] == str(BACKEND / "db.sqlite3")


def test_browser_tests_can_keep_their_data_in_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, manage: Manage
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'browser.sqlite3'}")
    result = manage("migrate", settings="test")

    assert result.returncode == 0, result.stderr
    assert (tmp_path / "browser.sqlite3").exists()


def test_no_migration_is_missing(manage: Manage) -> None:
    result = manage("makemigrations", "--check", "--dry-run", settings="test")

    assert result.returncode == 0, result.stdout
