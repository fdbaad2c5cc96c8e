"""Read all tables of a database from the system catalogs: columns, keys and checks."""

from dataclasses import dataclass, field

import psycopg

# Without tables of extensions, which fill these themselves, and without temporary tables.
_TABLES = """
    SELECT pg_class.oid, nspname, relname,
        CASE WHEN nspname = current_schema() THEN relname ELSE nspname || '.' || relname END,
        CASE WHEN relispartition THEN pg_partition_root(pg_class.oid)::oid END,
        NOT EXISTS (SELECT FROM pg_index WHERE indrelid = pg_class.oid AND NOT indimmediate)
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relkind IN ('p', 'r') AND relpersistence <> 't'
        AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
"""
_COLUMNS = """
    SELECT attrelid, attnum, attname, format_type(atttypid, atttypmod),
        attnotnull OR typnotnull, atthasdef OR attidentity = 'd' OR typdefault IS NOT NULL,
        attidentity = 'd' OR coalesce(starts_with(pg_get_expr(adbin, adrelid), 'nextval('), false)
    FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity <> 'a'
        AND attrelid = ANY(%s)
    ORDER BY attrelid, attnum
"""
_KEYS = """
    SELECT conrelid, confrelid, condeferrable,
        (SELECT array_agg(attname::text ORDER BY place)
            FROM unnest(conkey) WITH ORDINALITY AS own (number, place)
            JOIN pg_attribute ON attrelid = conrelid AND attnum = number),
        (SELECT array_agg(attname::text ORDER BY place)
            FROM unnest(confkey) WITH ORDINALITY AS other (number, place)
            JOIN pg_attribute ON attrelid = confrelid AND attnum = number)
    FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 AND conrelid = ANY(%s)
    ORDER BY conname
"""
_CHECKS = """
    SELECT conrelid, pg_get_expr(conbin, conrelid),
        (SELECT array_agg(attname::text) FROM pg_attribute
            WHERE attrelid = conrelid AND attnum = ANY(conkey))
    FROM pg_constraint WHERE contype = 'c' AND conrelid = ANY(%s)
"""
# A row of a partitioned table must match the bounds of one partition.
_BOUNDS = """
    SELECT root, string_agg('(' || pg_get_partition_constraintdef(relid) || ')', ' OR '),
        (SELECT array_agg(attname::text) FROM pg_partition_tree(root) AS part
            JOIN pg_partitioned_table ON partrelid = part.relid
            JOIN pg_attribute ON attrelid = partrelid AND attnum = ANY(partattrs))
    FROM unnest(%s::oid[]) AS root, pg_partition_tree(root) WHERE isleaf GROUP BY root
"""


@dataclass(frozen=True)
class Column:
    """A column that accepts a value in an INSERT."""

    number: int
    name: str
    type: str
    required: bool
    """Whether the column or its domain is NOT NULL."""
    default: bool
    """Whether PostgreSQL computes a value if the INSERT has none."""
    counted: bool
    """Whether the default comes from a sequence."""


@dataclass(frozen=True)
class Key:
    columns: tuple[str, ...]
    parent: str
    parent_table: tuple[str, str]
    """Schema and name."""
    parent_columns: tuple[str, ...]
    deferrable: bool


@dataclass(frozen=True)
class Check:
    """A condition that each row must satisfy: a CHECK constraint, or the bounds of partitions."""

    condition: str
    columns: frozenset[str]


@dataclass
class Table:
    """A table, partitioned table or partition."""

    name: str
    """The name, with the schema before it unless that is the current schema."""
    place: tuple[str, str]
    """Schema and name."""
    root: str | None
    """The partitioned table, if this table is a partition."""
    skips: bool
    """Whether ON CONFLICT works: PostgreSQL refuses it with deferrable unique constraints."""
    columns: list[Column] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    bounds: Check | None = None

    def nullable(self, key: Key) -> bool:
        """Return whether any column of a foreign key may be NULL."""
        required = {column.name for column in self.columns if column.required}
        return not required.issuperset(key.columns)


def tables(connection: psycopg.Connection) -> dict[str, Table]:
    """Return all tables by name, including partitions and the tables of other schemas."""
    rows = connection.execute(_TABLES).fetchall()
    names = {row[0]: row[3] for row in rows}
    found = {
        oid: Table(name, (schema, table), names.get(root), skips)
        for oid, schema, table, name, root, skips in rows
    }
    places = {row[0]: (row[1], row[2]) for row in rows}
    ids = [list(found)]
    for oid, *column in connection.execute(_COLUMNS, ids):
        found[oid].columns.append(Column(*column))
    for oid, parent, deferrable, columns, others in connection.execute(_KEYS, ids):
        key = Key(tuple(columns), names[parent], places[parent], tuple(others), deferrable)
        found[oid].keys.append(key)
    for oid, condition, columns in connection.execute(_CHECKS, ids):
        found[oid].checks.append(Check(condition, frozenset(columns or ())))
    for oid, condition, columns in connection.execute(_BOUNDS, ids):
        if condition:
            found[oid].bounds = Check(condition, frozenset(columns or ()))
    return {table.name: table for table in found.values()}
