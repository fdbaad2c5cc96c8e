"""The schema that statements lead to, as far as it follows from their words."""

import re
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from pipeline.gates.flight.inside.catalog import Column, Snapshot
from pipeline.gates.flight.inside.syntax import Node, unquoted

Key = tuple[int, int]
Columns = Mapping[str, Mapping[str, tuple[str, bool, bool, bool]]]
"""By table and column: its type, and whether it is NOT NULL, has a default, is checked."""
RELATIONS = ("TABLE_NAME_REF", "VIEW_REF", "RELATION_NAME_REF", "MATERIALIZED_VIEW_REF")
MADE = {"CREATE_TABLE": "r", "CREATE_TABLE_AS": "r", "CREATE_VIEW": "v",
        "CREATE_MATERIALIZED_VIEW": "m"}  # fmt: skip
DROPS = {"DROP_TABLE", "DROP_VIEW", "DROP_MATERIALIZED_VIEW"}
TYPES = {
    r"varchar\b": "character varying", r"(decimal|dec)\b": "numeric", r"bool\b": "boolean",
    r"(int|int4|serial|serial4)\b": "integer", r"(int8|bigserial|serial8)\b": "bigint",
    r"(int2|smallserial)\b": "smallint", r"float8\b": "double precision",
    r"timestamptz\b": "timestamp with time zone",
}  # fmt: skip
COUNTED = re.compile(r"(big|small)?serial\d?", re.IGNORECASE)
FILLED = re.compile(r'CHECK \(+"?(\w+)"? IS NOT NULL\)+( NOT VALID)?', re.IGNORECASE)


class Schema:
    """Tables and columns by identities that renaming does not change."""

    def __init__(self, columns: Columns, indexes: Mapping[str, str]) -> None:
        self.numbers = count(1)
        self.kinds: dict[int, str] = {}
        self.now = Snapshot({}, {})
        self.checked: dict[Key, str] = {}
        """Columns that a check forbids to be NULL; by the name of a check that is not valid yet."""
        for table, own in columns.items():
            oid = self._relation(table, "r")
            for name, (kind, required, default, checked) in own.items():
                key = self._column(oid, Column(name, typed(kind), required, default))
                self.checked |= {key: ""} if checked else {}
        self.indexes = {name: self.find(table) for name, table in indexes.items()}
        self.known = {**self.now.relations}
        self.released = self.start = self.copy()

    def copy(self) -> Snapshot:
        """Return what the relations of the release before are like now."""
        columns = {key: each for key, each in self.now.columns.items() if key[0] in self.known}
        relations = {oid: name for oid, name in self.now.relations.items() if oid in self.known}
        return Snapshot(relations, columns)

    def begin(self) -> None:
        """Begin a transaction."""
        self.start = self.copy()

    def shown_as(self, name: str) -> set[tuple[str, str]]:
        """Return the columns of what has a name, each with the kind of its relation."""
        columns = self.now.columns.items()
        named = {oid for oid, each in self.now.relations.items() if each == name}
        return {(self.kinds[key[0]], each.name) for key, each in columns if key[0] in named}

    def find(self, name: str) -> int:
        """Return the identity of a relation; 0, if there is none of this name."""
        return next((oid for oid, each in self.now.relations.items() if each == name), 0)

    def key(self, oid: int, name: str) -> Key | None:
        """Return the identity of a column, if there is one of this name."""
        columns = self.now.columns.items()
        return next((key for key, each in columns if key[0] == oid and each.name == name), None)

    def meet(self, node: Node) -> None:
        """Take tables and columns for old that a statement uses and that no model has."""
        if node.has("IF_EXISTS"):
            return
        for each in node.all(*RELATIONS):
            if not self.find(name := unquoted(each.text)):
                oid = self._relation(name, "r" if each.kind == "TABLE_NAME_REF" else "v")
                for known in (self.known, self.released.relations, self.start.relations):
                    known[oid] = name
        oid = self.find(node.name(*RELATIONS))
        for action in node.all("DROP_COLUMN", "ALTER_COLUMN", "RENAME_COLUMN"):
            name = action.name("COLUMN_NAME_REF")
            if oid in self.known and self.key(oid, name) is None:
                column = Column(name, "", required=False, default=False)
                key = self._column(oid, column)
                self.released.columns[key] = self.start.columns[key] = column

    def apply(self, node: Node) -> None:
        """Change the schema as a statement does."""
        oid = self.find(node.name(*RELATIONS))
        if kind := MADE.get(node.kind):
            self._create(node, kind)
        elif node.kind in DROPS:
            for each in node.all(*RELATIONS):
                self.now.relations.pop(self.find(unquoted(each.text)), None)
        elif node.kind == "CREATE_INDEX":
            self.indexes[node.name("INDEX")] = oid
        elif node.kind == "DROP_INDEX":
            self.indexes.pop(node.name("INDEX_REF"), None)
        elif node.kind in {"ALTER_TABLE", "ALTER_VIEW"} and oid:
            for action in node.children:
                self._alter(oid, action)

    def _create(self, node: Node, kind: str) -> None:
        name = node.name("TABLE_NAME", "VIEW", "MATERIALIZED_VIEW", "PATH")
        if not (node.has("IF_NOT_EXISTS") and self.find(name)):
            oid = self._relation(name, kind)
            for each in node.all("COLUMN"):
                self._column(oid, column(each))

    def _alter(self, oid: int, action: Node) -> None:
        if change := self._actions().get(action.kind):
            change(oid, action)
        key = self.key(oid, action.name("COLUMN_NAME_REF"))
        if key is not None and action.kind == "DROP_COLUMN":
            del self.now.columns[key]
        elif key is not None and action.kind == "RENAME_COLUMN":
            self._set(key, name=action.name("COLUMN_NAME"))
        elif key is not None and action.kind == "ALTER_COLUMN":
            self._alter_column(key, action)

    def _actions(self) -> Mapping[str, Callable[[int, Node], object]]:
        """Return how the actions change a table that do not name a column that is there."""
        return {
            "ADD_COLUMN": lambda oid, action: self._column(oid, column(action)),
            "ADD_CONSTRAINT": self._check,
            "SET_SCHEMA": self._move,
            "TABLE_RENAME_TO": self._rename,
            "VALIDATE_CONSTRAINT": self._validate,
            "VIEW_RENAME_TO": self._rename,
        }

    def _rename(self, oid: int, action: Node) -> None:
        self.now.relations[oid] = action.name("TABLE_NAME", "VIEW")

    def _move(self, oid: int, action: Node) -> None:
        schema, name = action.name("SCHEMA_REF"), self.now.relations[oid].rpartition(".")[2]
        self.now.relations[oid] = name if schema == "public" else f"{schema}.{name}"

    def _check(self, oid: int, action: Node) -> None:
        found = FILLED.search(" ".join(action.text.split()))
        if found and (key := self.key(oid, found[1])):
            self.checked[key] = action.name("CONSTRAINT_NAME") if found[2] else ""

    def _validate(self, _: int, action: Node) -> None:
        name = action.name("CONSTRAINT_NAME_REF", "NAME_REF")
        self.checked = {each: "" if by == name else by for each, by in self.checked.items()}

    def _alter_column(self, key: Key, action: Node) -> None:
        if action.has("SET_TYPE"):
            self._set(key, type=type_of(action))
        if action.has("SET_NOT_NULL", "DROP_NOT_NULL"):
            self._set(key, required=action.has("SET_NOT_NULL"))
        if action.has("SET_DEFAULT", "DROP_DEFAULT"):
            self._set(key, default=action.has("SET_DEFAULT"))

    def _set(self, key: Key, **facts: Any) -> None:  # noqa: ANN401
        self.now.columns[key] = self.now.columns[key]._replace(**facts)

    def _relation(self, name: str, kind: str) -> int:
        oid = next(self.numbers)
        self.now.relations[oid], self.kinds[oid] = name, kind
        return oid

    def _column(self, oid: int, made: Column) -> Key:
        key = oid, next(self.numbers)
        self.now.columns[key] = made
        return key


def column(node: Node) -> Column:
    """Return a column as it is defined."""
    required = node.has("NOT_NULL_CONSTRAINT", "PRIMARY_KEY_CONSTRAINT")
    default = node.has("DEFAULT_CONSTRAINT", "GENERATED_CONSTRAINT") or is_counted(node)
    return Column(node.name("COLUMN_NAME"), type_of(node), required, default)


def is_counted(node: Node) -> bool:
    """Tell whether a column's values come of a sequence that is made with it."""
    return COUNTED.fullmatch(_type(node)) is not None


def type_of(node: Node) -> str:
    """Return the type that a column gets."""
    return typed(_type(next(node.all("SET_TYPE"), node)))


def typed(text: str) -> str:
    """Return a type as PostgreSQL's `format_type` writes it."""
    name = re.sub(r"\s*([(,)])\s*", r"\1", " ".join(text.lower().split()))
    for words, proper in TYPES.items():
        name = re.sub(f"^{words}", proper, name)
    return name


def _type(node: Node) -> str:
    return next((each.text for each in node.children if each.kind.endswith("_TYPE")), "")
