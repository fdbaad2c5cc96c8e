"""What is not the same in two schemas, as code sees it."""

from collections.abc import Callable

from pipeline.gates.flight.inside.catalog import Column, Snapshot, rows, snapshot
from pipeline.gates.flight.inside.types import keeps, widens
from pipeline.gates.flight.records import Change

SHOWN = """
    SELECT relkind, attname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
    WHERE CASE nspname WHEN current_schema() THEN '' ELSE nspname || '.' END || relname = %s
"""


def needed(known: dict[int, str]) -> set[str]:
    """Return the columns that every new row must bring a value for."""
    return unfilled(snapshot(known))


def unfilled(now: Snapshot) -> set[str]:
    """Return such columns of a schema."""
    return {_name(now, key, column) for key, column in now.columns.items() if _is_unfilled(column)}


def differing(before: Snapshot, after: Snapshot) -> list[str]:
    """Return the names of columns and tables that are not the same in both."""
    return [
        *(
            _name(after, key, column)
            for key, column in after.columns.items() - before.columns.items()
        ),
        *(_name(before, key, was) for key, was in before.columns.items() - after.columns.items()),
        *(name for _, name in before.relations.items() - after.relations.items()),
    ]


def shown_as(name: str) -> set[tuple[str, str]]:
    """Return the columns of what has a name, each with the kind of its relation."""
    return {(kind, column) for kind, column in rows(SHOWN, name)}


def changes(
    before: Snapshot,
    after: Snapshot,
    released: Snapshot,
    shown_as: Callable[[str], set[tuple[str, str]]] = shown_as,
) -> list[Change]:
    """Return what code that fits the one schema does not find in the other.

    Args:
        before: The schema at the beginning.
        after: The schema at the end.
        released: That of the release before, which knows no column that came since then.
        shown_as: Returns the columns of what has a name now, each with its `pg_class.relkind`.
    """
    found = []
    shown: dict[int, set[str]] = {}  # columns of what has a table's name now
    for oid, name in before.relations.items():
        if (now := after.relations.get(oid)) != name:
            columns = shown_as(name)
            there, shown[oid] = {kind for kind, _ in columns}, {column for _, column in columns}
            rule = "renaming-table" if now else "ban-drop-table"
            lossy = not now and bool(there & {"r", "p"})
            found.append(Change(rule, name, lossy=lossy, replaced=bool(there & {"v", "m"})))
    for key, column in after.columns.items():
        was_unfilled = _is_unfilled(before.columns.get(key))
        if key not in released.columns and _is_unfilled(column) and not was_unfilled:
            found.append(Change("adding-required-field", _name(after, key, column)))
    for key, was in before.columns.items():
        seen = key[0] in after.relations and was.name not in shown.get(key[0], ())
        if key in released.columns and seen:
            found += _of_column(_name(before, key, was), was, after.columns.get(key))
    return found


def _is_unfilled(column: Column | None) -> bool:
    """Tell whether every new row must bring a value for a column that is there."""
    return column is not None and column.required and not column.default


def _of_column(name: str, was: Column, now: Column | None) -> list[Change]:
    if now is None:
        return [Change("ban-drop-column", name)]
    found = []
    if now.name != was.name:
        found.append(Change("renaming-column", name))
    if now.type != was.type and not widens(was.type, now.type):
        lossy = not keeps(was.type, now.type)
        found.append(Change("changing-column-type", name, lossy=lossy))
    if now.required and not was.required:
        found.append(Change("adding-not-nullable-field", name))
    if was.default and not now.default:
        found.append(Change("ban-drop-default", name))
    return found


def _name(of: Snapshot, key: tuple[int, int], column: Column) -> str:
    return f"{of.relations.get(key[0], '')}.{column.name}"
