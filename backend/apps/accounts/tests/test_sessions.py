from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.core.management import call_command
from django.utils import timezone

from apps.accounts.models import User, UserSession
from apps.accounts.sessions import session_seen
from apps.accounts.tests.browser import PASSWORD, Browser

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.test import Client
    from pytest_django import Settings

SESSIONS = "/api/v1/auth/sessions/"

pytestmark = pytest.mark.usefixtures("_production_sessions")


@pytest.fixture(params=["db", "cached_db"])
def _each_engine(
    request: pytest.FixtureRequest,
    settings: Settings,
    _production_sessions: None,  # this fixture overrides it
) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{request.param}"


@pytest.fixture
def phone(user: User) -> Browser:
    phone = Browser(User_Agent="Phone/1.0")
    phone.login(user.email)
    return phone


@pytest.fixture
def laptop(phone: Browser) -> Browser:  # noqa: ARG001  # must log in first
    laptop = Browser(User_Agent="Laptop/2.0")
    laptop.login()
    return laptop


def listed(browser: Browser) -> list[dict[str, object]]:
    items: list[dict[str, object]] = browser.client.get(SESSIONS).json()["items"]
    return items


def identifier(browser: Browser) -> object:
    return next(item["id"] for item in listed(browser) if item["current"])


def test_list_newest_first(laptop: Browser) -> None:
    items = listed(laptop)

    assert [item["user_agent"] for item in items] == ["Laptop/2.0", "Phone/1.0"]
    assert [item["current"] for item in items] == [True, False]


def test_list_pages(laptop: Browser) -> None:
    first = laptop.client.get(SESSIONS, {"limit": 1}).json()
    second = laptop.client.get(SESSIONS, {"limit": 1, "before": first["next"]}).json()

    assert [item["user_agent"] for item in second["items"]] == ["Phone/1.0"]
    assert second["next"] is None
    assert laptop.client.get(SESSIONS, {"limit": 101}).status_code == 422


@pytest.mark.usefixtures("_each_engine")
def test_end_session(phone: Browser, laptop: Browser) -> None:
    stolen = phone.cookies["sessionid"]
    response = laptop.delete(f"{SESSIONS}{identifier(phone)}/")

    assert response.status_code == 204
    assert not phone.is_logged_in
    assert phone.send("PATCH", "/api/v1/auth/me/", {"first_name": "Eve"}).status_code == 401
    assert [item["user_agent"] for item in listed(laptop)] == ["Laptop/2.0"]
    assert not Session.objects.filter(session_key=stolen).exists()


@pytest.mark.usefixtures("_each_engine")
def test_end_other_sessions(phone: Browser, laptop: Browser) -> None:
    assert laptop.delete(SESSIONS).status_code == 204
    assert not phone.is_logged_in
    assert laptop.is_logged_in


def test_end_current_session(laptop: Browser) -> None:
    assert laptop.delete(f"{SESSIONS}{identifier(laptop)}/").status_code == 204
    assert not laptop.is_logged_in


def test_end_session_of_other_user(laptop: Browser, browser: Browser) -> None:
    User.objects.create_user("eve@example.com", PASSWORD)
    browser.login("eve@example.com")
    response = browser.delete(f"{SESSIONS}{identifier(laptop)}/")

    assert response.status_code == 404
    assert laptop.is_logged_in
    assert len(listed(browser)) == 1


def test_sessions_require_login(browser: Browser, laptop: Browser) -> None:
    answers = [
        browser.client.get(SESSIONS),
        browser.delete(SESSIONS),
        browser.delete(f"{SESSIONS}{identifier(laptop)}/"),
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert laptop.is_logged_in


def test_logout_removes_session(phone: Browser, laptop: Browser) -> None:
    phone.logout()

    assert len(listed(laptop)) == 1
    assert UserSession.objects.count() == 1


def test_list_omits_expired_sessions(laptop: Browser, phone: Browser) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Session.objects.filter(session_key=phone.cookies["sessionid"]).update(expire_date=past)

    assert [item["user_agent"] for item in listed(laptop)] == ["Laptop/2.0"]


@pytest.mark.usefixtures("_each_engine")
def test_clearsessions_removes_expired(laptop: Browser, phone: Browser) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Session.objects.filter(session_key=phone.cookies["sessionid"]).update(expire_date=past)
    call_command("clearsessions")

    assert laptop.is_logged_in
    assert Session.objects.get().session_key == laptop.cookies["sessionid"]
    assert UserSession.objects.get().session_id == laptop.cookies["sessionid"]


def drop_cache() -> None:
    """Hide the cache content of this test, without emptying a shared Redis."""
    caches["default"].key_prefix = uuid4().hex


def test_last_seen_is_recorded(phone: Browser) -> None:
    earlier = timezone.now() - timedelta(hours=1)
    UserSession.objects.update(last_seen=earlier, user_agent="old")
    phone.me()
    assert listed(phone)[0]["user_agent"] == "old"  # not recorded at every request
    drop_cache()
    phone.me()

    (item,) = listed(phone)
    assert item["user_agent"] == "Phone/1.0"
    assert str(item["last_seen"]) > earlier.isoformat()


def test_session_of_earlier_release(laptop: Browser) -> None:
    UserSession.objects.all().delete()
    drop_cache()
    laptop.me()

    assert [item["user_agent"] for item in listed(laptop)] == ["Laptop/2.0"]


def test_user_agent_is_sanitized(phone: Browser, user: User) -> None:
    unusual = "\x00\x1b[31m\u202e" + "x" * 1000
    session_seen(key="unusual", user_id=user.pk, user_agent=unusual)

    assert UserSession.objects.get(session_id="unusual").user_agent == "[31m" + "x" * 296
    assert len(listed(phone)) == 1


def test_admin_session_is_listed(administrator: Client) -> None:
    administrator.get("/admin/")

    assert administrator.get(SESSIONS).json()["items"][0]["current"]


def test_password_change_ends_other_sessions(phone: Browser, laptop: Browser) -> None:
    before = laptop.cookies["sessionid"]
    data = {"current_password": PASSWORD, "new_password": "another battery, another horse"}
    response = laptop.post("/api/v1/auth/me/password/", data)

    assert response.status_code == 204
    assert laptop.cookies["sessionid"] != before
    assert [item["user_agent"] for item in listed(laptop)] == ["Laptop/2.0"]
    assert not phone.is_logged_in


OLD, NEW = "o" * 50, "n" * 50
FIRST = {"SECRET_KEY": OLD, "SECRET_KEY_FALLBACKS": [NEW]}
SECOND = {"SECRET_KEY": NEW, "SECRET_KEY_FALLBACKS": [OLD]}


def use(settings: Settings, release: Mapping[str, object]) -> None:
    """Switch to the settings of a release."""
    for name, value in release.items():
        setattr(settings, name, value)


@pytest.mark.usefixtures("_each_engine")
def test_secret_key_rotation_keeps_sessions(user: User, settings: Settings) -> None:
    """A browser sends parallel requests to replicas of both releases."""
    use(settings, {"SECRET_KEY": OLD, "SECRET_KEY_FALLBACKS": []})
    browser = Browser()
    browser.login(user.email)
    session = browser.cookies["sessionid"]
    for release in (FIRST, SECOND, FIRST, SECOND, SECOND):
        use(settings, release)
        for _ in range(2):
            browser.client.cookies["sessionid"] = session  # the cookie before the first response
            assert browser.is_logged_in
            assert browser.cookies["sessionid"] == session


@pytest.mark.usefixtures("_each_engine")
def test_secret_key_change_ends_sessions(user: User, settings: Settings) -> None:
    use(settings, {"SECRET_KEY": OLD, "SECRET_KEY_FALLBACKS": []})
    browser = Browser()
    browser.login(user.email)
    use(settings, {"SECRET_KEY": NEW, "SECRET_KEY_FALLBACKS": []})
    assert not browser.is_logged_in


@pytest.mark.usefixtures("_each_engine")
def test_login_gets_new_session_key(user: User) -> None:
    """An existing anonymous session is not reused for the user."""
    browser = Browser()
    given = browser.client.session
    given["cart"] = 7
    given.save()
    browser.login(user.email)
    assert browser.cookies["sessionid"] != given.session_key
