"""Texts that the database holds encrypted, by Fernet: AES-128-CBC and HMAC-SHA256.

FIELD_ENCRYPTION_KEY lists the keys: the first encrypts, all decrypt. To change it takes three
deployments, because in a roll two releases read the same rows: with the new key behind the old one,
then before it; and, after `python manage.py reencrypt`, without the old one.
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
    """A text that nobody can read, or look for, who has only the database."""

    def get_db_prep_save(self, value: object, connection: BaseDatabaseWrapper) -> object:
        """Encrypt a text; nothing stays nothing."""
        value = super().get_db_prep_save(value, connection)
        return encrypt(value) if isinstance(value, str) else value

    def from_db_value(
        self,
        value: str | None,
        expression: Expression,  # noqa: ARG002  # Django's signature, as below
        connection: BaseDatabaseWrapper,  # noqa: ARG002
    ) -> str | None:
        """Decrypt what a query found.

        Raises:
            UndecryptableError: None of the keys fits.
        """
        try:
            return None if value is None else fernet().decrypt(value).decode()
        except InvalidToken:
            raise UndecryptableError(self) from None

    def get_lookup(self, lookup_name: str) -> type[Lookup[Any]] | None:
        """Allow to ask whether there is a value, and nothing about it.

        Equal texts are not encrypted to equal ones: Django says that other lookups are unsupported.
        """
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None


def encrypt(text: str) -> str:
    """Encrypt a text with the first key."""
    return fernet().encrypt(text.encode()).decode()


def is_current(token: str) -> bool:
    """Tell whether a text was encrypted with the first key."""
    try:
        Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).decrypt(token)
    except InvalidToken:
        return False
    return True


def rotate(token: str) -> str:
    """Encrypt anew with the first key what any key decrypts.

    Raises:
        InvalidToken: None of the keys fits.
    """
    return fernet().rotate(token).decode()


def fernet() -> MultiFernet:
    """Return the keys as the settings have them now."""
    return keys(tuple(settings.FIELD_ENCRYPTION_KEYS))


@lru_cache
def keys(values: tuple[str, ...]) -> MultiFernet:
    """Return the keys; once made they are kept."""
    return MultiFernet([Fernet(value) for value in values])
