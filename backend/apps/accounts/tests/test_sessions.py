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

pytestmark = pytest.mark.usefixtures("_sessions_of_production")


@pytest.fixture(params=["db", "cached_db"])
def _each_engine(
    request: pytest.FixtureRequest,
    settings: Settings,
    _sessions_of_production: None,  # which this overrides
) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{request.param}"


@pytest.fixture
def phone(user: User) -> Browser:
    phone = Browser(User_Agent="Phone/1.0")
    phone.login(user.email)
    return phone


@pytest.fixture
def laptop(phone: Browser) -> Browser:  # noqa: ARG001  # logged in after it
    laptop = Browser(User_Agent="Laptop/2.0")
    laptop.login()
    return laptop


def listed(browser: Browser) -> list[dict[str, object]]:
    items: list[dict[str, object]] = browser.client.get(SESSIONS).json()["items"]
    return items


def identifier(browser: Browser) -> object:
    return next(item["id"] for item in listed(browser) if item["current"])


def test_it_lists_where_one_is_logged_in_newest_first(laptop: Browser) -> None:
    items = listed(laptop)

    assert [item["user_agent"] for item in items] == ["Laptop/2.0", "Phone/1.0"]
    assert [item["current"] for item in items] == [True, False]


def test_a_list_is_in_pages_and_bounded(laptop: Browser) -> None:
    first = laptop.client.get(SESSIONS, {"limit": 1}).json()
    second = laptop.client.get(SESSIONS, {"limit": 1, "before": first["next"]}).json()

    assert [item["user_agent"] for item in second["items"]] == ["Phone/1.0"]
    assert second["next"] is None
    assert laptop.client.get(SESSIONS, {"limit": 101}).status_code == 422


@pytest.mark.usefixtures("_each_engine")
def test_a_session_that_is_revoked_ends_at_once(phone: Browser, laptop: Browser) -> None:
    stolen = phone.cookies["sessionid"]
    response = laptop.delete(f"{SESSIONS}{identifier(phone)}/")

    assert response.status_code == 204
    assert not phone.is_logged_in
    assert phone.send("PATCH", "/api/v1/auth/me/", {"first_name": "Eve"}).status_code == 401
    assert [item["user_agent"] for item in listed(laptop)] == ["Laptop/2.0"]
    assert not Session.objects.filter(session_key=stolen).exists()


@pytest.mark.usefixtures("_each_engine")
def test_all_others_are_ended_together(phone: Browser, laptop: Browser) -> None:
    assert laptop.delete(SESSIONS).status_code == 204
    assert not phone.is_logged_in
    assert laptop.is_logged_in


def test_one_can_end_the_session_one_is_in(laptop: Browser) -> None:
    assert laptop.delete(f"{SESSIONS}{identifier(laptop)}/").status_code == 204
    assert not laptop.is_logged_in


def test_another_users_session_does_not_exist(laptop: Browser, browser: Browser) -> None:
    User.objects.create_user("eve@example.com", PASSWORD)
    browser.login("eve@example.com")
    response = browser.delete(f"{SESSIONS}{identifier(laptop)}/")

    assert response.status_code == 404
    assert laptop.is_logged_in
    assert len(listed(browser)) == 1


def test_the_anonymous_get_nothing_and_end_nothing(browser: Browser, laptop: Browser) -> None:
    answers = [
        browser.client.get(SESSIONS),
        browser.delete(SESSIONS),
        browser.delete(f"{SESSIONS}{identifier(laptop)}/"),
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert laptop.is_logged_in


def test_a_logout_takes_the_session_off_the_list(phone: Browser, laptop: Browser) -> None:
    phone.logout()

    assert len(listed(laptop)) == 1
    assert UserSession.objects.count() == 1


def test_what_has_expired_is_not_listed(laptop: Browser, phone: Browser) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Session.objects.filter(session_key=phone.cookies["sessionid"]).update(expire_date=past)

    assert [item["user_agent"] for item in listed(laptop)] == ["Laptop/2.0"]


@pytest.mark.usefixtures("_each_engine")
def test_what_has_expired_is_removed_by_the_command_of_each_deployment(
    laptop: Browser, phone: Browser
) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Session.objects.filter(session_key=phone.cookies["sessionid"]).update(expire_date=past)
    call_command("clearsessions")

    assert laptop.is_logged_in
    assert Session.objects.get().session_key == laptop.cookies["sessionid"]
    assert UserSession.objects.get().session_id == laptop.cookies["sessionid"]


def drop_cache() -> None:
    """Let this test find nothing in the cache, without emptying a Redis that others use, too."""
    caches["default"].key_prefix = uuid4().hex


def test_it_tells_when_a_session_was_last_seen(phone: Browser) -> None:
    earlier = timezone.now() - timedelta(hours=1)
    UserSession.objects.update(last_seen=earlier, user_agent="old")
    phone.me()
    assert listed(phone)[0]["user_agent"] == "old"  # not noted at every request
    drop_cache()
    phone.me()

    (item,) = listed(phone)
    assert item["user_agent"] == "Phone/1.0"
    assert str(item["last_seen"]) > earlier.isoformat()


def test_a_session_of_an_earlier_release_is_listed_once_it_is_used(laptop: Browser) -> None:
    UserSession.objects.all().delete()
    drop_cache()
    laptop.me()

    assert [item["user_agent"] for item in listed(laptop)] == ["Laptop/2.0"]


def test_a_browser_that_calls_itself_odd_things_does_no_harm(phone: Browser, user: User) -> None:
    odd = "\x00\x1b[31m\u202e" + "x" * 1000
    session_seen(key="odd", user_id=user.pk, user_agent=odd)

    assert UserSession.objects.get(session_id="odd").user_agent == "[31m" + "x" * 296
    assert len(listed(phone)) == 1


def test_an_administrator_is_listed_too(administrator: Client) -> None:
    administrator.get("/admin/")

    assert administrator.get(SESSIONS).json()["items"][0]["current"]


def test_another_password_ends_all_sessions_but_this_one(phone: Browser, laptop: Browser) -> None:
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
    """Answer as a replica of a release does."""
    for name, value in release.items():
        setattr(settings, name, value)


@pytest.mark.usefixtures("_each_engine")
def test_a_key_that_changes_in_two_steps_logs_no_user_out(user: User, settings: Settings) -> None:
    """A browser sends two requests at once, and is answered by replicas of both releases."""
    use(settings, {"SECRET_KEY": OLD, "SECRET_KEY_FALLBACKS": []})
    browser = Browser()
    browser.login(user.email)
    session = browser.cookies["sessionid"]
    for release in (FIRST, SECOND, FIRST, SECOND, SECOND):
        use(settings, release)
        for _ in range(2):
            browser.client.cookies["sessionid"] = session  # that of before the first answer
            assert browser.is_logged_in
            assert browser.cookies["sessionid"] == session


@pytest.mark.usefixtures("_each_engine")
def test_a_key_that_changes_in_one_step_ends_its_sessions(user: User, settings: Settings) -> None:
    use(settings, {"SECRET_KEY": OLD, "SECRET_KEY_FALLBACKS": []})
    browser = Browser()
    browser.login(user.email)
    use(settings, {"SECRET_KEY": NEW, "SECRET_KEY_FALLBACKS": []})
    assert not browser.is_logged_in


@pytest.mark.usefixtures("_each_engine")
def test_a_login_still_has_a_session_of_its_own(user: User) -> None:
    """A session that was in the browser before is no session of the user's."""
    browser = Browser()
    given = browser.client.session
    given["cart"] = 7
    given.save()
    browser.login(user.email)
    assert browser.cookies["sessionid"] != given.session_key
