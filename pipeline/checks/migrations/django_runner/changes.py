"""Compare two schemas from the view of code that uses the tables."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from pipeline.checks.migrations.django_runner.pg_catalog import (
    Column,
    Snapshot,
    fetch_all,
    snapshot,
)
from pipeline.checks.migrations.django_runner.types import is_lossless, is_widening
from pipeline.checks.migrations.records import Change

# A view that is not updatable counts as a materialized view ('m'): code can only read it.
_SHOWN = """
    SELECT CASE WHEN relkind = 'v' AND pg_relation_is_updatable(pg_class.oid, true) & 28 < 28
        THEN 'm' ELSE relkind END, attname
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
    WHERE CASE nspname WHEN current_schema() THEN '' ELSE nspname || '.' END || relname = %s
"""

_T = TypeVar("_T")
_TABLES, _VIEWS = {"r", "p"}, {"v", "m"}  # each a `pg_class.relkind`


def needed(known: dict[int, str]) -> set[str]:
    """Return the columns for which every INSERT needs a value."""
    return unfilled(snapshot(known))


def unfilled(now: Snapshot) -> set[str]:
    """Return the NOT NULL columns without a default."""
    return {_name(now, key, column) for key, column in now.columns.items() if _is_unfilled(column)}


def differing(before: Snapshot, after: Snapshot) -> list[str]:
    """Return the names of columns and tables that differ."""
    return [
        *(
            _name(after, key, column)
            for key, column in after.columns.items() - before.columns.items()
        ),
        *(_name(before, key, was) for key, was in before.columns.items() - after.columns.items()),
        *(name for _, name in before.relations.items() - after.relations.items()),
    ]


def author(of: Mapping[tuple[str, str], _T], change: Change) -> _T | None:
    """Return the statement that made a change, if it is known."""
    table = change.what.rpartition(".")[0]
    keys = (change.rule, change.what), ("", change.what), ("", table)
    return next((of[key] for key in keys if key in of), None)


def _shown_as(name: str) -> set[tuple[str, str]]:
    """Return the columns of the relation with a name, each with the kind of the relation."""
    return {(kind, column) for kind, column in fetch_all(_SHOWN, name)}


def changes(
    before: Snapshot,
    after: Snapshot,
    released: Snapshot,
    shown_as: Callable[[str], set[tuple[str, str]]] = _shown_as,
) -> list[Change]:
    """Return the changes that break code written for the first schema.

    Args:
        before: The schema at the start.
        after: The schema at the end.
        released: The schema of the previous release, whose code does not use newer columns.
        shown_as: Returns the columns of the relation that now has a name, with its `relkind`.
    """
    found = []
    shown: dict[int, set[str]] = {}  # columns of the relation that now has the name
    replaced: set[int] = set()
    for oid, name in before.relations.items():
        if (now := after.relations.get(oid)) != name:
            columns = shown_as(name)
            there, shown[oid] = {kind for kind, _ in columns}, {column for _, column in columns}
            rule = "renaming-table" if now else "ban-drop-table"
            lossy = not now and bool(there & _TABLES)
            if _stands_in(there, before.kinds.get(oid, ""), dropped=not now):
                replaced.add(oid)
            found.append(Change(rule, name, lossy=lossy, replaced=oid in replaced))
    for key, column in after.columns.items():
        was_unfilled = _is_unfilled(before.columns.get(key))
        if key not in released.columns and _is_unfilled(column) and not was_unfilled:
            found.append(Change("adding-required-field", _name(after, key, column)))
    for key, was in before.columns.items():
        if key not in released.columns or was.name in shown.get(key[0], ()):
            continue
        if key[0] in replaced:
            found.append(Change("ban-drop-column", _name(before, key, was)))
        elif key[0] in after.relations:
            found += _of_column(_name(before, key, was), was, after.columns.get(key))
    return found


def _stands_in(there: set[str], kind: str, *, dropped: bool) -> bool:
    """Return whether code can use the relation that now has the name of another relation.

    For a table only an updatable view is enough, and only if the table was renamed: the rows of a
    dropped table are lost.

    Args:
        there: The kinds of the relation that now has the name.
        kind: The kind of the relation that had the name.
        dropped: Whether that relation was dropped.
    """
    if kind in _TABLES:
        return "v" in there and not dropped
    return bool(there & _VIEWS)


def _is_unfilled(column: Column | None) -> bool:
    """Return whether every INSERT needs a value for the column."""
    return column is not None and column.required and not column.default


def _of_column(name: str, was: Column, now: Column | None) -> list[Change]:
    if now is None:
        return [Change("ban-drop-column", name)]
    found = []
    if now.name != was.name:
        found.append(Change("renaming-column", name, type=was.type.partition(" of ")[0]))
    if now.type != was.type and not is_widening(was.type, now.type):
        lossy = not is_lossless(was.type, now.type)
        found.append(Change("changing-column-type", name, lossy=lossy))
    if now.required and not was.required:
        found.append(Change("adding-not-nullable-field", name))
    if was.default and not now.default:
        found.append(Change("ban-drop-default", name))
    return found


def _name(of: Snapshot, key: tuple[int, int], column: Column) -> str:
    return f"{of.relations.get(key[0], '')}.{column.name}"
