"""The order in which tables get rows: parents first; cycles are broken at a nullable key."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from pipeline.checks.migrations.catalog import Key, Table

_CYCLE = "its foreign key to {} closes a cycle and can neither be NULL nor deferred"


@dataclass
class _Order:
    tables: list[str] = field(default_factory=list)
    postponed: dict[str, list[Key]] = field(default_factory=dict)
    """The foreign keys that get their values after all tables have rows, by table."""
    skipped: dict[str, str] = field(default_factory=dict)
    """The cause for each table that cannot have rows."""

    def postpone(self, table: Table, keys: list[Key]) -> None:
        """Break a cycle: set these keys of a table later, or skip the table if that is impossible."""
        self.postponed.setdefault(table.name, []).extend(keys)
        if not _can_wait(table, keys):
            self.skipped[table.name] = _CYCLE.format(keys[0].parent)


def order_by_dependency(
    known: Mapping[str, Table], wanted: Iterable[str], values: Mapping[str, str]
) -> _Order:
    """Sort tables and their parents topologically; postpone foreign keys until no cycle is left.

    Args:
        known: All tables.
        wanted: The names of the tables that need rows.
        values: Configured values by `table.column`; keys with a value are no dependency.
    """
    order = _Order()
    keys = _keys(known, wanted, values)
    for name, own in keys.items():
        if selves := [key for key in own if _root(known, key.parent) == name]:
            order.postpone(known[name], selves)
    while True:
        graph = {
            name: {
                _root(known, key.parent) for key in own if key not in order.postponed.get(name, [])
            }
            for name, own in keys.items()
        }
        try:
            order.tables = [*TopologicalSorter(graph).static_order()]
        except CycleError as error:
            _break(order, known, keys, error.args[1])
        else:
            return order


def _keys(
    known: Mapping[str, Table], wanted: Iterable[str], values: Mapping[str, str]
) -> dict[str, list[Key]]:
    """Return the foreign keys of the wanted tables and of their parents, by table."""
    found: dict[str, list[Key]] = {}
    waiting = [_root(known, name) for name in wanted if name in known]
    while waiting:
        table = known[waiting.pop()]
        if table.name not in found:
            found[table.name] = [
                key
                for key in table.keys
                if not all(f"{table.name}.{column}" in values for column in key.columns)
            ]
            waiting += [_root(known, key.parent) for key in found[table.name]]
    return found


def _break(
    order: _Order, known: Mapping[str, Table], keys: Mapping[str, list[Key]], cycle: list[str]
) -> None:
    """Postpone the keys of the table in the cycle where waiting costs least."""
    steps = [
        (known[name], [key for key in keys[name] if _root(known, key.parent) == parent])
        for parent, name in pairwise(cycle)
    ]
    order.postpone(*min(steps, key=lambda step: _cost(*step)))


def _cost(table: Table, keys: list[Key]) -> int:
    return 0 if all(map(table.nullable, keys)) else 1 if _can_wait(table, keys) else 2


def _can_wait(table: Table, keys: list[Key]) -> bool:
    return all(key.deferrable or table.nullable(key) for key in keys)


def _root(known: Mapping[str, Table], name: str) -> str:
    return known[name].root or name
