"""Predict the work of a statement in PostgreSQL from its text and the expected schema."""

import re
from collections.abc import Iterator

from pipeline.checks.migrations.django_runner.definitions import is_counted, type_of
from pipeline.checks.migrations.django_runner.expected_schema import RELATIONS, Schema
from pipeline.checks.migrations.django_runner.syntax import Node, unquoted
from pipeline.checks.migrations.django_runner.types import is_widening
from pipeline.checks.migrations.records import Emptied, Rebuilt, Scan

_Work = tuple[tuple[Scan, ...], tuple[Rebuilt, ...]]
_EXCLUSIVE = "AccessExclusiveLock"
_TABLES = {"r", "p"}
_REWRITES = {"CLUSTER", "VACUUM"}
_MOVES = ("SET_ACCESS_METHOD", "SET_LOGGED", "SET_TABLESPACE", "SET_UNLOGGED")
_ONLY = re.compile(r"\bON\s+ONLY\b", re.IGNORECASE)
_UNREAD = re.compile(r"\bCONCURRENTLY\b|\bNO\s+DATA\b", re.IGNORECASE)
_ACTIONS = {
    "ADD_COLUMN", "ADD_CONSTRAINT", "ALTER_COLUMN", "ATTACH_PARTITION", "VALIDATE_CONSTRAINT",
}  # fmt: skip
# A column that is added with one of these constraints has values that PostgreSQL checks.
_WITH_VALUES = (
    "CHECK_CONSTRAINT", "DEFAULT_CONSTRAINT", "PRIMARY_KEY_CONSTRAINT", "UNIQUE_CONSTRAINT",
)  # fmt: skip
# Functions with the same value for all rows of a statement: ADD COLUMN rewrites no row then.
_STABLE = re.compile(
    r"(now|statement_timestamp|transaction_timestamp|current_\w+|localtime\w*|to_\w+|array)\b",
    re.IGNORECASE,
)


def about(node: Node, schema: Schema) -> str:
    """Classify the tables of a statement, see `Sent.about`; `empty` if the statement reads rows."""
    kinds = RELATIONS if node.kind == "CREATE_INDEX" else (*RELATIONS, "INDEX_REF")
    names = [unquoted(each.text) for each in node.all(*kinds)]
    if node.kind == "ALTER_TABLE":
        names = names[:1]  # the others are parents of foreign keys
    found = {oid for name in names if (oid := schema.indexes.get(name) or schema.find(name))}
    if not found:
        return "nothing" if names and node.has("IF_EXISTS") else "old"
    if found.isdisjoint(schema.known):
        return "new"
    if node.kind == "CREATE_INDEX" and _ONLY.search(node.text):
        return "old" if {schema.kinds[oid] for oid in found} == {"p"} else "empty"
    actions = [each for each in node.children if each.kind in _ACTIONS]
    return "old" if actions and not any(map(_checks_rows, actions)) else "empty"


def statement_cost(node: Node, schema: Schema, locked: str) -> _Work:
    """Return the full scans and rewrites of tables of the previous release.

    Args:
        node: A statement.
        schema: The schema before the statement.
        locked: The table that the transaction keeps locked, or an empty string.
    """
    if node.kind == "ALTER_DOMAIN":
        return tuple(_of_domain(node, schema)), ()
    oid = schema.find(node.name(*RELATIONS))
    if oid not in schema.known or (schema.kinds[oid] not in _TABLES and node.kind != "REFRESH"):
        return (), ()
    name = schema.known[oid]
    if node.kind == "REFRESH":
        return () if _UNREAD.search(node.text) else (Scan(name, 0, name, _EXCLUSIVE),), ()
    found = {*_of_columns(oid, node, schema)} if node.kind == "ALTER_TABLE" else set()
    if "writes" in found or (node.kind in _REWRITES and (node.kind == "CLUSTER" or _is_full(node))):
        return (), (Rebuilt(name, name, _EXCLUSIVE),)
    if locked and node.kind in {"UPDATE", "DELETE"} and _takes_all(node):
        return (Scan(name, 0, locked, _EXCLUSIVE),), ()
    indexes = [
        each.name("CONSTRAINT_NAME") or f"{name}_pkey"
        for action in node.all("ADD_CONSTRAINT")
        for each in action.all("EXCLUDE_CONSTRAINT", "PRIMARY_KEY_CONSTRAINT")
        if not each.has("USING_INDEX_NAME")
    ]
    scans = (Scan(name, 0, name, _EXCLUSIVE),) if "reads" in found else ()
    return scans, tuple(Rebuilt(index, name, _EXCLUSIVE) for index in indexes)


def emptied_tables(node: Node, schema: Schema, sql: str, where: str) -> Iterator[Emptied]:
    """Yield the tables of the previous release that lose all rows."""
    some = node.has("WHERE_CLAUSE", "USING_CLAUSE")
    if node.kind == "TRUNCATE" or (node.kind == "DELETE" and not some):
        for name in (unquoted(each.text) for each in node.all(*RELATIONS)):
            if schema.find(name) in schema.known:
                yield Emptied(name, sql, where)


def is_vague(node: Node, schema: Schema) -> bool:
    """Return whether a column changes its type and the old type is unknown."""
    oid = schema.find(node.name(*RELATIONS))
    keys = (
        schema.key(oid, action.name("COLUMN_NAME_REF"))
        for action in node.all("ALTER_COLUMN")
        if action.has("SET_TYPE")
    )
    return any(key and oid in schema.known and not schema.now.columns[key].type for key in keys)


def _of_columns(oid: int, node: Node, schema: Schema) -> Iterator[str]:
    """Yield "reads" or "writes" if an ALTER TABLE reads or rewrites all rows."""
    if node.has(*_MOVES):
        yield "writes"
    for action in node.all("ADD_CONSTRAINT"):
        if action.has("NOT_NULL_CONSTRAINT") and not action.has("NOT_VALID"):
            yield "reads"
    for action in node.all("ADD_COLUMN"):
        computed = action.has("STORED", "GENERATED_IDENTITY") or is_counted(action)
        if computed or _is_volatile(action):
            yield "writes"
        if action.has("CHECK_CONSTRAINT"):
            yield "reads"
    yield from _of_changed(oid, node, schema)


def _of_changed(oid: int, node: Node, schema: Schema) -> Iterator[str]:
    """Yield "reads" or "writes" for the changed columns of an ALTER TABLE."""
    for action in node.all("ALTER_COLUMN"):
        key = schema.key(oid, action.name("COLUMN_NAME_REF"))
        if key is None or key not in schema.released.columns:
            continue
        # PostgreSQL skips the scan if a valid CHECK (… IS NOT NULL) exists.
        if action.has("SET_NOT_NULL") and schema.checked.get(key) != "":
            yield "reads"
        was, now = schema.now.columns[key].type, type_of(action)
        if action.has("SET_TYPE") and was not in {"", now} and not is_widening(was, now):
            yield "writes"


def _of_domain(node: Node, schema: Schema) -> Iterator[Scan]:
    """Yield the tables whose rows PostgreSQL reads for a new check of a domain."""
    if node.has("ADD_CONSTRAINT") and not node.has("NOT_VALID"):
        domain = node.name("DOMAIN_REF")
        found = {key[0] for key, each in schema.now.columns.items() if each.type == domain}
        for oid in sorted(found & schema.known.keys()):
            yield Scan(schema.known[oid], 0, schema.known[oid], "ShareLock")


def _takes_all(node: Node) -> bool:
    """Return whether an UPDATE or DELETE changes all rows, or all rows of a join."""
    clauses = {each.kind: each for each in node.children}
    joined = clauses.keys() & {"FROM_CLAUSE", "USING_CLAUSE"}
    if "WHERE_CLAUSE" not in clauses:
        return True
    chosen = any(clauses[each].has("LITERAL") for each in (*joined, "WHERE_CLAUSE"))
    return bool(joined) and not chosen


def _is_volatile(action: Node) -> bool:
    """Return whether the default of a new column may differ in each row."""
    calls = (call for each in action.all("DEFAULT_CONSTRAINT") for call in each.all("CALL_EXPR"))
    return any(not _STABLE.match(unquoted(call.text)) for call in calls)


def _is_full(node: Node) -> bool:
    return re.search(r"\bFULL\b", node.text, re.IGNORECASE) is not None


def _checks_rows(action: Node) -> bool:
    return action.kind != "ADD_COLUMN" or action.has(*_WITH_VALUES)
