"""The local settings differ from production only in what needs HTTPS."""

import runpy
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from config.environment import InvalidEnvironmentError

HTTPS_SETTINGS = {
    "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE",
}  # fmt: skip

pytestmark = pytest.mark.usefixtures("production", "_reimport")


@pytest.fixture
def _reimport() -> Iterator[None]:
    """Remove the imported production settings, so that each test imports them again."""
    yield
    sys.modules.pop("config.settings.production", None)


def settings(name: str) -> dict[str, Any]:
    found = runpy.run_module(f"config.settings.{name}")
    return {key: value for key, value in found.items() if key.isupper() and key != "LOGGING"}


def test_differences_to_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "local")
    production, local = settings("production"), settings("local")

    assert set(local) == set(production)
    assert {name for name in local if local[name] != production[name]} == HTTPS_SETTINGS


def test_other_environment() -> None:
    with pytest.raises(InvalidEnvironmentError, match="sends cookies over plain HTTP"):
        settings("local")
