import os
import uuid
from collections.abc import Iterator

import pytest
from django.core.cache import caches
from django.test import Client
from pytest_django import Settings

from apps.accounts.models import User
from apps.accounts.tests.browser import PASSWORD, Browser
from apps.accounts.tests.outbox import Outbox

SERVICE_MARKERS = {"postgres", "redis", "server"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect tests that need real services, unless REDIS_URL names one."""
    if os.environ.get("REDIS_URL"):
        return
    deselected = [
        item for item in items if SERVICE_MARKERS & {mark.name for mark in item.iter_markers()}
    ]
    config.hook.pytest_deselected(items=deselected)
    items[:] = [item for item in items if item not in deselected]


@pytest.fixture(autouse=True)
def _isolated_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Isolate the cache of each test by a key prefix, without emptying a shared Redis."""
    monkeypatch.setattr(caches["default"], "key_prefix", uuid.uuid4().hex)


@pytest.fixture(autouse=True)
def outbox() -> Iterator[Outbox]:
    """Return the sent mails; wait for late ones, so that they do not reach the next test."""
    outbox = Outbox()
    yield outbox
    outbox.wait()


@pytest.fixture
def _production_sessions(settings: Settings) -> None:
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"


@pytest.fixture
def user(db: None) -> User:  # noqa: ARG001
    """Create an ordinary user."""
    return User.objects.create_user("ada@example.com", PASSWORD, first_name="Ada")


@pytest.fixture
def browser(db: None) -> Browser:  # noqa: ARG001
    """Return a new browser without cookies."""
    return Browser()


@pytest.fixture
def administrator(db: None, client: Client) -> Client:  # noqa: ARG001
    """Return a client that is logged in as an administrator."""
    client.force_login(User.objects.create_superuser("root@example.com", PASSWORD))
    return client
