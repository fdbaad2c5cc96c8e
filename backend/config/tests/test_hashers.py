import pytest
from django.contrib.auth.hashers import make_password
from pytest_django import Settings

from apps.accounts.models import User
from apps.accounts.tests.browser import PASSWORD, Browser
from config.settings import base


@pytest.fixture(autouse=True)
def _hashers_of_production(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = base.PASSWORD_HASHERS


def test_a_password_is_hashed_with_argon2() -> None:
    encoded = make_password(PASSWORD)

    assert encoded.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert len(encoded) <= 128  # the column's width


def test_a_hash_of_former_days_is_renewed_at_the_next_login(browser: Browser, user: User) -> None:
    user.password = make_password(PASSWORD, hasher="pbkdf2_sha256")
    user.save()

    assert browser.login().status_code == 200
    user.refresh_from_db()
    assert user.password.startswith("argon2$")
    assert browser.login().status_code == 200
