"""Messages and hints of the rules; names that Squawk also has mean the rule of Squawk.

Other rules of Squawk are matters of style, or are covered by measurements.
"""

from typing import NamedTuple

_EXPAND_CONTRACT_HINT = (
    "expand, migrate, contract: add the new one, fill it, remove the old one one release later"
)
CONTRACT_EXAMPLE = 'contract = "<release>: <why nothing needs it any more>"'
ROWS_MARK = 'deletes_rows = "<release>: <why the rows are not needed>"'
_CONTRACT_HINT = (
    f"if the running release no longer needs it, mark the migration: {CONTRACT_EXAMPLE}"
)
_ALONE = "in a separate migration, with atomic = False"
_NOT_VALID_HINT = "add it with NOT VALID, and validate it in a separate migration"
_NOT_NULL = (
    "AddConstraintNotValid with CheckConstraint(condition=Q({column}__isnull=False)), then"
    " ValidateConstraint in the next migration, then AlterField, then RemoveConstraint"
)


class _Rule(NamedTuple):
    message: str
    hint: str


LOSSES = {
    "renaming-column": _Rule(
        "renames a column",
        f"let the new field keep its column by db_column; or {_EXPAND_CONTRACT_HINT}",
    ),
    "renaming-table": _Rule(
        "renames a table",
        "let the new model keep its table by db_table; or create a view with the old name",
    ),
    "ban-drop-column": _Rule("drops a column", _CONTRACT_HINT),
    "ban-drop-table": _Rule("drops a table", _CONTRACT_HINT),
    "changing-column-type": _Rule("changes the type of a column", _EXPAND_CONTRACT_HINT),
    "ban-drop-default": _Rule("drops the default of a column", _CONTRACT_HINT),
    "adding-not-nullable-field": _Rule(
        "makes a column NOT NULL", f"first let all code write a value; {_CONTRACT_HINT}"
    ),
}
"""Losses that a mark allows: the tests of the previous release then check the schema."""

NEVER_HINTS = {
    "adding-required-field": _Rule(
        "adds a NOT NULL column that the previous release does not fill",
        "give the field a db_default, or null=True",
    ),
    "transaction-nesting": _Rule(
        "ends the transaction of Django: a later failure leaves the migration half applied",
        "set atomic = False, or use a separate migration",
    ),
}
"""Changes that no mark allows."""
ORDER = "use an IntegerField with a db_default and Meta.ordering: `_order` cannot have a default"

LOCKS = {
    "require-concurrent-index-creation": _Rule(
        "creates an index while writes are blocked",
        f"AddIndexConcurrently {_ALONE}; a ForeignKey takes db_index=False first; if another field"
        " makes the index: CREATE INDEX CONCURRENTLY by RunSQL, with its operation in"
        " state_operations",
    ),
    "require-concurrent-index-deletion": _Rule(
        "drops an index while reads and writes are blocked",
        f"RemoveIndexConcurrently {_ALONE}; if a field made the index: DROP INDEX CONCURRENTLY by"
        " RunSQL, with the AlterField in state_operations",
    ),
    "require-concurrent-reindex": _Rule(
        "rebuilds an index while writes are blocked", f"REINDEX … CONCURRENTLY {_ALONE}"
    ),
    "require-concurrent-partition-detach": _Rule(
        "detaches a partition while reads and writes are blocked",
        f"DETACH PARTITION … CONCURRENTLY {_ALONE}",
    ),
    "ban-drop-database": _Rule("drops a database", "leave it out of migrations"),
    "disallowed-unique-constraint": _Rule(
        "adds a unique constraint while reads and writes are blocked",
        "create the unique index concurrently, then ADD CONSTRAINT … UNIQUE USING INDEX",
    ),
    "adding-foreign-key-constraint": _Rule(
        "adds a foreign key and checks all rows while writes are blocked", _NOT_VALID_HINT
    ),
    "constraint-missing-not-valid": _Rule(
        "adds a constraint and checks all rows while reads and writes are blocked",
        f"{_NOT_VALID_HINT}: AddConstraintNotValid, then ValidateConstraint",
    ),
}
CONFIRMED_BY_DATABASE = LOCKS.keys() - {
    "ban-drop-database", "require-concurrent-index-deletion", "require-concurrent-partition-detach",
}  # fmt: skip
"""Rules that only count if the statement read rows or built an index."""

BATCHES = "change rows in small batches, one transaction for each batch, with atomic = False"
UNFILLED = (
    "drop NOT NULL or set a default, by RunSQL next to the operation that removes the field from"
    " the model"
)
REVERSE = "set reverse_code or reverse_sql; use `noop` if no change has to be undone"
FAILS = _Rule(
    "fails on tables with rows",
    "make it work with any rows, or describe the rows of production in [migrations.values]",
)
_ONE_BY_ONE = (
    "change rows and alter their table in separate migrations: a query that waits for a changed row"
    " already holds a lock that blocks the ALTER TABLE"
)
# Failures that concurrent queries cause, by a part of the error message of PostgreSQL.
WAITED = {
    "deadlock detected": _Rule("deadlocks with concurrent writes", _ONE_BY_ONE),
    "lock timeout": _Rule(
        "exceeds its own lock timeout under concurrent reads and writes",
        "raise the lock timeout, or take fewer locks in one transaction",
    ),
    "could not obtain lock": _Rule(
        "gets no lock with NOWAIT under concurrent reads and writes",
        "set lock_timeout instead of NOWAIT",
    ),
}

# Hints for statements that read or write a whole table under a lock; the first match counts.
PATTERNS = {
    r"\bEXCLUDE\b": "PostgreSQL has no safe form for a table with rows: create a new table with"
    " the constraint, and fill it in batches",
    r"^\s*(CLUSTER|VACUUM|REPACK)\b": "leave it out of migrations: pg_repack does the same without"
    " blocking reads and writes",
    r"^\s*REFRESH\b": "REFRESH MATERIALIZED VIEW CONCURRENTLY; the view needs a unique index",
    r"^\s*REINDEX\b": f"REINDEX … CONCURRENTLY {_ALONE}",
    r'\bALTER (COLUMN )?"?(?P<column>\w+)"? SET NOT NULL\b': _NOT_NULL,
    r"\bADD COLUMN\b.*\bGENERATED\b.*\bSTORED\b": "add a plain nullable column, let the code write"
    " it, and fill it in batches",
    r"\bADD COLUMN\b.*\bCHECK\b": "add the column without its CHECK, by RunSQL with the AddField"
    " in state_operations; then the CHECK with NOT VALID, and validate it in the next migration",
    r"\bADD COLUMN\b.*\bUNIQUE\b": "add the column without UNIQUE; then CREATE UNIQUE INDEX"
    " CONCURRENTLY, and ADD CONSTRAINT … UNIQUE USING INDEX",
    r"\bADD COLUMN\b": "add the column as nullable and without a default; SET DEFAULT in a"
    " separate statement; then fill it in batches",
    r"\bALTER COLUMN\b.*\bTYPE\b": _EXPAND_CONTRACT_HINT,
    r"\b(CREATE|ADD).*\b(INDEX|UNIQUE|PRIMARY KEY)\b": "CREATE INDEX CONCURRENTLY first"
    f" {_ALONE}; then add the constraint with USING INDEX",
    r"\bVALIDATE CONSTRAINT\b": "validate it in a separate migration: this transaction still"
    " holds the lock of an earlier statement",
    r"\bADD\b.*\b(CHECK|FOREIGN KEY|REFERENCES)\b": _NOT_VALID_HINT,
    r"^\s*(SELECT|INSERT|UPDATE|DELETE|MERGE|WITH|DECLARE|DO|CALL)\b": "move it to a separate"
    " migration after this one, so that the lock is released before rows are changed",
}
DEFAULT_HINT = "move it to a separate migration that does not read the table under a lock"
