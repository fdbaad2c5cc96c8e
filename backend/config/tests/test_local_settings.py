"""On a developer's machine the stack is set as in production, but for what needs HTTPS."""

import runpy
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from config.environment import InvalidEnvironmentError

NEED_HTTPS = {
    "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE",
}  # fmt: skip

pytestmark = pytest.mark.usefixtures("production", "_imported_anew")


@pytest.fixture
def _imported_anew() -> Iterator[None]:
    """Let nobody keep the production settings that the local ones build upon."""
    yield
    sys.modules.pop("config.settings.production", None)


def settings(name: str) -> dict[str, Any]:
    found = runpy.run_module(f"config.settings.{name}")
    return {key: value for key, value in found.items() if key.isupper() and key != "LOGGING"}


def test_only_what_needs_https_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "local")
    production, local = settings("production"), settings("local")

    assert set(local) == set(production)
    assert {name for name in local if local[name] != production[name]} == NEED_HTTPS


def test_any_other_environment_is_refused() -> None:
    with pytest.raises(InvalidEnvironmentError, match="sends cookies over plain HTTP"):
        settings("local")
