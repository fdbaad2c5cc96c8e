"""Query the system catalogs for the tables of the previous release, bypassing Django."""

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection

_RELATIONS = """
    SELECT pg_class.oid,
        CASE nspname WHEN current_schema() THEN '' ELSE nspname || '.' END || relname
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relkind IN ('r', 'p', 'v', 'm', 'S') AND nspname <> 'information_schema'
        AND nspname !~ '^pg_'
        AND NOT (relkind = 'S' AND EXISTS (SELECT FROM pg_depend  -- a sequence of a column is dropped with it
            WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype IN ('a', 'i')
        ))
"""
_COLUMNS = """
    SELECT attrelid, attnum, attname,
        format_type(atttypid, atttypmod) || coalesce((
            SELECT ' of ' || string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder)
            FROM pg_enum WHERE enumtypid = atttypid
        ), ''), attnotnull,
        atthasdef OR attidentity <> '' OR attgenerated <> ''
    FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped AND attrelid = ANY(%s)
"""
# A materialized view has no writers: a lock that allows reads blocks no query.
LOCKS = """
    SELECT DISTINCT relation, mode FROM pg_locks JOIN pg_class ON pg_class.oid = relation
    WHERE pid = pg_backend_pid() AND granted AND (relkind <> 'm' OR mode = 'AccessExclusiveLock')
"""
_FILENODES = """
    SELECT c.oid, c.relname, coalesce(indrelid, c.oid), pg_relation_filenode(c.oid),
        pg_relation_size(coalesce(indrelid, c.oid)) > 0
    FROM pg_class c LEFT JOIN pg_index ON indexrelid = c.oid
    WHERE relkind IN ('r', 'i', 'm') AND coalesce(indrelid, c.oid) = ANY(%s)
"""
_EXISTING_ROWS_HINT = """
    SELECT relid, seq_tup_read + n_tup_ins + n_tup_upd + n_tup_del
    FROM pg_stat_xact_user_tables WHERE relid = ANY(%s)
"""
_TABLE_OF = """
    SELECT coalesce(indrelid, c.oid), pg_relation_size(coalesce(indrelid, c.oid)) > 0 OR EXISTS (
        SELECT FROM pg_partition_tree(coalesce(indrelid, c.oid)) WHERE pg_relation_size(relid) > 0
    )
    FROM pg_class c LEFT JOIN pg_index ON indexrelid = c.oid WHERE c.oid = to_regclass(%s)
"""
_NAME = r'(?:"(?:[^"]|"")+"|\w+)(?:\.(?:"(?:[^"]|"")+"|\w+))?'
_ABOUT = re.compile(
    rf"""(?:ALTER|DROP)\ (?:TABLE|INDEX|VIEW|MATERIALIZED\ VIEW)\ (?:CONCURRENTLY\ )?
            (?:IF\ EXISTS\ )?(?:ONLY\ )?(?P<some>{_NAME}(?:\s?,\s?{_NAME})*)
        |CREATE\ (?:UNIQUE\ )?INDEX\ (?:CONCURRENTLY\ )?(?:IF\ NOT\ EXISTS\ )?(?:{_NAME}\ )?
            ON\ (?:ONLY\ )?(?P<on>{_NAME})
        |REINDEX\ (?:\([^)]*\)\ )?(?:TABLE|INDEX)\ (?:CONCURRENTLY\ )?(?P<again>{_NAME})""",
    re.IGNORECASE | re.VERBOSE,
)


class Column(NamedTuple):
    """The facts of a column that matter to code."""

    name: str
    type: str
    required: bool
    """Whether the column is NOT NULL."""
    default: bool


class File(NamedTuple):
    """The file of a table or an index."""

    name: str
    table: int
    number: int | None
    filled: bool
    """Whether the table has rows."""


@dataclass(frozen=True)
class Snapshot:
    """The schema of some relations at one time."""

    relations: dict[int, str]
    columns: dict[tuple[int, int], Column]
    kinds: dict[int, str]
    """`pg_class.relkind` of each relation."""


def fetch_all(query: str, *parameters: object) -> list[tuple[Any, ...]]:
    """Run a query on the driver's connection: Django's cursor would call the recorder again."""
    found: list[tuple[Any, ...]] = connection.connection.execute(
        query, parameters or None
    ).fetchall()
    return found


def relations() -> dict[int, str]:
    """Return the names of tables, views and sequences by oid; with their schema if not current."""
    return dict(fetch_all(_RELATIONS))


def snapshot(known: dict[int, str]) -> Snapshot:
    """Return the current schema of known relations."""
    now = relations()
    columns = {(oid, n): Column(*rest) for oid, n, *rest in fetch_all(_COLUMNS, list(known))}
    kinds = dict(fetch_all("SELECT oid, relkind FROM pg_class WHERE oid = ANY(%s)", list(known)))
    return Snapshot({oid: now[oid] for oid in known if oid in now}, columns, kinds)


def files(known: dict[int, str]) -> dict[int, File]:
    """Return the files of relations and their indexes, by oid."""
    return {oid: File(*rest) for oid, *rest in fetch_all(_FILENODES, list(known))}


def touched(known: dict[int, str]) -> dict[int, int]:
    """Return the rows that the transaction has changed or read in sequential scans, by oid."""
    return dict(fetch_all(_EXISTING_ROWS_HINT, list(known)))


def about(statement: str, known: dict[int, str]) -> str:
    """Classify the tables that a statement names, just before it is sent; see `Sent.about`."""
    names = [
        name
        for found in _ABOUT.finditer(" ".join(statement.split()))
        for name in re.findall(_NAME, next(filter(None, found.groups())))
    ]
    if not names:
        return "old"
    there = {oid: filled for name in names for oid, filled in fetch_all(_TABLE_OF, name)}
    if not there:
        return "nothing"
    if known.keys().isdisjoint(there):
        return "new"
    return "old" if any(filled for oid, filled in there.items() if oid in known) else "empty"


def is_filled(table: int) -> bool:
    """Return whether a table exists and has a row."""
    named = fetch_all(
        "SELECT oid::regclass::text FROM pg_class WHERE oid = %s AND relkind IN ('r', 'p')", table
    )
    has_row = "SELECT EXISTS (SELECT FROM {})"  # the name is quoted: it comes from a regclass
    return any(fetch_all(has_row.format(name))[0][0] for (name,) in named)  # nosec B608
