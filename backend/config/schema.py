"""What migrations take from code that serves on while they are applied, and what code needs."""

from collections.abc import Collection, Iterable, Iterator

from django.apps import apps
from django.db.migrations import Migration
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.operations import (
    AddField,
    DeleteModel,
    RemoveField,
    RenameField,
    RenameModel,
    SeparateDatabaseAndState,
)
from django.db.migrations.operations.base import Operation
from django.db.models import NOT_PROVIDED


def losses(migrations: Iterable[Migration]) -> list[str]:
    """Return the models and fields that older code cannot use any more behind migrations.

    SQL and Python of a migration's own are not looked into; `migration-flight` runs them.
    """
    found = {
        f"{migration.app_label}.{name}"
        for migration in migrations
        for operation in migration.operations
        for name in _lost(operation)
    }
    return sorted(found)


def too_early(graph: MigrationGraph, migrations: Collection[Migration]) -> list[str]:
    """Return the contract migrations that would be applied together with what they build upon.

    What such a migration takes away was in use until the one before it served.

    Args:
        graph: All migrations.
        migrations: Those that are to be applied.
    """
    nodes = {(each.app_label, each.name): each for each in migrations}
    return [
        ".".join(node)
        for node, migration in nodes.items()
        if hasattr(migration, "contract")
        and any(other in nodes for other in graph.forwards_plan(node) if other != node)
    ]


def uses() -> list[str]:
    """Return the models and fields that this code reads and writes."""
    models = [model._meta for model in apps.get_models()]  # noqa: SLF001 - Django documents it
    fields = (
        f"{it.label_lower}.{field.name.lower()}"
        for it in models
        for field in (*it.local_fields, *it.local_many_to_many)
    )
    return sorted({*fields, *(it.label_lower for it in models)})


def _lost(operation: Operation) -> Iterator[str]:
    """Yield what an operation takes away, without the name of its app."""
    match operation:
        case SeparateDatabaseAndState():
            for each in operation.database_operations:
                yield from _lost(each)
        case RemoveField():
            yield f"{operation.model_name_lower}.{operation.name_lower}"
        case RenameField():
            yield f"{operation.model_name_lower}.{operation.old_name_lower}"
        case DeleteModel():
            yield operation.name_lower
        case RenameModel():
            yield operation.old_name_lower
        case AddField() if _is_demanded(operation):
            yield operation.model_name_lower


def _is_demanded(operation: AddField) -> bool:
    """Say whether code that does not know of a field can add no rows any more."""
    field = operation.field
    has_a_default = getattr(field, "db_default", NOT_PROVIDED) is not NOT_PROVIDED
    return not (field.null or field.many_to_many or has_a_default)
