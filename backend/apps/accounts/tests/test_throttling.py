from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth import authenticate
from django.core.cache import caches
from django.test import RequestFactory
from django.urls import reverse

from apps.accounts import throttling
from apps.accounts.tests.browser import PASSWORD, Browser
from apps.accounts.throttling import (
    LOGINS,
    ThrottledError,
    count_attempt,
    increment,
    uncount_attempt,
)

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import Settings

    from apps.accounts.models import User

NOON = 12 * 60 * 60


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def time(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(throttling, "time", clock)
    return clock


def exhaust_account(browser: Browser) -> None:
    for _ in range(LOGINS.per_client_and_account):
        assert browser.login(password="wrong").status_code == 401


def test_login_is_throttled(browser: Browser, user: User) -> None:
    exhaust_account(browser)
    response = browser.login(user.email)

    assert response.status_code == 429
    assert response.json()["detail"] == "Too many attempts. Try again later."
    assert response["Retry-After"] == str(LOGINS.period)
    assert not browser.is_logged_in


def test_login_throttle_ignores_case(browser: Browser, user: User) -> None:
    exhaust_account(browser)

    assert browser.login(user.email.upper()).status_code == 429


@pytest.mark.usefixtures("user")
def test_login_throttle_ends(browser: Browser, clock: Clock) -> None:
    exhaust_account(browser)
    clock.now += LOGINS.period - 1
    refused = browser.login()
    clock.now += int(refused["Retry-After"])

    assert refused["Retry-After"] == "1"
    assert browser.login().status_code == 200


@pytest.mark.usefixtures("user")
def test_successful_logins_do_not_count(browser: Browser) -> None:
    for _ in range(LOGINS.per_client_and_account + 1):
        assert browser.login().status_code == 200


def test_uncount_dropped_counter() -> None:
    counters = count_attempt(RequestFactory().post("/"), "ada@example.com", LOGINS)
    caches["default"].delete_many(counters)

    uncount_attempt(counters)


def test_increment_dropped_counter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cache, drops = caches["default"], iter([True])
    add = cache.add

    def forgetful(key: str, value: int, timeout: int) -> None:
        add(key, value, timeout=timeout)
        if next(drops, False):
            cache.delete(key)

    monkeypatch.setattr(cache, "add", forgetful)
    assert [increment("counter", seconds=60) for _ in range(3)] == [1, 2, 3]


def test_authenticate_without_request(user: User) -> None:
    for _ in range(LOGINS.per_client_and_account + 1):
        assert authenticate(email=user.email, password="wrong") is None

    assert authenticate(email=user.email, password=PASSWORD) == user


@pytest.mark.usefixtures("user")
def test_throttle_is_per_account(browser: Browser) -> None:
    for _ in range(LOGINS.per_client_and_account + 1):
        browser.login("eve@example.com", "wrong")

    assert browser.login().status_code == 200


@pytest.mark.usefixtures("user")
def test_throttle_is_per_client(browser: Browser, settings: Settings) -> None:
    settings.NINJA_NUM_PROXIES = 1
    elsewhere = Browser(X_FORWARDED_FOR="192.0.2.7")
    exhaust_account(elsewhere)

    assert elsewhere.login().status_code == 429
    assert browser.login().status_code == 200


@pytest.mark.usefixtures("user")
def test_forged_forwarded_for(settings: Settings) -> None:
    settings.NINJA_NUM_PROXIES = 1
    for number in range(LOGINS.per_client_and_account):
        Browser(X_FORWARDED_FOR=f"198.51.100.{number}, 192.0.2.7").login(password="wrong")

    assert Browser(X_FORWARDED_FOR="198.51.100.99, 192.0.2.7").login().status_code == 429


@pytest.mark.usefixtures("user")
def test_forwarded_for_without_proxy() -> None:
    for number in range(LOGINS.per_client_and_account):
        Browser(X_FORWARDED_FOR=f"198.51.100.{number}").login(password="wrong")

    assert Browser(X_FORWARDED_FOR="198.51.100.99").login().status_code == 429


def test_client_limit() -> None:
    request = RequestFactory().post("/")
    for number in range(LOGINS.per_client):
        count_attempt(request, f"{number}@example.com", LOGINS)

    with pytest.raises(ThrottledError):
        count_attempt(request, "last@example.com", LOGINS)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("[2001:db8::1]:4711", "2001:db8::2", True),
        ("192.0.2.7:4711", "192.0.2.7:4712", True),
        ("192.0.2.7", "::ffff:192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("unknown", "_hidden", False),
    ],
)
def test_client_of_address(settings: Settings, one: str, other: str, *, same: bool) -> None:
    settings.NINJA_NUM_PROXIES = 1
    requests = [RequestFactory().post("/", HTTP_X_FORWARDED_FOR=each) for each in (one, other)]
    for number in range(LOGINS.per_client):
        count_attempt(requests[0], f"{number}@example.com", LOGINS)
    if same:
        with pytest.raises(ThrottledError):
            count_attempt(requests[1], "last@example.com", LOGINS)
    else:
        count_attempt(requests[1], "last@example.com", LOGINS)


def test_admin_login_is_throttled(client: Client, browser: Browser, user: User) -> None:
    user.is_staff = True
    user.save()
    exhaust_account(browser)
    response = client.post(reverse("admin:login"), {"username": user.email, "password": PASSWORD})

    assert "Too many attempts" in response.content.decode()
    assert "_auth_user_id" not in client.session


@pytest.mark.usefixtures("user")
def test_cache_holds_no_email(browser: Browser, settings: Settings) -> None:
    local = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": local, "LOCATION": "who-tried"}}
    browser.login(password="wrong")

    assert "example" not in str(vars(caches["default"]))


@pytest.mark.redis
def test_parallel_attempts_in_redis() -> None:
    prefix = caches["default"].key_prefix

    def attempt(_: int) -> bool:
        caches["default"].key_prefix = prefix  # each thread has its own connection
        try:
            count_attempt(RequestFactory().post("/"), "ada@example.com", LOGINS)
        except ThrottledError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(attempt, range(50))) == LOGINS.per_client_and_account
