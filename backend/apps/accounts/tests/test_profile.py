import pytest
from django.db import connection

from apps.accounts.models import User
from apps.accounts.tests.browser import PASSWORD, Browser
from apps.accounts.tests.outbox import Outbox
from apps.accounts.throttling import LOGINS

ME = "/api/v1/auth/me/"
CHANGE = f"{ME}password/"
OTHER = "another battery, another horse"


@pytest.fixture
def member(browser: Browser, user: User) -> Browser:
    browser.login(user.email)
    return browser


def test_update_changes_given_fields(member: Browser, user: User) -> None:
    response = member.patch(ME, {"last_name": " Lovelace "})

    assert response.status_code == 200
    assert response.json() == member.me().json()
    assert response.json()["first_name"] == "Ada"
    user.refresh_from_db()
    assert user.last_name == "Lovelace"


def test_update_empty(member: Browser) -> None:
    assert member.patch(ME, {}).json()["first_name"] == "Ada"


def test_update_ignores_privileges(member: Browser, user: User) -> None:
    member.patch(ME, {"is_staff": True, "is_superuser": True, "email": "root@example.com", "id": 7})
    user.refresh_from_db()

    assert not user.is_staff
    assert not user.is_superuser
    assert user.email == "ada@example.com"


@pytest.mark.parametrize(
    ("field", "value"),
    [("first_name", None), ("first_name", "n" * 151), ("last_name", "nul\x00"), ("last_name", 7)]
    + [("phone", value) for value in ("", "12", "call me", "1" * 31, 12345)],
)
def test_update_names_invalid_field(member: Browser, field: str, value: object) -> None:
    response = member.patch(ME, {field: value})

    assert response.status_code == 422
    assert [fault["loc"][-1] for fault in response.json()["errors"]] == [field]


def test_password_change(member: Browser, user: User, outbox: Outbox) -> None:
    response = member.post(CHANGE, {"current_password": PASSWORD, "new_password": OTHER})
    user.refresh_from_db()

    assert response.status_code == 204
    assert member.is_logged_in
    assert user.check_password(OTHER)
    assert outbox.subjects == ["Your password was changed"]


@pytest.mark.parametrize(
    ("field", "value"), [("current_password", "wrong"), ("new_password", "password")]
)
def test_password_change_invalid(
    member: Browser, user: User, outbox: Outbox, field: str, value: str
) -> None:
    data = {"current_password": PASSWORD, "new_password": OTHER} | {field: value}
    response = member.post(CHANGE, data)
    user.refresh_from_db()

    assert response.status_code == 422
    assert {fault["loc"][-1] for fault in response.json()["errors"]} == {field}
    assert user.check_password(PASSWORD)
    assert not outbox.mails


def test_password_change_is_throttled(member: Browser, user: User) -> None:
    for _ in range(LOGINS.per_client_and_account):
        member.post(CHANGE, {"current_password": "wrong", "new_password": OTHER})
    refused = member.post(CHANGE, {"current_password": PASSWORD, "new_password": OTHER})
    user.refresh_from_db()

    assert refused.status_code == 429
    assert user.check_password(PASSWORD)


def test_phone_is_encrypted(member: Browser) -> None:
    given = member.patch(ME, {"phone": " +44 20 7946 0018 "}).json()["phone"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT phone FROM accounts_user")
        (column,) = cursor.fetchone()

    assert given == member.me().json()["phone"] == "+44 20 7946 0018"
    assert column.startswith("gAAAA")
    assert "7946" not in column
    assert member.patch(ME, {"phone": None}).json()["phone"] is None
