"""What breaking a rule means here, and what to do instead; Squawk's have their names from there.

Rules of Squawk that are not listed are about taste, or are judged by what was measured.
"""

from typing import NamedTuple

EXPAND_CONTRACT_HINT = (
    "expand, migrate, contract: add the new one, fill it, take the old one away a release later"
)
CONTRACT_EXAMPLE = 'contract = "<release>: <what stopped needing it>"'
ROWS_MARK = 'deletes_rows = "<release>: <why no row of it is needed>"'
CONTRACT_HINT = (
    f"if the release that serves does not need it any more, mark the migration: {CONTRACT_EXAMPLE}"
)
ALONE = "in a migration of its own, with atomic = False"
NOT_VALID_HINT = "add it with NOT VALID, and validate it in a migration of its own"
NOT_NULL = (
    "AddConstraintNotValid with CheckConstraint(condition=Q({column}__isnull=False)), then"
    " ValidateConstraint in the next migration, then AlterField, then RemoveConstraint"
)


class Rule(NamedTuple):
    """What a statement does that breaks the rule, and what to do instead."""

    message: str
    hint: str


LOSSES = {
    "renaming-column": Rule(
        "renames a column",
        f"let the new field keep its column by db_column; or {EXPAND_CONTRACT_HINT}",
    ),
    "renaming-table": Rule(
        "renames a table",
        "let the new model keep its table by db_table; or leave a view of its name",
    ),
    "ban-drop-column": Rule("drops a column", CONTRACT_HINT),
    "ban-drop-table": Rule("drops a table", CONTRACT_HINT),
    "changing-column-type": Rule("changes the type of a column", EXPAND_CONTRACT_HINT),
    "ban-drop-default": Rule("drops the default of a column", CONTRACT_HINT),
    "adding-not-nullable-field": Rule(
        "forbids a column to be NULL", f"first let all code write it; {CONTRACT_HINT}"
    ),
}
"""What a mark allows: then the release before is what judges it."""

NEVER_HINTS = {
    "adding-required-field": Rule(
        "adds a column that is NOT NULL and that the release before does not fill",
        "give the field a db_default, or null=True",
    ),
    "transaction-nesting": Rule(
        "ends the transaction that Django began, so that what fails later leaves the rest behind",
        "atomic = False, or a migration of its own",
    ),
}
"""What no mark allows."""
ORDER = "let it be an IntegerField with a db_default and Meta.ordering: `_order` can have none"

LOCKS = {
    "require-concurrent-index-creation": Rule(
        "creates an index while nothing can be written",
        f"AddIndexConcurrently {ALONE}; a ForeignKey takes db_index=False first; if another field"
        " makes the index: CREATE INDEX CONCURRENTLY by RunSQL, beside its operation in"
        " state_operations",
    ),
    "require-concurrent-index-deletion": Rule(
        "drops an index while nothing can be read",
        f"RemoveIndexConcurrently {ALONE}; if a field made the index: DROP INDEX CONCURRENTLY by"
        " RunSQL, beside the AlterField in state_operations",
    ),
    "require-concurrent-reindex": Rule(
        "builds an index anew while nothing can be written", f"REINDEX … CONCURRENTLY {ALONE}"
    ),
    "require-concurrent-partition-detach": Rule(
        "detaches a partition while nothing can be read", f"DETACH PARTITION … CONCURRENTLY {ALONE}"
    ),
    "ban-drop-database": Rule("drops a database", "leave it out of migrations"),
    "disallowed-unique-constraint": Rule(
        "adds a unique constraint while nothing can be read",
        "create the unique index concurrently, then ADD CONSTRAINT … UNIQUE USING INDEX",
    ),
    "adding-foreign-key-constraint": Rule(
        "adds a foreign key and checks all rows while nothing can be written", NOT_VALID_HINT
    ),
    "constraint-missing-not-valid": Rule(
        "adds a constraint and checks all rows while nothing can be read",
        f"{NOT_VALID_HINT}: AddConstraintNotValid, then ValidateConstraint",
    ),
}
CONFIRMED_BY_DATABASE = LOCKS.keys() - {
    "ban-drop-database", "require-concurrent-index-deletion", "require-concurrent-partition-detach",
}  # fmt: skip
"""Those that hold only if rows were read for the statement, or an index was built."""

BATCHES = "move few rows at a time, each time in a transaction of its own, with atomic = False"
UNFILLED = (
    "let the column be NULL or give it a default, by RunSQL beside the operation that takes the"
    " field from the model"
)
REVERSE = "give it reverse_code or reverse_sql: `noop`, if there is nothing to undo"
FAILS = Rule(
    "fails where there are rows",
    "let it fit what may be in the tables; what is there instead, say in [migrations.values]",
)
ONE_BY_ONE = (
    "change rows and alter their table in migrations of their own: a writer that waits for a row of"
    " the one keeps the table from the other"
)
# What a failure has to do with others, by its words, and what to do.
WAITED = {
    "deadlock detected": Rule("and those who write wait for each other, for good", ONE_BY_ONE),
    "lock timeout": Rule(
        "gets no lock in the time that it allows itself, while others read and write",
        "let it wait a little longer, or take fewer locks in one transaction",
    ),
    "could not obtain lock": Rule(
        "gets no lock at once, while others read and write",
        "let it wait a while: lock_timeout instead of NOWAIT",
    ),
}

# What to do instead of a statement that reads or writes a whole table under a lock, by its words.
PATTERNS = {
    r"\bEXCLUDE\b": "PostgreSQL has no other way for a table with rows: give the constraint to a"
    " new table, and fill that in batches",
    r"^\s*(CLUSTER|VACUUM|REPACK)\b": "leave it out of migrations: pg_repack does it while the"
    " table is read and written",
    r"^\s*REFRESH\b": "REFRESH MATERIALIZED VIEW CONCURRENTLY, for which the view needs a unique"
    " index",
    r"^\s*REINDEX\b": f"REINDEX … CONCURRENTLY {ALONE}",
    r'\bALTER (COLUMN )?"?(?P<column>\w+)"? SET NOT NULL\b': NOT_NULL,
    r"\bADD COLUMN\b.*\bGENERATED\b.*\bSTORED\b": "add a plain nullable column, let the code write"
    " it, and fill it in batches",
    r"\bADD COLUMN\b.*\bCHECK\b": "add the column without its CHECK, by RunSQL beside the AddField"
    " in state_operations; then the CHECK with NOT VALID, and validate it in the next migration",
    r"\bADD COLUMN\b.*\bUNIQUE\b": "add the column without UNIQUE; then CREATE UNIQUE INDEX"
    " CONCURRENTLY, and ADD CONSTRAINT … UNIQUE USING INDEX",
    r"\bADD COLUMN\b": "add the column as nullable and without a default; SET DEFAULT in a"
    " statement of its own; then fill it in batches",
    r"\bALTER COLUMN\b.*\bTYPE\b": EXPAND_CONTRACT_HINT,
    r"\b(CREATE|ADD).*\b(INDEX|UNIQUE|PRIMARY KEY)\b": "CREATE INDEX CONCURRENTLY first"
    f" {ALONE}; a constraint then takes it by USING INDEX",
    r"\bVALIDATE CONSTRAINT\b": "validate it in a migration of its own: this transaction still"
    " holds the lock of an earlier statement",
    r"\bADD\b.*\b(CHECK|FOREIGN KEY|REFERENCES)\b": NOT_VALID_HINT,
    r"^\s*(SELECT|INSERT|UPDATE|DELETE|MERGE|WITH|DECLARE|DO|CALL)\b": "move it to a migration of"
    " its own behind this one, so that the lock is gone before rows are touched",
}
DEFAULT_HINT = "do it in a migration of its own, in a way that does not read the table under a lock"
