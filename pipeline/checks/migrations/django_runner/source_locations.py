"""Which operation of which file sends a statement."""

import ast
import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.db.migrations import Migration
from django.db.migrations.operations.base import Operation

ROOT = Path.cwd().parent  # of the repository: this runs in the directory of a backend


class OperationLocator:
    """Follows a migration while it is applied; see `of`."""

    def __init__(self, migration: Migration) -> None:
        self.file, self.now, self.failed = file_of(migration), "", file_of(migration)
        self.deferred: list[tuple[object, str]] = []
        lines = _lines(ROOT / self.file)
        if len(lines) != len(migration.operations):  # they are made by code
            lines = [0] * len(migration.operations)
        self.lines = {
            id(operation): f"{self.file}:{line}" if line else self.file
            for operation, line in zip(migration.operations, lines, strict=True)
        }
        for operation in migration.operations:
            forwards = partial(self._apply, operation, operation.database_forwards)
            operation.database_forwards = forwards  # type: ignore[method-assign]

    def of(self, statement: str) -> str:
        """Return path and line of the operation that has just sent this, or wanted it sent."""
        if self.now:
            return self.now
        places = (place for each, place in self.deferred if str(each) == statement)
        return next(places, self.file)

    def line_of(self, operation: Operation) -> str:
        """Return path and line of an operation."""
        return self.lines.get(id(operation), self.file)

    def _apply(
        self,
        operation: Operation,
        forwards: Callable[..., None],
        app_label: str,
        schema_editor: Any,  # noqa: ANN401
        *states: Any,  # noqa: ANN401
    ) -> None:
        """Note what the operation leaves to the end of the migration, such as foreign keys.

        It is not text before it is sent: Django keeps the name that an index has in its first text,
        whatever becomes of the table's.
        """
        self.now = self.failed = self.line_of(operation)
        forwards(app_label, schema_editor, *states)
        self.failed = self.file
        known = {id(each) for each, _ in self.deferred}
        new = (each for each in schema_editor.deferred_sql if id(each) not in known)
        self.deferred += [(each, self.now) for each in new]
        self.now = ""


def file_of(migration: Migration) -> str:
    """Return the path of a migration's file, in the repository if it is there."""
    source = Path(inspect.getsourcefile(type(migration)) or "")
    return str(source.relative_to(ROOT) if source.is_relative_to(ROOT) else source)


def _lines(source: Path) -> list[int]:
    """Return the first line of each operation that is written down in `operations = […]`."""
    if not source.is_file():
        return []
    for node in ast.walk(ast.parse(source.read_text())):
        if (
            isinstance(node, ast.Assign)
            and any(isinstance(name, ast.Name) and name.id == "operations" for name in node.targets)
            and isinstance(node.value, ast.List)
        ):
            return [each.lineno for each in node.value.elts]
    return []
