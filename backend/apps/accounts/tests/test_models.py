import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError

from apps.accounts.models import User
from apps.accounts.tests.browser import PASSWORD


def test_email_is_lower_case(user: User) -> None:
    assert User.objects.create_user("Grace@Example.COM").email == "grace@example.com"
    assert str(user) == "ada@example.com"


@pytest.mark.usefixtures("user")
def test_email_is_unique_in_any_case() -> None:
    with pytest.raises(IntegrityError):
        User.objects.create_user("ADA@example.com")


@pytest.mark.django_db
def test_database_refuses_upper_case() -> None:
    with pytest.raises(IntegrityError):
        User.objects.create(email="Grace@example.com")


@pytest.mark.usefixtures("user")
def test_validation_finds_duplicate() -> None:
    with pytest.raises(ValidationError, match="already exists"):
        User(email="ADA@example.com", password="x").full_clean()


@pytest.mark.django_db
def test_user_without_password() -> None:
    assert not User.objects.create_user("grace@example.com").has_usable_password()


def test_create_user_has_no_privileges(user: User) -> None:
    assert not user.is_staff
    assert not user.is_superuser


@pytest.mark.django_db
def test_createsuperuser_noinput(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_EMAIL", "Root@example.com")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", "--noinput", verbosity=0)

    root = User.objects.get(email="root@example.com")
    assert root.check_password(PASSWORD)
    assert root.is_staff
    assert root.is_superuser
