from collections import Counter
from collections.abc import Iterator

from cryptography.fernet import InvalidToken
from django.apps import apps
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.db.models import ExpressionWrapper, F, TextField, Value

from apps.encryption import EncryptedTextField, is_current, rotate


class Command(BaseCommand):
    """Skips current values, so that an interrupted run can be repeated."""

    help = "Re-encrypt values of previous keys with the first key, and print the counts."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", type=int, default=500, help="rows per transaction")

    def handle(self, *_: object, batch: int, **__: object) -> None:
        unreadable = 0
        for field in encrypted_fields():
            counts = Counter(reencrypt(field, batch))
            summary = ", ".join(f"{counts[word]} {word}" for word in ("renewed", "current"))
            self.stdout.write(f"{field}: {summary}, {counts['unreadable']} unreadable")
            unreadable += counts["unreadable"]
        if unreadable:
            raise CommandError(
                f"no key of FIELD_ENCRYPTION_KEY decrypts {unreadable} values\n"
                "hint: add the key that encrypted them to the end of the list"
            )


def encrypted_fields() -> Iterator[EncryptedTextField]:
    """Yield every encrypted field of every model."""
    for model in apps.get_models():
        fields = model._meta.local_fields  # noqa: SLF001  # Django's documented way to a model's fields
        yield from (field for field in fields if isinstance(field, EncryptedTextField))


def reencrypt(field: EncryptedTextField, size: int) -> Iterator[str]:
    """Re-encrypt a column in batches, and yield the outcome of each value."""
    last = None
    while rows := renew_batch(field, last, size):
        yield from rows.values()
        *_, last = rows  # in the order of the database, which differs from Python's for texts


@transaction.atomic
def renew_batch(field: EncryptedTextField, last: object, size: int) -> dict[object, str]:
    """Lock the next rows after the key `last`, or the first rows, and renew their values."""
    following = {} if last is None else {"pk__gt": last}
    cipher = ExpressionWrapper(F(field.name), output_field=TextField())
    rows = (
        field.model._base_manager.select_for_update()  # noqa: SLF001  # a custom manager may hide rows
        .filter(**following, **{f"{field.name}__isnull": False})
        .annotate(cipher=cipher)
        .order_by("pk")
        .values_list("pk", "cipher")[:size]
    )
    return {pk: renew(field, pk, token) for pk, token in rows}


def renew(field: EncryptedTextField, pk: object, token: str) -> str:
    """Re-encrypt the value of a row, unless it is current."""
    if is_current(token):
        return "current"
    try:
        renewed = Value(rotate(token), output_field=TextField())
    except InvalidToken:
        return "unreadable"
    field.model._base_manager.filter(pk=pk).update(**{field.name: renewed})  # noqa: SLF001
    return "renewed"
