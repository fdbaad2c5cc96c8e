import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pytest_django import Settings

from config.environment import Environment

BACKEND = Path(__file__).resolve().parents[2]

PRODUCTION = {
    "ENVIRONMENT": "production",
    "RELEASE": "v1.2.3",
    "COMMIT": "0123456789abcdef",
    "DEPLOY_ID": "deploy-7",
    "DJANGO_SECRET_KEY": "correct-horse-battery-staple-0123456789-abcdefghijklm",
    "DJANGO_ALLOWED_HOSTS": "www.example.com, .example.org",
    "DJANGO_CSRF_TRUSTED_ORIGINS": "https://www.example.com",
    "DATABASE_URL": "postgres://owner:swordfish@db.example.com:5432/ledger",
    "REDIS_URL": "redis://:swordfish@cache.example.com:6379/0",
    "PUBLIC_URL": "https://www.example.com",
    "EMAIL_URL": "smtp://owner:swordfish@mail.example.com:587",
    "FIELD_ENCRYPTION_KEY": Fernet.generate_key().decode(),
    "METRICS_TOKEN": "swordfish-token-0123456789-abcdefgh",
}

Manage = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Environment.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch, _no_variables: None) -> None:
    for name, value in PRODUCTION.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def manage() -> Manage:
    """Return a function that runs a management command in a new process."""

    def run(*arguments: str, settings: str) -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "manage.py",
            *arguments,
            f"--settings=config.settings.{settings}",
        ]
        return subprocess.run(command, cwd=BACKEND, capture_output=True, text=True, check=False)

    return run


SECURE = {
    "SECRET_KEY": PRODUCTION["DJANGO_SECRET_KEY"],
    "SECURE_HSTS_SECONDS": 60,
    "SECURE_HSTS_INCLUDE_SUBDOMAINS": True,
    "SECURE_HSTS_PRELOAD": True,
    "SECURE_SSL_REDIRECT": True,
    "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True,
}


@pytest.fixture
def _secure(settings: Settings) -> None:
    for name, value in SECURE.items():
        setattr(settings, name, value)
    settings.SILENCED_SYSTEM_CHECKS = ["mail.E001"]  # Django 6.1; the tests keep mails in memory
