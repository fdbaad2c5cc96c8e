import pytest
from django.contrib.auth.hashers import make_password
from pytest_django import Settings

from apps.accounts.models import User
from apps.accounts.tests.browser import PASSWORD, Browser
from config.settings import base


@pytest.fixture(autouse=True)
def _production_hashers(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = base.PASSWORD_HASHERS


def test_argon2_parameters() -> None:
    encoded = make_password(PASSWORD)

    assert encoded.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert len(encoded) <= 128  # the column's width


def test_login_upgrades_old_hash(browser: Browser, user: User) -> None:
    user.password = make_password(PASSWORD, hasher="pbkdf2_sha256")
    user.save()

    assert browser.login().status_code == 200
    user.refresh_from_db()
    assert user.password.startswith("argon2$")
    assert browser.login().status_code == 200
