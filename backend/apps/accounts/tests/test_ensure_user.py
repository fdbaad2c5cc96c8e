from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import User
from apps.accounts.tests.browser import PASSWORD, Browser

Ensure = Callable[..., str]
EMAIL = "smoke@example.com"

pytestmark = pytest.mark.django_db


@pytest.fixture
def ensure(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ensure:
    def run(*arguments: str, password: str = PASSWORD) -> str:
        monkeypatch.setenv("SMOKE_USER_PASSWORD", password)
        call_command("ensure_user", *arguments)
        printed = capsys.readouterr()
        assert password not in printed.out + printed.err
        return printed.out

    return run


def test_ensure_user_creates_user(ensure: Ensure, browser: Browser) -> None:
    assert ensure("--email=Smoke@Example.com") == "created Smoke@Example.com\n"
    assert browser.login(EMAIL).status_code == 200


def test_ensure_user_is_idempotent(ensure: Ensure, browser: Browser) -> None:
    ensure(f"--email={EMAIL}")
    browser.login(EMAIL)

    assert ensure(f"--email={EMAIL}") == f"unchanged {EMAIL}\n"
    assert browser.is_logged_in
    assert User.objects.count() == 1


def test_ensure_user_sets_password(ensure: Ensure) -> None:
    ensure(f"--email={EMAIL}")

    assert ensure(f"--email={EMAIL}", password="battery horse 7") == f"updated {EMAIL}\n"
    assert User.objects.get().check_password("battery horse 7")


def test_ensure_user_activates_user(ensure: Ensure) -> None:
    User.objects.create_user(EMAIL, PASSWORD, is_active=False)

    assert ensure(f"--email={EMAIL}") == f"updated {EMAIL}\n"
    assert User.objects.get().is_active


def test_ensure_user_reads_environment(ensure: Ensure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMOKE_USER_EMAIL", EMAIL)

    assert ensure() == f"created {EMAIL}\n"


def test_ensure_user_password_env(ensure: Ensure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANOTHER_PASSWORD", "another battery 7")
    ensure(f"--email={EMAIL}", "--password-env=ANOTHER_PASSWORD")

    assert User.objects.get().check_password("another battery 7")


def test_ensure_user_refuses_administrator(ensure: Ensure) -> None:
    root = User.objects.create_superuser(EMAIL, "root's own password")
    with pytest.raises(CommandError, match="was not changed\nhint: "):
        ensure(f"--email={EMAIL}")

    root.refresh_from_db()
    assert root.check_password("root's own password")


@pytest.mark.parametrize(
    ("email", "password"),
    [(EMAIL, "swordfish"[:5]), (EMAIL, "password"), (EMAIL, EMAIL), ("unknown", PASSWORD)],
)
def test_ensure_user_invalid_values(ensure: Ensure, email: str, password: str) -> None:
    with pytest.raises(CommandError, match=r"the user .* is invalid: .*\nhint: "):
        ensure(f"--email={email}", password=password)

    assert not User.objects.exists()


@pytest.mark.parametrize("missing", ["SMOKE_USER_EMAIL", "SMOKE_USER_PASSWORD"])
def test_ensure_user_missing_variable(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setenv("SMOKE_USER_EMAIL", EMAIL)
    monkeypatch.setenv("SMOKE_USER_PASSWORD", PASSWORD)
    monkeypatch.delenv(missing)

    with pytest.raises(CommandError, match=f"{missing} is missing\nhint: "):
        call_command("ensure_user")
