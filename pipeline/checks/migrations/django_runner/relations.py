"""Tables and columns by numbers that a rename does not change, like oids in PostgreSQL."""

from itertools import count
from typing import Any

from pipeline.checks.migrations.django_runner.pg_catalog import Column, Snapshot

Key = tuple[int, int]


class Relations:
    """The current relations, and the relations of the previous release."""

    def __init__(self) -> None:
        self.numbers = count(1)
        self.kinds: dict[int, str] = {}
        self.enums: dict[str, list[str]] = {}
        self.now = Snapshot({}, {}, self.kinds)
        self.known: dict[int, str] = {}
        self.released = self.start = self.copy()

    def release(self) -> None:
        """Make the current relations the relations of the previous release."""
        self.known = {**self.now.relations}
        self.released = self.start = self.copy()

    def copy(self) -> Snapshot:
        """Return the current state of the relations of the previous release."""
        columns = {
            key: each._replace(type=self._written(each.type))
            for key, each in self.now.columns.items()
            if key[0] in self.known
        }
        relations = {oid: name for oid, name in self.now.relations.items() if oid in self.known}
        return Snapshot(relations, columns, self.kinds)

    def _written(self, name: str) -> str:
        """Return a type as `catalog.COLUMNS` reads it: an enum with its labels."""
        return f"{name} of {', '.join(self.enums[name])}" if name in self.enums else name

    def begin(self) -> None:
        """Start a transaction: changes count from here."""
        self.start = self.copy()

    def shown_as(self, name: str) -> set[tuple[str, str]]:
        """Return the columns of the relation with a name, each with the kind of the relation."""
        columns = self.now.columns.items()
        named = {oid for oid, each in self.now.relations.items() if each == name}
        return {(self.kinds[key[0]], each.name) for key, each in columns if key[0] in named}

    def find(self, name: str) -> int:
        """Return the number of a relation; 0 if the name is unknown."""
        return next((oid for oid, each in self.now.relations.items() if each == name), 0)

    def key(self, oid: int, name: str) -> Key | None:
        """Return the key of a column; None if the name is unknown."""
        columns = self.now.columns.items()
        return next((key for key, each in columns if key[0] == oid and each.name == name), None)

    def columns(self, relation: str) -> list[str]:
        oid = self.find(relation)
        return [each.name for key, each in self.now.columns.items() if key[0] == oid]

    def change(self, key: Key, **facts: Any) -> None:  # noqa: ANN401
        self.now.columns[key] = self.now.columns[key]._replace(**facts)

    def create(self, name: str, kind: str) -> int:
        """Add a relation with a `pg_class.relkind`, and return its number."""
        oid = next(self.numbers)
        self.now.relations[oid], self.kinds[oid] = name, kind
        return oid

    def add(self, oid: int, made: Column) -> Key:
        """Add a column to a relation, and return its key."""
        key = oid, next(self.numbers)
        self.now.columns[key] = made
        return key
