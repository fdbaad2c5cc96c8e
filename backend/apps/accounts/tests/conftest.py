import pytest
from django.test import Client

from apps.accounts.models import User
from apps.accounts.tests.browser import PASSWORD, Browser


@pytest.fixture
def user(db: None) -> User:  # noqa: ARG001
    return User.objects.create_user("ada@example.com", PASSWORD, first_name="Ada")


@pytest.fixture
def browser(db: None) -> Browser:  # noqa: ARG001
    return Browser()


@pytest.fixture
def administrator(db: None, client: Client) -> Client:  # noqa: ARG001
    client.force_login(User.objects.create_superuser("root@example.com", PASSWORD))
    return client
