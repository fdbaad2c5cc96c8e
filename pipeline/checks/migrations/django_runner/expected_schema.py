"""Apply parsed statements to a schema in memory, without a server."""

import re
from collections.abc import Callable, Iterable, Mapping

from pipeline.checks.migrations.django_runner.definitions import (
    column,
    has_default,
    labels,
    relabelled,
    shown,
    type_of,
    typed,
)
from pipeline.checks.migrations.django_runner.pg_catalog import Column
from pipeline.checks.migrations.django_runner.relations import Key, Relations
from pipeline.checks.migrations.django_runner.syntax import Node, unquoted

Columns = Mapping[str, Mapping[str, tuple[str, bool, bool, bool]]]
"""By table and column: type, NOT NULL, has a default, has a CHECK (… IS NOT NULL)."""
RELATIONS = (
    "TABLE_NAME_REF", "VIEW_REF", "RELATION_NAME_REF", "MATERIALIZED_VIEW_REF", "SEQUENCE_REF",
)  # fmt: skip
_KINDS = {"TABLE_NAME_REF": "r", "SEQUENCE_REF": "S"}
_MADE = {"CREATE_TABLE": "r", "CREATE_TABLE_AS": "r", "CREATE_VIEW": "v",
        "CREATE_MATERIALIZED_VIEW": "m", "CREATE_SEQUENCE": "S"}  # fmt: skip
_DROPS = {"DROP_TABLE", "DROP_VIEW", "DROP_MATERIALIZED_VIEW", "DROP_SEQUENCE"}
_FILLED = re.compile(r'CHECK \(+"?(\w+)"? IS NOT NULL\)+( NOT VALID)?', re.IGNORECASE)


class Schema(Relations):
    """The schema after all statements that were applied so far."""

    def __init__(self, columns: Columns, indexes: Mapping[str, str]) -> None:
        super().__init__()
        self.checked: dict[Key, str] = {}
        """Columns with a CHECK (… IS NOT NULL); the value is its name while it is NOT VALID."""
        for table, own in columns.items():
            oid = self.create(table, "r")
            for name, (kind, required, default, checked) in own.items():
                key = self.add(oid, Column(name, typed(kind), required, default))
                self.checked |= {key: ""} if checked else {}
        self.indexes = {name: self.find(table) for name, table in indexes.items()}
        self.release()

    def follow(self, earlier: Iterable[Node]) -> None:
        """Apply SQL of the previous release, except to tables that have a model."""
        models = {**self.now.relations}
        for node in earlier:
            if node.kind in _MADE or self.find(node.name(*RELATIONS)) not in models:
                self.apply(node)
        self.release()

    def meet(self, node: Node) -> None:
        """Add unknown tables and columns of a statement: they must exist in the old schema."""
        if node.has("IF_EXISTS"):
            return
        for each in node.all(*RELATIONS):
            if not self.find(name := unquoted(each.text)):
                oid = self.create(name, _KINDS.get(each.kind, "v"))
                for known in (self.known, self.released.relations, self.start.relations):
                    known[oid] = name
        oid = self.find(node.name(*RELATIONS))
        for action in node.all("DROP_COLUMN", "ALTER_COLUMN", "RENAME_COLUMN"):
            name = action.name("COLUMN_NAME_REF")
            if oid in self.known and self.key(oid, name) is None:
                column = Column(name, "", required=False, default=False)
                key = self.add(oid, column)
                self.released.columns[key] = self.start.columns[key] = column

    def apply(self, node: Node) -> None:
        """Change the schema as the statement does."""
        oid = self.find(node.name(*RELATIONS))
        if kind := _MADE.get(node.kind):
            self._create(node, kind)
        elif node.kind in _DROPS:
            for each in node.all(*RELATIONS):
                self.now.relations.pop(self.find(unquoted(each.text)), None)
        elif node.kind == "CREATE_INDEX":
            self.indexes[node.name("INDEX")] = oid
        elif node.kind == "DROP_INDEX":
            self.indexes.pop(node.name("INDEX_REF"), None)
        elif node.kind in {"ALTER_TABLE", "ALTER_VIEW"} and oid:
            for action in node.children:
                self._alter(oid, action)
        elif node.kind in {"CREATE_TYPE", "ALTER_TYPE"}:
            self._type(node)
        elif node.kind in {"ALTER_SCHEMA", "DROP_SCHEMA"}:
            self._schema(node)

    def _type(self, node: Node) -> None:
        name = node.name("TYPE_NAME", "TYPE_NAME_REF")
        if node.has("ENUM_TYPE"):
            self.enums[name] = labels(node)
        elif name in self.enums:
            self.enums[name] = relabelled(self.enums[name], node)

    def _schema(self, node: Node) -> None:
        names = {unquoted(each.text) for each in node.all("SCHEMA_REF")}
        for oid, name in [*self.now.relations.items()]:
            schema, _, bare = name.rpartition(".")
            if schema in names and node.kind == "DROP_SCHEMA":
                del self.now.relations[oid]
            elif schema in names and node.has("SCHEMA_RENAME_TO"):
                self.now.relations[oid] = f"{node.name('SCHEMA')}.{bare}"

    def _create(self, node: Node, kind: str) -> None:
        name = node.name("TABLE_NAME", "VIEW", "MATERIALIZED_VIEW", "PATH")
        if not self.find(name):
            oid = self.create(name, "p" if node.has("PARTITION_BY") else kind)
            for each in node.all("COLUMN"):
                self.add(oid, column(each))
            for title in shown(node, self.columns):
                self.add(oid, Column(title, "", required=False, default=False))

    def _alter(self, oid: int, action: Node) -> None:
        if change := self._actions().get(action.kind):
            change(oid, action)
        key = self.key(oid, action.name("COLUMN_NAME_REF"))
        if key is not None and action.kind == "DROP_COLUMN":
            del self.now.columns[key]
        elif key is not None and action.kind == "RENAME_COLUMN":
            self.change(key, name=action.name("COLUMN_NAME"))
        elif key is not None and action.kind == "ALTER_COLUMN":
            self._alter_column(key, action)

    def _actions(self) -> Mapping[str, Callable[[int, Node], object]]:
        """Return the handlers of ALTER TABLE actions that do not name an existing column."""
        return {
            "ADD_COLUMN": lambda oid, action: self.add(oid, column(action)),
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
        key = self.key(oid, action.name("COLUMN_NAME_REF"))
        if key and action.has("NOT_NULL_CONSTRAINT"):
            self.change(key, required=True)
            return
        found = _FILLED.search(" ".join(action.text.split()))
        if found and (key := self.key(oid, found[1])):
            self.checked[key] = action.name("CONSTRAINT_NAME") if found[2] else ""

    def _validate(self, _: int, action: Node) -> None:
        name = action.name("CONSTRAINT_NAME_REF", "NAME_REF")
        self.checked = {each: "" if by == name else by for each, by in self.checked.items()}

    def _alter_column(self, key: Key, action: Node) -> None:
        if action.has("SET_TYPE") and self.now.columns[key].type:  # an unknown type stays unknown
            self.change(key, type=type_of(action))
        if action.has("SET_NOT_NULL", "DROP_NOT_NULL"):
            self.change(key, required=action.has("SET_NOT_NULL"))
        if action.has("SET_DEFAULT", "DROP_DEFAULT"):
            self.change(key, default=has_default(action))
