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

BESIDE_SERVICES = {"postgres", "redis", "server"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is run once, beside real services, and count it as deselected."""
    if os.environ.get("REDIS_URL"):
        return
    left_out = [
        item for item in items if BESIDE_SERVICES & {mark.name for mark in item.iter_markers()}
    ]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(autouse=True)
def _cache_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test find what another has left in the cache, without emptying a Redis."""
    monkeypatch.setattr(caches["default"], "key_prefix", uuid.uuid4().hex)


@pytest.fixture(autouse=True)
def outbox() -> Iterator[Outbox]:
    """Return what reads the mails that were sent; none comes too late, into another test."""
    outbox = Outbox()
    yield outbox
    outbox.wait()


@pytest.fixture
def _sessions_of_production(settings: Settings) -> None:
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"


@pytest.fixture
def user(db: None) -> User:  # noqa: ARG001
    """Create an ordinary user."""
    return User.objects.create_user("ada@example.com", PASSWORD, first_name="Ada")


@pytest.fixture
def browser(db: None) -> Browser:  # noqa: ARG001
    """Open a browser that has not been anywhere yet."""
    return Browser()


@pytest.fixture
def administrator(db: None, client: Client) -> Client:  # noqa: ARG001
    """Return a client that is logged in as an administrator."""
    client.force_login(User.objects.create_superuser("root@example.com", PASSWORD))
    return client
