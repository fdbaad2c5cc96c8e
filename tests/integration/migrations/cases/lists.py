"""The public lists of unsafe operations: the unsafe case for each, or why there is none.

Squawk: https://squawkhq.com/docs/rules
django-migration-linter: docs/incompatibilities.md, and the apps that it is tested on
strong_migrations: README, "Checks"
django-pg-zero-downtime-migrations: README, the table of operations
"""

SQUAWK, LINTER = "Squawk", "django-migration-linter"
STRONG, ZERO_DOWNTIME = "strong_migrations", "django-pg-zero-downtime-migrations"

CAUGHT = {
    SQUAWK: {
        "adding-field-with-default": "add_db_default_uuid add_random_default",
        "adding-foreign-key-constraint": "add_fk_constraint",
        "adding-not-nullable-field": "set_not_null sql_set_not_null",
        "adding-required-field": "add_required fails_on_rows",
        "adding-serial-primary-key-field": "sql_add_primary_key sql_add_primary_key_column",
        "ban-alter-domain-with-add-constraint": "sql_domain_gets_check",
        "ban-concurrent-index-creation-in-transaction": "index_concurrently_atomic",
        "ban-drop-column": "drop_column",
        "ban-drop-database": "sql_drop_database",
        "ban-drop-table": "drop_table",
        "ban-duplicate-column-assignments": "sql_sets_a_column_twice",
        "ban-truncate-cascade": "truncate_cascade",
        "ban-uncommitted-transaction": "transaction_left_open",
        "changing-column-type": "change_type number_to_bigint",
        "constraint-missing-not-valid": "add_check add_fk_constraint",
        "disallowed-unique-constraint": "add_unique_constraint unique_together",
        "prefer-repack": "sql_cluster sql_vacuum_full",
        "renaming-column": "rename_column",
        "renaming-table": "rename_table",
        "require-concurrent-index-creation": "add_index",
        "require-concurrent-index-deletion": "remove_index sql_drop_index",
        "require-concurrent-partition-detach": "sql_detach_partition",
        "require-concurrent-reindex": "sql_reindex sql_reindex_index",
        "transaction-nesting": "commit_in_a_transaction",
    },
    LINTER: {
        "ADD_UNIQUE": "add_unique_constraint unique_together add_unique_null",
        "ALTER_COLUMN": "number_to_varchar change_type",
        "CREATE_INDEX": "add_index",
        "CREATE_INDEX_EXCLUSIVE": "add_slug alter_db_index",
        "DROP_COLUMN": "drop_column",
        "DROP_INDEX": "remove_index",
        "DROP_TABLE": "drop_table",
        "NOT_NULL": "add_not_null_default add_required_by_null_default set_not_null",
        "REINDEX": "sql_reindex",
        "RENAME_COLUMN": "rename_column",
        "RENAME_TABLE": "rename_table",
        "RUNPYTHON_MODEL_IMPORT": "python_imports_a_model_that_differs",
        "RUNPYTHON_REVERSIBLE": "no_reverse",
        "RUNSQL_REVERSIBLE": "sql_no_reverse",
    },
    STRONG: {
        "adding a check constraint": "add_check",
        "adding a column with a volatile default value": "add_db_default_uuid",
        "adding a foreign key": "add_fk_constraint",
        "adding a reference": "add_fk",
        "adding a stored generated column": "sql_generated add_generated_field",
        "adding a unique constraint": "add_unique_constraint",
        "adding an auto-incrementing column": "sql_add_serial sql_add_identity",
        "adding an exclusion constraint": "add_exclusion exclusion_constraint",
        "adding an index non-concurrently": "add_index",
        "backfilling data": "backfill_with_alter",
        "changing the type of a column": "change_type",
        "creating a table with the force option": "sql_create_table_by_force",
        "removing a column": "drop_column",
        "removing an index non-concurrently": "remove_index",
        "renaming a column": "rename_column",
        "renaming a schema": "sql_rename_schema",
        "renaming a table": "rename_table",
        "renaming an enum value": "sql_rename_enum_value",
        "setting NOT NULL on an existing column": "set_not_null sql_set_not_null",
    },
    ZERO_DOWNTIME: {
        "ALTER TABLE RENAME TO": "rename_table",
        "ALTER TABLE SET TABLESPACE": "sql_tablespace",
        "ALTER TABLE ADD COLUMN SET NOT NULL": "add_not_null_default add_required",
        "ALTER TABLE ADD COLUMN PRIMARY KEY": "sql_add_primary_key_column",
        "ALTER TABLE ADD COLUMN UNIQUE": "add_unique_null",
        "ALTER TABLE ALTER COLUMN TYPE": "change_type",
        "ALTER TABLE ALTER COLUMN SET NOT NULL": "set_not_null",
        "ALTER TABLE RENAME COLUMN": "rename_column",
        "ALTER TABLE ADD CONSTRAINT CHECK": "add_check",
        "ALTER TABLE ADD CONSTRAINT FOREIGN KEY": "add_fk_constraint",
        "ALTER TABLE ADD CONSTRAINT PRIMARY KEY": "sql_add_primary_key",
        "ALTER TABLE ADD CONSTRAINT UNIQUE": "add_unique_constraint",
        "ALTER TABLE ADD CONSTRAINT EXCLUDE": "add_exclusion",
        "CREATE INDEX": "add_index",
    },
}
"""The unsafe cases of each rule."""

TASTE = "taste: it neither blocks nor breaks anything"
TIMEOUTS = "a deploy sets both: `migrate_safely --lock-seconds --statement-seconds`"
MYSQL = "of MySQL and MariaDB"
LEFT_OUT = {
    SQUAWK: {
        "ban-char-field": TASTE,
        "ban-create-domain-with-constraint": "no column has the new domain: sql_create_domain",
        "ban-drop-not-null": "code that knows no NULL writes none; the new code's are as a new"
        " value of any field: drop_not_null",
        "identifier-too-long": "PostgreSQL shortens it, each time alike: long_names",
        "prefer-bigint-over-int": TASTE,
        "prefer-bigint-over-smallint": TASTE,
        "prefer-identity": TASTE,
        "prefer-robust-stmts": "Django notes which migrations are applied; what ran half is seen by"
        " running it twice",
        "prefer-text-field": TASTE,
        "prefer-timestamp-tz": TASTE,
        "require-enum-value-ordering": "in which order is the application's:"
        " sql_add_enum_value_last",
        "require-lock-timeout": TIMEOUTS,
        "require-statement-timeout": TIMEOUTS,
        "require-table-schema": TASTE,
        "require-timeout-settings": TIMEOUTS,
    },
    LINTER: {
        "RUNPYTHON_ARGS_NAMING_CONVENTION": TASTE,
        "RUNPYTHON_MODEL_VARIABLE_NAME": TASTE,
    },
    STRONG: {
        "adding a column with an expression default value": MYSQL,
        "adding a json column": "old code names the columns that it selects: sql_add_json",
        "executing SQL directly": "it is checked like all other SQL",
        "keeping non-unique indexes to three columns or less": TASTE,
        "using shared or exclusive locking": MYSQL,
        "using the COPY algorithm": MYSQL,
    },
    ZERO_DOWNTIME: {},
}
"""The other rules, and why they have no unsafe case."""


def sources(case: str) -> list[str]:
    """Return the rules that a case covers, each after the name of its list."""
    return [
        f"{tool}: {rule}"
        for tool, rules in CAUGHT.items()
        for rule, cases in rules.items()
        if case in cases.split()
    ]
