import json
from argparse import ArgumentParser

from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.loader import MigrationLoader


class Command(BaseCommand):
    """A rollback past a contract migration is not possible: older code may use what it removed."""

    help = "List the contract migrations: those with a `contract` attribute, which remove schema."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the names as a JSON list")
        parser.add_argument("--applied", action="store_true", help="only those in this database")

    def handle(self, *_: object, json: bool, applied: bool, **__: object) -> None:
        found = contracts(applied=applied)
        self.stdout.write(as_json(found) if json else as_text(found))


def contracts(*, applied: bool) -> dict[str, str]:
    """Return the reasons of contract migrations, by name.

    Args:
        applied: Only those applied to this database; otherwise no database is used.
    """
    loader = MigrationLoader(connection if applied else None, ignore_no_migrations=True)
    return {
        ".".join(node): str(migration.contract)
        for node, migration in sorted(loader.disk_migrations.items())
        if hasattr(migration, "contract") and (not applied or node in loader.applied_migrations)
    }


def as_json(found: dict[str, str]) -> str:
    """Return the names as a JSON list."""
    return json.dumps(list(found))


def as_text(found: dict[str, str]) -> str:
    """Return one line per migration."""
    return "\n".join(f"{name}: {reason}" for name, reason in found.items())
