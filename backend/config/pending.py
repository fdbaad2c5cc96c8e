"""What the job that migrates has to do where no migration is to be applied."""

import os
from collections.abc import Iterator
from weakref import ReferenceType

from django.db import connection
from django.db.models.signals import post_migrate, pre_migrate

from apps.accounts.services import user_is_ensured
from config.management.commands.migrate_safely import HOLDER, LOCK

SIGNALS = {"pre_migrate": pre_migrate, "post_migrate": post_migrate}
DJANGO = "django."
"""Its own receivers follow the models, which do not change without a migration."""


def pending() -> list[str]:
    """Return what `migrate_safely` and `ensure_user` would still do, or may."""
    found = [f"{receiver}, by {name}" for name, receiver in foreign_receivers()]
    if another_migrates():
        found.append("another migration is running")  # two must not run at the same time
    if not smoke_user_is_there():
        found.append("the user of SMOKE_USER_EMAIL")
    return found


def another_migrates() -> bool:
    """Say whether another process holds the lock of migrations."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute(HOLDER, [LOCK])
        return cursor.fetchone() is not None


def foreign_receivers() -> Iterator[tuple[str, str]]:
    """Return the receivers of migration signals that are not of Django itself."""
    for name, signal in SIGNALS.items():
        for _, kept, *_ in signal.receivers:
            receiver = kept() if isinstance(kept, ReferenceType) else kept
            module = getattr(receiver, "__module__", "")
            if receiver is not None and not module.startswith(DJANGO):
                yield name, f"{module}.{getattr(receiver, '__qualname__', receiver)}"


def smoke_user_is_there() -> bool:
    """Say whether the user of the smoke test is as `ensure_user` would leave it."""
    email, password = os.environ.get("SMOKE_USER_EMAIL"), os.environ.get("SMOKE_USER_PASSWORD")
    return bool(email and password and user_is_ensured(email=email, password=password))
