"""Run data operations twice: an interrupted migration without a transaction runs again."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

import sqlparse
from django.db import connection, transaction
from django.db.migrations import RunPython, RunSQL
from django.db.migrations.operations.base import Operation

from pipeline.checks.migrations.django_runner.pg_catalog import fetch_all
from pipeline.checks.migrations.records import RepeatResult

_CONTENT = "SELECT md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM {} AS t"
_DATA_STATEMENTS = {"DELETE", "INSERT", "MERGE", "UPDATE"}


def run_data_operations_twice(operations: Sequence[Operation]) -> list[RepeatResult]:
    """Wrap the data operations of a migration so that each runs twice.

    Args:
        operations: The operations of a migration that is not applied yet.

    Returns:
        A list that is filled while the migration is applied.
    """
    repeats: list[RepeatResult] = []
    for operation in _all(operations):
        if _changes_data(operation):
            forwards = partial(_twice, repeats, operation, operation.database_forwards)
            operation.database_forwards = forwards  # type: ignore[method-assign]
    return repeats


def _twice(
    repeats: list[RepeatResult],
    operation: Operation,
    forwards: Callable[..., None],
    *arguments: Any,  # noqa: ANN401
) -> None:
    before = _content()
    forwards(*arguments)
    once = _content()
    repeats.append(
        RepeatResult(operation.describe(), before != once, _again(forwards, once, arguments))
    )


def _again(forwards: Callable[..., None], once: dict[str, Any], arguments: Sequence[Any]) -> str:
    """Repeat an operation, and return the fault or an empty string.

    Within a transaction the repetition runs in a savepoint that is rolled back: an error would
    otherwise abort the transaction of the first run as well.
    """
    undone = connection.in_atomic_block
    try:
        with transaction.atomic() if undone else nullcontext():
            forwards(*arguments)
            again = _content()
            if undone:
                transaction.set_rollback(True)
    except Exception as error:  # noqa: BLE001 - a migration may raise any exception
        return f"fails: {str(error).splitlines()[0]}"
    changed = sorted(table for table in once if again.get(table) != once[table])
    return f"changes {', '.join(changed)} again" if changed else ""


def _all(operations: Sequence[Operation]) -> Iterator[Operation]:
    for operation in operations:
        yield operation
        yield from _all(getattr(operation, "database_operations", ()))


def _changes_data(operation: Operation) -> bool:
    if not isinstance(operation, RunSQL):
        return isinstance(operation, RunPython)
    parts = [operation.sql] if isinstance(operation.sql, str) else operation.sql
    text = ";\n".join(part if isinstance(part, str) else part[0] for part in parts)
    return any(each.get_type() in _DATA_STATEMENTS for each in sqlparse.parse(text))  # type: ignore[no-untyped-call]


def _content() -> dict[str, Any]:
    names = connection.introspection.table_names()
    quoted = {name: connection.ops.quote_name(name) for name in names}
    return {name: fetch_all(_CONTENT.format(quoted[name]))[0][0] for name in names}
