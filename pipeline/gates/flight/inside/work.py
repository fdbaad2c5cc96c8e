"""The work that PostgreSQL has with a statement, as far as it follows from its words."""

import re
from collections.abc import Iterator

from pipeline.gates.flight.inside.expected import RELATIONS, Schema, is_counted, type_of
from pipeline.gates.flight.inside.syntax import Node, unquoted
from pipeline.gates.flight.inside.types import widens
from pipeline.gates.flight.records import Emptied, Rebuilt, Scan

Work = tuple[tuple[Scan, ...], tuple[Rebuilt, ...]]
EXCLUSIVE = "AccessExclusiveLock"
ANEW = {"CLUSTER", "VACUUM"}
ACTIONS = {
    "ADD_COLUMN", "ADD_CONSTRAINT", "ALTER_COLUMN", "ATTACH_PARTITION", "VALIDATE_CONSTRAINT",
}  # fmt: skip
# Whatever it is, a column that is added with one of these has values to be checked.
WITH_VALUES = (
    "CHECK_CONSTRAINT", "DEFAULT_CONSTRAINT", "PRIMARY_KEY_CONSTRAINT", "UNIQUE_CONSTRAINT",
)  # fmt: skip
# Functions whose value is the same for all rows of one statement.
STABLE = re.compile(
    r"(now|statement_timestamp|transaction_timestamp|current_\w+|localtime\w*|to_\w+|array)\b",
    re.IGNORECASE,
)


def about(node: Node, schema: Schema) -> str:
    """Return what a statement's tables are: see `Sent`; `empty` too, if rows would be read."""
    kinds = RELATIONS if node.kind == "CREATE_INDEX" else (*RELATIONS, "INDEX_REF")
    names = [unquoted(each.text) for each in node.all(*kinds)]
    found = {oid for name in names if (oid := schema.indexes.get(name) or schema.find(name))}
    if not found:
        return "nothing" if names and node.has("IF_EXISTS") else "old"
    if found.isdisjoint(schema.known):
        return "new"
    actions = [each for each in node.children if each.kind in ACTIONS]
    return "old" if actions and not any(map(_checks_rows, actions)) else "empty"


def work(node: Node, schema: Schema, locked: str) -> Work:
    """Return what is read or written as a whole of a table of the release before.

    Args:
        node: A statement.
        schema: What there is before it.
        locked: The table that its transaction keeps locked, if any.
    """
    oid = schema.find(node.name(*RELATIONS))
    if oid not in schema.known or schema.kinds[oid] != "r":
        return (), ()
    name = schema.known[oid]
    found = {*_of_columns(oid, node, schema)} if node.kind == "ALTER_TABLE" else set()
    if "writes" in found or (node.kind in ANEW and (node.kind == "CLUSTER" or _is_full(node))):
        return (), (Rebuilt(name, name, EXCLUSIVE),)
    if locked and node.kind in {"UPDATE", "DELETE"} and not node.has("WHERE_CLAUSE"):
        return (Scan(name, 0, locked, EXCLUSIVE),), ()
    indexes = [each.name("CONSTRAINT_NAME") for each in node.all("EXCLUDE_CONSTRAINT")]
    scans = (Scan(name, 0, name, EXCLUSIVE),) if "reads" in found else ()
    return scans, tuple(Rebuilt(index, name, EXCLUSIVE) for index in indexes)


def emptied(node: Node, schema: Schema, sql: str, where: str) -> Iterator[Emptied]:
    """Yield the tables of the release before that lose all rows."""
    some = node.has("WHERE_CLAUSE", "USING_CLAUSE")
    if node.kind == "TRUNCATE" or (node.kind == "DELETE" and not some):
        for name in (unquoted(each.text) for each in node.all(*RELATIONS)):
            if schema.find(name) in schema.known:
                yield Emptied(name, sql, where)


def _of_columns(oid: int, node: Node, schema: Schema) -> Iterator[str]:
    """Yield whether an ALTER TABLE reads or writes all rows."""
    for action in node.all("ADD_COLUMN"):
        anew = action.has("GENERATED_STORED", "GENERATED_IDENTITY") or is_counted(action)
        if anew or _is_volatile(action):
            yield "writes"
        if action.has("CHECK_CONSTRAINT"):
            yield "reads"
    for action in node.all("ALTER_COLUMN"):
        key = schema.key(oid, action.name("COLUMN_NAME_REF"))
        if key is None or key not in schema.released.columns:
            continue
        if action.has("SET_NOT_NULL") and schema.checked.get(key) != "":
            yield "reads"
        was = schema.now.columns[key].type
        if action.has("SET_TYPE") and was != type_of(action) and not widens(was, type_of(action)):
            yield "writes"


def _is_volatile(action: Node) -> bool:
    """Tell whether a new column's default has a value of its own for each row."""
    calls = (call for each in action.all("DEFAULT_CONSTRAINT") for call in each.all("CALL_EXPR"))
    return any(not STABLE.match(unquoted(call.text)) for call in calls)


def _is_full(node: Node) -> bool:
    return re.search(r"\bFULL\b", node.text, re.IGNORECASE) is not None


def _checks_rows(action: Node) -> bool:
    return action.kind != "ADD_COLUMN" or action.has(*WITH_VALUES)
