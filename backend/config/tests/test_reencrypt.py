from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.test.utils import isolate_apps
from pytest_django import DjangoAssertNumQueries, Settings

from apps.accounts.models import User
from apps.encryption import EncryptedTextField, UndecryptableError
from config.management.commands import reencrypt as command

OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))
PHONE = "+44 20 7946 0018"


@pytest.fixture
def users(db: None, settings: Settings) -> list[User]:  # noqa: ARG001
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    numbers = [PHONE, None, "", "+1 555 0100"]
    return [
        User.objects.create_user(f"{index}@example.com", phone=number)
        for index, number in enumerate(numbers)
    ]


def column() -> list[str | None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT phone FROM accounts_user ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


def phones() -> list[str | None]:
    return list(User.objects.order_by("id").values_list("phone", flat=True))


def reencrypt(**options: int) -> str:
    output = StringIO()
    call_command("reencrypt", stdout=output, **options)
    return output.getvalue().strip()


@pytest.mark.usefixtures("users")
def test_column_is_encrypted() -> None:
    User.objects.create_user("same@example.com", phone=PHONE)
    first, nothing, empty, _, same = column()

    assert nothing is None
    assert empty
    assert first
    assert Fernet(OLD).decrypt(first).decode() == PHONE
    assert first != same
    assert "7946" not in str(column())


@pytest.mark.usefixtures("users")
def test_unsupported_lookup() -> None:
    with pytest.raises(FieldError, match="Unsupported lookup 'exact' for EncryptedTextField"):
        User.objects.get(phone=PHONE)
    with pytest.raises(FieldError, match="Unsupported lookup 'icontains' for EncryptedTextField"):
        User.objects.filter(phone__icontains="7946").exists()

    assert User.objects.filter(phone__isnull=True).count() == 1


@pytest.mark.usefixtures("users")
def test_key_rotation(settings: Settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    User.objects.filter(email="3@example.com").update(phone="+1 555 0199")

    assert phones() == [PHONE, None, "", "+1 555 0199"]
    assert Fernet(NEW).decrypt(str(column()[3])).decode() == "+1 555 0199"


@pytest.mark.parametrize("batch", [1, 2, 500])
@pytest.mark.usefixtures("users")
def test_reencrypt(settings: Settings, batch: int) -> None:
    before = phones()
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    first, again = reencrypt(batch=batch), reencrypt(batch=batch)
    settings.FIELD_ENCRYPTION_KEYS = [NEW]

    assert first == "accounts.User.phone: 3 renewed, 0 current, 0 unreadable"
    assert again == "accounts.User.phone: 0 renewed, 3 current, 0 unreadable"
    assert phones() == before


KEYS: dict[str, tuple[Any, list[object]]] = {
    "numbers": (models.BigIntegerField(primary_key=True), [-2, 0, 3]),
    "texts": (models.CharField(primary_key=True, max_length=9), ["", "-1", "b", "Ä"]),
    "UUIDs": (models.UUIDField(primary_key=True), [UUID(int=0), UUID(int=1), UUID(int=2**127)]),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", KEYS)
@isolate_apps("apps.accounts")
def test_reencrypt_primary_key_types(settings: Settings, kind: str) -> None:
    class Note(models.Model):
        key = KEYS[kind][0].clone()
        text = EncryptedTextField()

        class Meta:
            app_label = "accounts"

        def __str__(self) -> str:
            return f"{self.text}"

    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    with connection.schema_editor() as editor:
        editor.create_model(Note)
    try:
        notes = [Note(key=key, text=PHONE) for key in KEYS[kind][1]]
        Note._base_manager.bulk_create(notes)  # noqa: SLF001
        settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
        found = [*command.reencrypt(Note._meta.get_field("text"), 2)]  # noqa: SLF001
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(Note)

    assert found == ["renewed"] * len(KEYS[kind][1])


def test_reencrypt_resumes(users: list[User], settings: Settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    users[0].save()

    assert reencrypt() == "accounts.User.phone: 2 renewed, 1 current, 0 unreadable"


@pytest.mark.usefixtures("users")
def test_reencrypt_unknown_key(settings: Settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [LOST]
    User.objects.create_user("lost@example.com", phone=PHONE)
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    before = column()[4]
    with pytest.raises(CommandError, match=r"decrypts 1 values\nhint: add the key"):
        reencrypt()

    assert column()[4] == before
    with pytest.raises(UndecryptableError, match="no key of FIELD_ENCRYPTION_KEY decrypts"):
        User.objects.get(email="lost@example.com")


@pytest.mark.usefixtures("users")
def test_reencrypt_current_values(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(6):  # two batches, the second of them empty, each in a savepoint
        reencrypt()
