"""Schema compatibility: what migrations remove from running code, and what code uses."""

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


def breaking_changes(migrations: Iterable[Migration]) -> list[str]:
    """Return the models and fields that older code cannot use after these migrations.

    RunSQL and RunPython are not analysed here; the session `migration-safety` runs them.
    """
    found = {
        f"{migration.app_label}.{name}"
        for migration in migrations
        for operation in migration.operations
        for name in _broken(operation)
    }
    return sorted(found)


def too_early(graph: MigrationGraph, migrations: Collection[Migration]) -> list[str]:
    """Return the contract migrations that would be applied together with their dependencies.

    The running release may still use what such a migration removes: the dependencies must be
    deployed first, in a release of their own.

    Args:
        graph: All migrations.
        migrations: The migrations that will be applied.
    """
    nodes = {(each.app_label, each.name): each for each in migrations}
    return [
        ".".join(node)
        for node, migration in nodes.items()
        if hasattr(migration, "contract")
        and any(other in nodes for other in graph.forwards_plan(node) if other != node)
    ]


def uses() -> list[str]:
    """Return the models and fields that this code uses."""
    models = [model._meta for model in apps.get_models()]  # noqa: SLF001 - Django documents it
    fields = (
        f"{it.label_lower}.{field.name.lower()}"
        for it in models
        for field in (*it.local_fields, *it.local_many_to_many)
    )
    return sorted({*fields, *(it.label_lower for it in models)})


def _broken(operation: Operation) -> Iterator[str]:
    """Yield the models and fields that an operation breaks, without the name of the app."""
    match operation:
        case SeparateDatabaseAndState():
            for each in operation.database_operations:
                yield from _broken(each)
        case RemoveField():
            yield f"{operation.model_name_lower}.{operation.name_lower}"
        case RenameField():
            yield f"{operation.model_name_lower}.{operation.old_name_lower}"
        case DeleteModel():
            yield operation.name_lower
        case RenameModel():
            yield operation.old_name_lower
        case AddField() if _breaks_inserts(operation):
            yield operation.model_name_lower


def _breaks_inserts(operation: AddField) -> bool:
    """Return whether code that does not know the new field can no longer insert rows."""
    field = operation.field
    has_a_default = getattr(field, "db_default", NOT_PROVIDED) is not NOT_PROVIDED
    return not (field.null or field.many_to_many or has_a_default)
