"""Encrypted text fields, by Fernet: AES-128-CBC and HMAC-SHA256.

FIELD_ENCRYPTION_KEY lists the keys: the first encrypts, all decrypt. A key rotation takes three
deployments, because two releases read the same rows during a rollout: first put the new key after
the old one, then before it; then run `python manage.py reencrypt` and remove the old key.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db.models import Expression, Lookup, TextField

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper


class UndecryptableError(Exception):
    def __init__(self, field: object) -> None:
        super().__init__(
            f"no key of FIELD_ENCRYPTION_KEY decrypts a value of {field}\n"
            "hint: add the key that encrypted it to the end of the list"
        )


class EncryptedTextField(TextField):  # type: ignore[type-arg]  # generic in the stubs only
    """A text that is encrypted in the database. Queries cannot search it."""

    def get_db_prep_save(self, value: object, connection: BaseDatabaseWrapper) -> object:
        """Encrypt a text. None stays NULL."""
        value = super().get_db_prep_save(value, connection)
        return encrypt(value) if isinstance(value, str) else value

    def from_db_value(
        self,
        value: str | None,
        expression: Expression,  # noqa: ARG002  # Django's signature, as below
        connection: BaseDatabaseWrapper,  # noqa: ARG002
    ) -> str | None:
        """Decrypt a value from the database.

        Raises:
            UndecryptableError: No key decrypts the value.
        """
        try:
            return None if value is None else fernet().decrypt(value).decode()
        except InvalidToken:
            raise UndecryptableError(self) from None

    def get_lookup(self, lookup_name: str) -> type[Lookup[Any]] | None:
        """Support the lookup `isnull` only.

        Equal texts have different ciphertexts. For other lookups, Django raises FieldError.
        """
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None


def encrypt(text: str) -> str:
    """Encrypt a text with the first key."""
    return fernet().encrypt(text.encode()).decode()


def is_current(token: str) -> bool:
    """Return whether a token was encrypted with the first key."""
    try:
        Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).decrypt(token)
    except InvalidToken:
        return False
    return True


def rotate(token: str) -> str:
    """Re-encrypt a token with the first key.

    Raises:
        InvalidToken: No key decrypts the token.
    """
    return fernet().rotate(token).decode()


def fernet() -> MultiFernet:
    """Return the cipher for the keys in the settings."""
    return keys(tuple(settings.FIELD_ENCRYPTION_KEYS))


@lru_cache
def keys(values: tuple[str, ...]) -> MultiFernet:
    """Build the cipher for some keys, once."""
    return MultiFernet([Fernet(value) for value in values])
