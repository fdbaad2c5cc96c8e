from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth import hashers
from django.core import mail

from apps.accounts import tokens
from apps.accounts.models import User
from apps.accounts.services import user_register
from apps.accounts.tests.browser import PASSWORD, Browser
from apps.accounts.throttling import MAILS

if TYPE_CHECKING:
    from pytest_django import Settings

    from apps.accounts.tests.outbox import Outbox

AUTH = "/api/v1/auth"
GRACE = {"email": "grace@example.com", "password": PASSWORD, "first_name": "Grace"}
OTHER = "another battery, another horse"

MAIL_REQUESTS = [
    (f"{AUTH}/register/", {"password": PASSWORD}),
    (f"{AUTH}/verification/", {}),
    (f"{AUTH}/password-reset/", {}),
]


def confirm(browser: Browser, token: str) -> int:
    return browser.post(f"{AUTH}/verification/confirm/", {"token": token}).status_code


def reset(browser: Browser, token: str, password: str = OTHER) -> int:
    data = {"token": token, "password": password}
    return browser.post(f"{AUTH}/password-reset/confirm/", data).status_code


def test_register_verify_login(browser: Browser, outbox: Outbox) -> None:
    response = browser.post(f"{AUTH}/register/", GRACE)
    before = browser.login(GRACE["email"])
    confirmed = confirm(browser, outbox.token)

    assert (response.status_code, response.content) == (204, b"")
    assert before.status_code == 401
    assert confirmed == 204
    assert browser.login(GRACE["email"]).json()["first_name"] == "Grace"


def test_link_uses_public_url(browser: Browser, outbox: Outbox, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://www.example.com"
    settings.ALLOWED_HOSTS = ["*"]
    browser.client.defaults["HTTP_HOST"] = "evil.example.net"
    browser.post(f"{AUTH}/register/", GRACE)
    (message,) = outbox.mails

    assert message.to == [GRACE["email"]]
    assert "\nhttps://www.example.com/verify-email#token=" in message.body
    assert "evil" not in message.message().as_string()


@pytest.mark.django_db
def test_verification_link_works_once(browser: Browser, outbox: Outbox) -> None:
    browser.post(f"{AUTH}/register/", GRACE)

    assert confirm(browser, outbox.token) == 204
    assert confirm(browser, outbox.token) == 400


@pytest.mark.django_db
def test_verification_link_expires(
    browser: Browser, outbox: Outbox, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.post(f"{AUTH}/register/", GRACE)
    browser.post(f"{AUTH}/verification/", {"email": GRACE["email"]})
    now = tokens.VERIFICATION._now()  # noqa: SLF001  # Django's own tests patch it, too
    later = now + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT + 1)
    monkeypatch.setattr(tokens.VERIFICATION, "_now", lambda: later)

    assert confirm(browser, outbox.token) == 400
    assert settings.PASSWORD_RESET_TIMEOUT == 24 * 60 * 60


@pytest.mark.parametrize(
    "token", ["x", "1", "1-", "1-a-b", "-1-a-b", f"{2**63}-a-b", "²-a-b", "1' OR 1=1--", "\x00"]
)
def test_forged_token(browser: Browser, user: User, token: str) -> None:
    assert confirm(browser, token) == 400
    assert reset(browser, token) == 400
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_token_of_other_user_or_purpose(browser: Browser, user: User, outbox: Outbox) -> None:
    browser.post(f"{AUTH}/register/", GRACE)
    number, _, signature = outbox.token.partition("-")

    assert confirm(browser, f"{user.pk}-{signature}") == 400
    assert reset(browser, f"{number}-{signature}") == 400


@pytest.mark.django_db
def test_resend_verification(browser: Browser, outbox: Outbox) -> None:
    browser.post(f"{AUTH}/register/", GRACE)
    browser.post(f"{AUTH}/verification/", {"email": "GRACE@example.com"})

    assert outbox.subjects == ["Confirm your email address"] * 2
    assert confirm(browser, outbox.token) == 204


@pytest.mark.django_db
def test_register_replaces_unverified(browser: Browser, outbox: Outbox) -> None:
    browser.post(f"{AUTH}/register/", GRACE | {"password": OTHER})
    first = outbox.token
    browser.post(f"{AUTH}/register/", GRACE)

    assert confirm(browser, first) == 400
    assert confirm(browser, outbox.token) == 204
    assert browser.login(GRACE["email"], OTHER).status_code == 401
    assert browser.login(GRACE["email"]).status_code == 200


def test_register_existing_account(browser: Browser, user: User, outbox: Outbox) -> None:
    browser.post(f"{AUTH}/register/", {"email": "ADA@example.com", "password": OTHER})

    assert outbox.subjects == ["You already have an account"]
    assert outbox.mails[0].to == [user.email]
    assert browser.login().status_code == 200
    assert User.objects.count() == 1


@pytest.mark.parametrize(("path", "more"), MAIL_REQUESTS)
def test_response_hides_account(
    browser: Browser, user: User, path: str, more: dict[str, str]
) -> None:
    User.objects.create_user("new@example.com", PASSWORD, email_verified=False)
    User.objects.create_user("gone@example.com", PASSWORD, is_active=False)
    addresses = [user.email, "new@example.com", "gone@example.com", "unknown@example.com"]
    answers = [browser.post(path, {"email": email} | more) for email in addresses]

    assert {answer.status_code for answer in answers} == {204}
    assert {answer.content for answer in answers} == {b""}
    assert len({frozenset(answer.headers) for answer in answers}) == 1


@pytest.mark.usefixtures("user")
def test_register_hides_account_by_time(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    costs = []
    encode = hashers.MD5PasswordHasher.encode

    def counted(self: hashers.MD5PasswordHasher, password: str, salt: str) -> str:
        costs.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(hashers.MD5PasswordHasher, "encode", counted)
    counts = []
    for email in ("ada@example.com", "unknown@example.com"):
        costs.clear()
        browser.post(f"{AUTH}/register/", {"email": email, "password": PASSWORD})
        counts.append(len(costs))

    assert counts == [1, 1]


def test_login_hides_unverified_account(browser: Browser, user: User) -> None:
    wrong = browser.login(user.email, "wrong")
    User.objects.create_user("new@example.com", PASSWORD, email_verified=False)
    unverified = browser.login("new@example.com")

    assert unverified.status_code == wrong.status_code == 401
    assert unverified.json() == wrong.json()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "no address"),
        ("email", "ada@localhost@example.com"),
        ("email", "ada@-.com"),
        ("email", "ada@example.com\r\nBcc: all@example.com"),
        ("password", "password"),
        ("password", "1234567890123"),
        ("password", "grace@example"),
        ("first_name", "n" * 151),
        ("last_name", "nul\x00"),
    ],
)
@pytest.mark.django_db
def test_register_names_invalid_field(
    browser: Browser, outbox: Outbox, field: str, value: str
) -> None:
    response = browser.post(f"{AUTH}/register/", GRACE | {field: value})

    assert response.status_code == 422
    assert {fault["loc"][-1] for fault in response.json()["errors"]} == {field}
    assert not User.objects.exists()
    assert not outbox.mails


def test_password_reset_ends_sessions(browser: Browser, user: User, outbox: Outbox) -> None:
    browser.login()
    elsewhere = Browser()
    elsewhere.post(f"{AUTH}/password-reset/", {"email": user.email})
    status = reset(elsewhere, outbox.token)

    assert status == 204
    assert not browser.is_logged_in
    request, notice = outbox.mails
    assert outbox.subjects == ["Reset your password", "Your password was changed"]
    assert "you can ignore this email" in request.body
    assert "ignore" not in notice.body
    assert elsewhere.login(password=OTHER).status_code == 200


def test_reset_link_works_once(browser: Browser, user: User, outbox: Outbox) -> None:
    browser.post(f"{AUTH}/password-reset/", {"email": user.email})
    token = outbox.token

    assert reset(browser, token) == 204
    assert reset(browser, token, "yet another horse battery") == 400


def test_reset_link_expires_at_login(browser: Browser, user: User, outbox: Outbox) -> None:
    browser.post(f"{AUTH}/password-reset/", {"email": user.email})
    browser.login()

    assert reset(browser, outbox.token) == 400


def test_password_reset_weak_password(browser: Browser, user: User, outbox: Outbox) -> None:
    browser.post(f"{AUTH}/password-reset/", {"email": user.email})

    assert reset(browser, outbox.token, "password") == 422
    assert reset(browser, outbox.token) == 204


@pytest.mark.django_db
def test_password_reset_verifies_email(browser: Browser, outbox: Outbox) -> None:
    browser.post(f"{AUTH}/register/", GRACE)
    browser.post(f"{AUTH}/password-reset/", {"email": GRACE["email"]})
    reset(browser, outbox.token)

    assert browser.login(GRACE["email"], OTHER).status_code == 200


def test_inactive_user_gets_no_mail(browser: Browser, user: User, outbox: Outbox) -> None:
    browser.post(f"{AUTH}/password-reset/", {"email": user.email})
    token = outbox.token
    User.objects.update(is_active=False, email_verified=False)
    for path, more in MAIL_REQUESTS:
        browser.post(path, {"email": user.email} | more)

    assert reset(browser, token) == 400
    assert outbox.subjects == ["Reset your password"]


@pytest.mark.parametrize("email", ["ada@example.com", "unknown@example.com"])
@pytest.mark.parametrize(("path", "more"), MAIL_REQUESTS)
@pytest.mark.usefixtures("user")
def test_mails_per_account_are_limited(
    browser: Browser, outbox: Outbox, path: str, more: dict[str, str], email: str
) -> None:
    for _ in range(MAILS.per_account):
        assert browser.post(path, {"email": email} | more).status_code == 204
    before = len(outbox.mails)
    refused = browser.post(path, {"email": email.upper()} | more)

    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= MAILS.period
    assert len(outbox.mails) == before


@pytest.mark.django_db
def test_mails_per_client_are_limited(browser: Browser) -> None:
    for number in range(MAILS.per_client):
        browser.post(f"{AUTH}/verification/", {"email": f"{number}@example.com"})

    assert browser.post(f"{AUTH}/register/", GRACE).status_code == 429
    assert not User.objects.exists()


@pytest.mark.django_db
def test_mail_failure_is_logged(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_: mail.EmailMessage) -> None:
        raise ConnectionRefusedError(GRACE["email"])

    monkeypatch.setattr(mail.EmailMessage, "send", refuse)
    user_register(email=GRACE["email"], password=PASSWORD)
    outbox.wait()

    assert "mail not sent: ConnectionRefusedError" in caplog.text
    assert GRACE["email"] not in caplog.text


@pytest.mark.django_db
def test_register_same_address_twice(outbox: Outbox) -> None:
    for _ in range(2):
        user_register(email=GRACE["email"], password=PASSWORD)

    assert User.objects.get().email == GRACE["email"]
    assert len(outbox.mails) == 2
