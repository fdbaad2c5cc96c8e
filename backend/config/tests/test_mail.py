from pathlib import Path

import pytest
from django.core.mail import EmailMessage
from pytest_django import Settings

from config.environment import read_environment
from config.mail import SETTINGS, mail_settings
from config.tests.conftest import PRODUCTION


def options(url: str) -> dict[str, object]:
    """Return the mail options of a URL, on any version of Django."""
    found = mail_settings(url)
    if "MAILERS" in found:
        return dict(found["MAILERS"]["default"]["OPTIONS"])
    return {name: found[setting] for name, setting in SETTINGS.items() if setting in found}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example.com", {"port": 587, "use_tls": True, "use_ssl": False}),
        ("smtp://mail:2525?tls=none", {"port": 2525, "use_tls": False, "use_ssl": False}),
        ("smtp://mail?tls=implicit", {"port": 465, "use_tls": False, "use_ssl": True}),
        ("smtp://a%40b:p%2Fw@mail", {"host": "mail", "username": "a@b", "password": "p/w"}),
        ("file:///srv/a%20b", {"file_path": "/srv/a b"}),
        ("console:", {}),
        ("memory:", {}),
    ],
)
def test_mail_settings(url: str, expected: dict[str, object]) -> None:
    assert options(url).items() >= expected.items()


def test_smtp_timeout() -> None:
    assert options("smtp://mail.example.com")["timeout"] == 10


@pytest.mark.parametrize(
    "url",
    [
        *("mail.example.com", "http://mail.example.com", "smtp://", "smtp://m?tls=maybe"),
        *("file:", "", "smtp://m?ssl=true", "smtp://m?tls=none&timeout=5", "smtp://m?ssl"),
        *("smtp://user:12#34@mail", "smtp://user:12/34@mail", "smtp://user:12?34@mail"),
    ],
)
def test_invalid_mail_url(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the error has no message; the environment adds one
        mail_settings(url)


@pytest.mark.usefixtures("production")
def test_default_sender(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    derived = read_environment().mail["DEFAULT_FROM_EMAIL"]
    monkeypatch.setenv("EMAIL_FROM", "Example <hello@example.org>")

    assert derived == "no-reply@www.example.com"
    assert read_environment().mail["DEFAULT_FROM_EMAIL"] == "Example <hello@example.org>"
    assert "swordfish" in PRODUCTION["EMAIL_URL"]
    assert "swordfish" not in repr(read_environment())


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    for name, value in mail_settings(tmp_path.as_uri()).items():
        setattr(settings, name, value)
    return tmp_path


def test_file_backend(folder: Path) -> None:
    EmailMessage("Subject", "Body", to=["ada@example.com"]).send()

    (file,) = folder.iterdir()
    assert "To: ada@example.com" in file.read_text()
