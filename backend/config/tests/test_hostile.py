"""Malicious requests get the right error status and change nothing."""

import json

import pytest
from django.core import serializers
from django.test import Client

from apps.accounts.models import User, UserSession
from apps.accounts.tests.browser import PASSWORD, Browser
from apps.projects.models import Project
from config.api import api

PROJECT_ID = 1_000_000  # above the ids that the database assigns in tests
SCHEMA = json.loads(json.dumps(api.get_openapi_schema()))
OPERATIONS = {
    (method, path.replace("{project_id}", f"{PROJECT_ID}").replace("{session_id}", "1")): operation
    for path, operations in SCHEMA["paths"].items()
    for method, operation in operations.items()
    if method != "get"
}
del OPERATIONS["post", "/api/v1/billing/webhook/"]  # a signature guards it  # billing
UNSAFE = list(OPERATIONS)
BODIES = [place for place, operation in OPERATIONS.items() if "requestBody" in operation]
SQL = "' OR 1=1; DROP TABLE accounts_user; --"


@pytest.fixture
def member(browser: Browser, user: User) -> Browser:
    browser.login(user.email)
    Project.objects.create(id=PROJECT_ID, owner=user, name="kept")
    return browser


def stored() -> str:
    return str(serializers.serialize("json", [*User.objects.all(), *Project.objects.all()]))


@pytest.mark.parametrize(("method", "path"), UNSAFE)
@pytest.mark.parametrize("token", [None, "forged", "a" * 64])
def test_unsafe_operation_requires_token(
    member: Browser, method: str, path: str, token: str | None
) -> None:
    before = stored()
    headers = {} if token is None else {"X-CSRFToken": token}
    response = member.client.generic(
        method.upper(), path, "{}", content_type="application/json", headers=headers
    )

    assert response.status_code == 403
    assert response["Content-Type"] == "application/problem+json"
    assert stored() == before
    assert member.is_logged_in


@pytest.mark.parametrize(("method", "path"), BODIES)
@pytest.mark.parametrize("body", ["{", '{"a": NaN', "[" * 100_000, "\x00", '"\\ud800'])
def test_malformed_json(member: Browser, method: str, path: str, body: str) -> None:
    before = stored()
    member.me()

    assert member.send(method.upper(), path, body).status_code in {400, 422}
    assert stored() == before


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/missing/", 404),
        ("GET", "/api/v1/../../etc/passwd", 404),
        ("GET", "/api/v1/..%2f..%2f..%2fetc%2fpasswd", 404),
        ("GET", "/api/v1/projects/%00/", 405),
        ("PUT", "/api/v1/auth/me/", 405),
        ("TRACE", "/api/v1/health/", 405),
        ("DELETE", f"/api/v1/projects/{SQL}/", 422),
    ],
)
def test_unknown_path(member: Browser, method: str, path: str, status: int) -> None:
    before = stored()
    member.me()
    response = member.send(method, path)

    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["status"] == status
    assert response.json()["title"]
    assert stored() == before


def test_unknown_host(client: Client) -> None:
    response = client.get("/api/v1/health/", headers={"Host": "evil.example.net"})

    assert response.status_code == 400
    assert response.json()["title"] == "Bad Request"
    assert "evil" not in response.content.decode()


def test_sql_injection(member: Browser, user: User) -> None:
    member.patch("/api/v1/auth/me/", {"first_name": SQL})
    created = member.post("/api/v1/projects/", {"name": SQL})
    refused = Browser().login(f"{SQL}@example.com".replace(" ", ""), SQL)
    user.refresh_from_db()

    assert created.json()["name"] == user.first_name == SQL
    assert refused.status_code == 401
    assert UserSession.objects.filter(user=user).exists()
    assert user.check_password(PASSWORD)


def test_server_error_hides_details(member: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("swordfish")

    monkeypatch.setattr("apps.projects.api.project_page", fail)
    member.client.raise_request_exception = False
    response = member.client.get("/api/v1/projects/")

    assert response.status_code == 500
    assert response["Content-Type"] == "application/problem+json"
    assert "swordfish" not in response.content.decode()
