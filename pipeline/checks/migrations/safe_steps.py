"""Safe alternatives for unsafe statements: SQL with the table and column names filled in."""

import re

NAME = r'(?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+))?'
TYPE = r"(?P<type>[^(),]+?(?:\([\d, ]+\))?(?:\[\])*)"
# A default that ends with a call or parentheses: it may have a different value in each row.
VALUE = r"(?P<value>(?:(?! (?:NOT|NULL|UNIQUE|CHECK|REFERENCES|GENERATED|PRIMARY)\b).)+\))"
TABLE = rf"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?(?P<table>{NAME})"
COLUMN = rf"(?:COLUMN )?(?P<column>{NAME})"
ADD = rf"{TABLE} ADD CONSTRAINT (?P<name>{NAME})"
ADD_COLUMN = rf"{TABLE} ADD {COLUMN} {TYPE}"
VALIDATE = "ALTER TABLE {table} VALIDATE CONSTRAINT {name}"
DROP = "ALTER TABLE {table} DROP COLUMN {column} {later}"
NEW = "ALTER TABLE {table} ADD COLUMN {column} {type}"
FILLED = '"{bare}_filled"'
# The names that PostgreSQL gives to the constraints of a column.
KEY, CHECK = '"{bare_table}_{bare}_key"', '"{bare_table}_{bare}_check"'
COMMENTS = {
    "few": "-- in small batches, with atomic = False",
    "later": "-- one release after the last code that reads it, marked as contract",
}

NOT_NULL = (
    f"ALTER TABLE {{table}} ADD CONSTRAINT {FILLED} CHECK ({{column}} IS NOT NULL) NOT VALID",
    VALIDATE.replace("{name}", FILLED),
    "ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL",
    f"ALTER TABLE {{table}} DROP CONSTRAINT {FILLED}",
)
DEFAULT = (
    NEW,
    "ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {value}",
    "UPDATE {table} SET {column} = {value} WHERE {column} IS NULL {few}",
)

# Each step is a separate migration. Steps with CONCURRENTLY need `atomic = False`: PostgreSQL
# refuses them in a transaction.
SAFE_STEPS = {
    rf"CREATE (?P<unique>UNIQUE )?INDEX (?P<rest>(?:{NAME} )?ON .+)": (
        "CREATE {unique}INDEX CONCURRENTLY {rest}",
    ),
    rf"DROP INDEX (?P<rest>(?:IF EXISTS )?{NAME})": ("DROP INDEX CONCURRENTLY {rest}",),
    rf"REINDEX (?P<kind>TABLE|INDEX) (?P<rest>{NAME})": ("REINDEX {kind} CONCURRENTLY {rest}",),
    rf"REFRESH MATERIALIZED VIEW (?P<rest>{NAME})": (
        "REFRESH MATERIALIZED VIEW CONCURRENTLY {rest}",
    ),
    rf"{ADD} UNIQUE (?P<columns>\([^()]+\))": (
        "CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} {columns}",
        "ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}",
    ),
    rf"{ADD} (?P<rest>CHECK \(.+\)|FOREIGN KEY .+)": (
        "ALTER TABLE {table} ADD CONSTRAINT {name} {rest} NOT VALID",
        VALIDATE,
    ),
    rf"{TABLE} ALTER {COLUMN} SET NOT NULL": NOT_NULL,
    rf"{ADD_COLUMN}(?: NULL)? UNIQUE": (
        NEW,
        f"CREATE UNIQUE INDEX CONCURRENTLY {KEY} ON {{table}} ({{column}})",
        f"ALTER TABLE {{table}} ADD CONSTRAINT {KEY} UNIQUE USING INDEX {KEY}",
    ),
    rf"{ADD_COLUMN}(?: NULL)? (?P<rest>CHECK \(.+\))": (
        NEW,
        f"ALTER TABLE {{table}} ADD CONSTRAINT {CHECK} {{rest}} NOT VALID",
        VALIDATE.replace("{name}", CHECK),
    ),
    rf"{ADD_COLUMN} DEFAULT {VALUE}(?: NULL)?": DEFAULT,
    rf"{ADD_COLUMN} DEFAULT {VALUE} NOT NULL": (*DEFAULT, *NOT_NULL),
    rf"{TABLE} ALTER {COLUMN} (?:SET DATA )?TYPE {TYPE}(?: USING .+)?": (
        'ALTER TABLE {table} ADD COLUMN "{bare}_new" {type} -- the code writes both columns',
        'UPDATE {table} SET "{bare}_new" = {column}::{type} WHERE "{bare}_new" IS NULL {few}',
        DROP,
    ),
    rf"{TABLE} RENAME {COLUMN} TO (?P<new>{NAME})": (
        "ALTER TABLE {table} ADD COLUMN {new} {type} -- the code writes both columns",
        "UPDATE {table} SET {new} = {column} WHERE {new} IS NULL {few}",
        DROP,
    ),
    rf"{TABLE} RENAME TO (?P<new>{NAME})": (
        "ALTER TABLE {table} RENAME TO {new}; CREATE VIEW {table} AS SELECT * FROM {schema}{new}",
        "DROP VIEW {table} {later}",
    ),
    rf"{TABLE} DROP {COLUMN}(?: CASCADE)?": (
        "ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL -- with RemoveField in state_operations",
        DROP,
    ),
}
ALREADY_SAFE = re.compile(r"\b(CONCURRENTLY|NOT VALID|USING INDEX)\b", re.IGNORECASE)


def safe_steps(sql: str, was: str = "") -> list[str]:
    """Return statements with the same result that block no reads or writes; [] if none are known.

    Args:
        sql: A statement whose lock lasts longer on larger tables, or that removes a table or
            column of the previous release.
        was: The type of the column that the statement removes.
    """
    text = " ".join(sql.split()).rstrip("; ")
    if ALREADY_SAFE.search(text):
        return []
    for pattern, forms in SAFE_STEPS.items():
        if found := re.fullmatch(pattern, text, re.IGNORECASE):
            words = _words(found)
            return [form.format(**{**COMMENTS, "type": was, **words}) for form in forms]
    return []


def _words(found: re.Match[str]) -> dict[str, str]:
    """Return the matched parts of a statement, and table and column also without quotes."""
    words = {name: value or "" for name, value in found.groupdict().items()}
    schema, dot, table = words.get("table", "").rpartition(".")
    bare = {"bare": words.get("column", "").strip('"'), "bare_table": table.strip('"')}
    return {**words, **bare, "schema": schema + dot}
