import re
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from config.environment import Environment, read_environment
from config.management.commands import env_example

PLACEHOLDERS = {
    "DJANGO_SECRET_KEY": "k" * 50,
    "DATABASE_URL": "postgres://owner:swordfish@db.example.com:5432/ledger",
    "EMAIL_URL": "smtp://mail.example.com",
    "FIELD_ENCRYPTION_KEY": Fernet.generate_key().decode(),
    "REDIS_URL": "redis://cache.example.com:6379/0",
}


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    file = tmp_path / ".env.example"
    monkeypatch.setattr(env_example, "FILE", file)
    return file


def test_example_is_up_to_date() -> None:
    call_command("env_example", "--check")


def test_outdated_example(file: Path) -> None:
    with pytest.raises(CommandError, match=r"out of date\nhint: nox -s env-example"):
        call_command("env_example", "--check")
    file.write_text("RELEASE=\n")
    with pytest.raises(CommandError, match="out of date"):
        call_command("env_example", "--check")
    call_command("env_example")

    call_command("env_example", "--check")


def test_example_lists_all_variables() -> None:
    listed = re.findall(r"^(\w+)=", env_example.FILE.read_text(), re.MULTILINE)

    assert listed == [name.upper() for name in Environment.model_fields]


def test_example_values_are_valid(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    example = dict(re.findall(r"^(\w+)=(.*)$", env_example.FILE.read_text(), re.MULTILINE))
    for name, value in (example | PLACEHOLDERS).items():
        monkeypatch.setenv(name, value)

    read_environment()


def test_example_holds_no_secret() -> None:
    example = dict(re.findall(r"^(\w+)=(.*)$", env_example.FILE.read_text(), re.MULTILINE))

    assert not any(example[name] for name in ["METRICS_TOKEN", "SENTRY_DSN", *PLACEHOLDERS])
