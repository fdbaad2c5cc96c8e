import runpy
import socket
from http import HTTPStatus
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from apps.accounts.tests.browser import PASSWORD
from config.environment import Environment, InvalidEnvironmentError
from config.tests.conftest import BACKEND, PRODUCTION, Manage

REQUIRED = [name.upper() for name, field in Environment.model_fields.items() if field.is_required()]
HTTPS = {"Host": "www.example.com", "X-Forwarded-Proto": "https"}


@pytest.fixture
def deployed(production: None, settings: Settings) -> Client:  # noqa: ARG001
    """A client of the app with production settings, but with the stores and users of the tests."""
    stores = {"DATABASES", "CACHES", "SESSION_ENGINE", "STORAGES", "PASSWORD_HASHERS"}
    for name, value in runpy.run_module("config.settings.production").items():
        if name.isupper() and name not in stores:
            setattr(settings, name, value)
    return Client()


@pytest.mark.usefixtures("production")
def test_production_deployment_check(manage: Manage) -> None:
    result = manage("check", "--deploy", "--fail-level=WARNING", settings="production")

    assert result.returncode == 0, result.stderr
    assert "no issues" in result.stdout


def test_production_missing_variables(manage: Manage) -> None:
    result = manage("check", settings="production")

    assert result.returncode == 1
    assert result.stderr.startswith("error: the environment is not usable: ENVIRONMENT")
    assert all(f"{name} is missing" in result.stderr for name in REQUIRED)
    assert "Traceback" not in result.stderr


@pytest.mark.usefixtures("production")
def test_local_settings_require_local(monkeypatch: pytest.MonkeyPatch, manage: Manage) -> None:
    refused = manage("check", settings="local")
    monkeypatch.setenv("ENVIRONMENT", "local")
    accepted = manage("check", settings="local")

    assert refused.returncode == 1
    assert refused.stderr.startswith("error: config.settings.local sends cookies over plain HTTP")
    assert accepted.returncode == 0, accepted.stderr


@pytest.mark.usefixtures("production")
def test_production_malformed_variable(monkeypatch: pytest.MonkeyPatch, manage: Manage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)  # noqa: FBT003  # the parameter is positional
        address = f"127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setenv("DATABASE_URL", f"postgres://owner@{address}/ledger")
        monkeypatch.setenv("REDIS_URL", f"redis://{address}/0")
        monkeypatch.setenv("SENTRY_DSN", f"http://key@{address}/1")
        monkeypatch.setenv("LOG_LEVEL", "LOUD")
        refused = manage("migrate", settings="production")

        assert refused.returncode == 1
        assert "LOG_LEVEL is malformed" in refused.stderr
        with pytest.raises(BlockingIOError):
            server.accept()


def test_production_has_no_defaults() -> None:
    with pytest.raises(InvalidEnvironmentError):
        runpy.run_module("config.settings.production")


def test_production_security_headers(deployed: Client) -> None:
    response = deployed.get("/api/v1/health/", headers=HTTPS)

    assert response.status_code == HTTPStatus.OK
    assert response["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in response["Content-Security-Policy"]
    assert response["Permissions-Policy"].startswith("camera=(), geolocation=()")


@pytest.mark.parametrize("path", ["/missing", "/admin/login/", "/metrics", "/api/v1/projects/"])
@pytest.mark.django_db
def test_production_csp_everywhere(deployed: Client, path: str) -> None:
    for headers in (HTTPS, {"Host": "evil.example.net"}):
        assert "Content-Security-Policy" in deployed.get(path, headers=headers)


def test_production_redirects_to_https(deployed: Client) -> None:
    response = deployed.get("/api/v1/auth/me/", headers={"Host": "www.example.com"})

    assert response.status_code == HTTPStatus.MOVED_PERMANENTLY
    assert response["Location"] == "https://www.example.com/api/v1/auth/me/"


def test_production_health_over_http(deployed: Client) -> None:
    response = deployed.get("/api/v1/health/", headers={"Host": "www.example.com"})

    assert response.status_code == HTTPStatus.OK


def test_production_unknown_host(deployed: Client) -> None:
    response = deployed.get("/api/v1/auth/me/", headers=HTTPS | {"Host": "evil.example.net"})

    assert response.status_code == HTTPStatus.BAD_REQUEST


@pytest.mark.django_db
def test_production_secure_cookies(deployed: Client) -> None:
    cookie = deployed.get("/api/v1/auth/me/", headers=HTTPS).cookies["csrftoken"]

    assert cookie["secure"]
    assert cookie["samesite"] == "Lax"


@pytest.mark.usefixtures("user")
def test_production_session_cookie(deployed: Client) -> None:
    deployed.get("/api/v1/auth/me/", headers=HTTPS)
    credentials = {"email": "ada@example.com", "password": PASSWORD}
    answer = deployed.post(
        "/api/v1/auth/login/", credentials, content_type="application/json", headers=HTTPS
    )
    cookie = answer.cookies["sessionid"]

    assert cookie["httponly"]
    assert cookie["secure"]
    assert cookie["samesite"] == "Lax"


def test_production_version(deployed: Client) -> None:
    response = deployed.get("/api/v1/version/", headers={"Host": "www.example.com"})

    assert response.json() == {
        "release": "v1.2.3",
        "commit": "0123456789abcdef",
        "deploy_id": "deploy-7",
    }


def test_production_metrics_over_http(deployed: Client) -> None:
    headers = {"Host": "www.example.com", "Authorization": f"Bearer {PRODUCTION['METRICS_TOKEN']}"}

    assert deployed.get("/metrics", headers=headers).status_code == HTTPStatus.OK


def test_development_settings() -> None:
    development = runpy.run_module("config.settings.dev")

    assert development["DEBUG"]
    assert development["DATABASES"]["default"]["NAME"] == str(BACKEND / "db.sqlite3")


def test_settings_with_database_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, manage: Manage
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'browser.sqlite3'}")
    result = manage("migrate", settings="test")

    assert result.returncode == 0, result.stderr
    assert (tmp_path / "browser.sqlite3").exists()


def test_no_missing_migration(manage: Manage) -> None:
    result = manage("makemigrations", "--check", "--dry-run", settings="test")

    assert result.returncode == 0, result.stdout
