import pytest
from django.core.cache import caches
from django.test import Client
from pytest_django import Settings

from apps.accounts.models import User
from apps.accounts.tests.browser import PASSWORD, Browser

LOGIN = "/api/v1/auth/login/"
ADA = {"email": "ada@example.com", "first_name": "Ada", "last_name": "", "phone": None}


def test_login(browser: Browser, user: User) -> None:
    response = browser.login()

    assert response.status_code == 200
    assert response.json() == {"id": user.pk, **ADA}
    assert browser.is_logged_in


def test_login_ignores_case_of_email(browser: Browser, user: User) -> None:
    assert browser.login(email="ADA@Example.COM").json()["id"] == user.pk


def test_login_wrong_password(browser: Browser, user: User) -> None:
    response = browser.login(email=user.email, password="wrong")

    assert response.status_code == 401
    assert not browser.is_logged_in


@pytest.mark.usefixtures("user")
def test_login_hides_unknown_email(browser: Browser) -> None:
    wrong, unknown = browser.login(password="wrong"), browser.login(email="unknown@example.com")

    assert unknown.status_code == wrong.status_code == 401
    assert unknown.json() == wrong.json()


def test_login_inactive_user(browser: Browser, user: User) -> None:
    user.is_active = False
    user.save()

    assert browser.login().status_code == 401


@pytest.mark.usefixtures("user")
def test_login_prevents_session_fixation(browser: Browser) -> None:
    fixed = browser.client.session.session_key
    assert browser.cookies["sessionid"] == fixed
    browser.login()

    assert browser.cookies["sessionid"] != fixed


@pytest.mark.usefixtures("user")
def test_login_rotates_csrf_token(browser: Browser) -> None:
    browser.me()
    before = browser.cookies["csrftoken"]
    browser.login()

    assert browser.cookies["csrftoken"] != before


@pytest.mark.usefixtures("user")
def test_login_requires_csrf_token() -> None:
    strict = Client(enforce_csrf_checks=True)
    data = {"email": "ada@example.com", "password": PASSWORD}
    response = strict.post(LOGIN, data, content_type="application/json")

    assert response.status_code == 403
    assert response.json()["detail"] == "CSRF check Failed"


def test_logout_requires_csrf_token(browser: Browser, user: User) -> None:
    browser.login(email=user.email)
    response = browser.client.post("/api/v1/auth/logout/")

    assert response.status_code == 403
    assert browser.is_logged_in


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", ""),
        ("email", "no address"),
        ("email", "nul\x00@example.com"),
        ("email", "lone\ud800@example.com"),
        ("email", "a" * 250 + "@example.com"),
        ("email", None),
        ("password", ""),
        ("password", "p" * 4097),
        ("password", ["list"]),
    ],
)
def test_login_names_invalid_field(browser: Browser, field: str, value: object) -> None:
    credentials: dict[str, object] = {"email": "ada@example.com", "password": PASSWORD}
    response = browser.post(LOGIN, credentials | {field: value})

    assert response.status_code == 422
    assert [problem["loc"][-1] for problem in response.json()["errors"]] == [field]


def test_login_error_hides_password(browser: Browser) -> None:
    response = browser.post(LOGIN, {"password": "swordfish " * 1000})

    assert response.status_code == 422
    assert "swordfish" not in response.content.decode()


def test_login_any_character_in_password(browser: Browser) -> None:
    assert browser.login(password="nul \x00 and 🔑").status_code == 401


def test_login_body_not_json(browser: Browser) -> None:
    response = browser.post(LOGIN, "{not json")

    assert response.status_code == 400
    assert response.json()["detail"] == "Cannot parse request body"


def test_me(browser: Browser, user: User) -> None:
    browser.login()

    assert browser.me().json() == {"id": user.pk, **ADA}


def test_me_anonymous(browser: Browser) -> None:
    response = browser.me()

    assert response.status_code == 401
    assert response.json()["detail"] == "Unauthorized"


@pytest.mark.usefixtures("user")
def test_me_sets_csrf_cookie(browser: Browser) -> None:
    assert "csrftoken" in browser.me().cookies
    browser.login()
    assert "csrftoken" in browser.me().cookies
    assert "csrftoken" in browser.me().cookies


def test_me_is_not_cached(browser: Browser) -> None:
    assert "no-store" in browser.me()["Cache-Control"]


@pytest.mark.usefixtures("user")
def test_logout(browser: Browser) -> None:
    browser.login()
    response = browser.logout()

    assert response.status_code == 204
    assert response.content == b""
    assert not browser.is_logged_in


def test_logout_twice(browser: Browser) -> None:
    assert browser.logout().status_code == 204
    assert browser.logout().status_code == 204


@pytest.mark.usefixtures("user")
def test_login_body_too_large(browser: Browser, settings: Settings) -> None:
    padded = {"email": "ada@example.com", "password": PASSWORD, "more": "x" * 300_000}
    response = browser.post(LOGIN, padded)

    assert len(padded["more"]) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    assert response.status_code == 413
    assert not browser.is_logged_in


@pytest.mark.usefixtures("user")
def test_login_unknown_host(browser: Browser) -> None:
    browser.me()
    browser.client.defaults["HTTP_HOST"] = "evil.example.net"
    refused = browser.send("POST", LOGIN, {"email": "ada@example.com", "password": PASSWORD})
    del browser.client.defaults["HTTP_HOST"]

    assert refused.status_code == 400
    assert not browser.is_logged_in


@pytest.mark.usefixtures("user", "_production_sessions")
def test_session_survives_empty_cache(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    browser.login()
    monkeypatch.setattr(caches["default"], "key_prefix", "emptied")

    assert browser.is_logged_in


@pytest.mark.usefixtures("user", "_production_sessions")
def test_ended_session_is_invalid(browser: Browser) -> None:
    browser.login()
    stolen = browser.cookies["sessionid"]
    browser.logout()
    browser.client.cookies["sessionid"] = stolen

    assert not browser.is_logged_in
