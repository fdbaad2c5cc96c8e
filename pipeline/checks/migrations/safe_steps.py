"""Safe alternatives for unsafe statements: SQL with the table and column names filled in."""

import re

_NAME = r'(?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+))?'
_TYPE = r"(?P<type>[^(),]+?(?:\([\d, ]+\))?(?:\[\])*)"
# A default that ends with a call or parentheses: it may have a different value in each row.
_VALUE = r"(?P<value>(?:(?! (?:NOT|NULL|UNIQUE|CHECK|REFERENCES|GENERATED|PRIMARY)\b).)+\))"
_TABLE = rf"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?(?P<table>{_NAME})"
_COLUMN = rf"(?:COLUMN )?(?P<column>{_NAME})"
_ADD = rf"{_TABLE} ADD CONSTRAINT (?P<name>{_NAME})"
_ADD_COLUMN = rf"{_TABLE} ADD {_COLUMN} {_TYPE}"
_VALIDATE = "ALTER TABLE {table} VALIDATE CONSTRAINT {name}"
_DROP = "ALTER TABLE {table} DROP COLUMN {column} {later}"
_NEW = "ALTER TABLE {table} ADD COLUMN {column} {type}"
_FILLED = '"{bare}_filled"'
# The names that PostgreSQL gives to the constraints of a column.
_KEY, _CHECK = '"{bare_table}_{bare}_key"', '"{bare_table}_{bare}_check"'
_COMMENTS = {
    "few": "-- in small batches, with atomic = False",
    "later": "-- one release after the last code that reads it, marked as contract",
}

_NOT_NULL = (
    f"ALTER TABLE {{table}} ADD CONSTRAINT {_FILLED} CHECK ({{column}} IS NOT NULL) NOT VALID",
    _VALIDATE.replace("{name}", _FILLED),
    "ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL",
    f"ALTER TABLE {{table}} DROP CONSTRAINT {_FILLED}",
)
_DEFAULT = (
    _NEW,
    "ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {value}",
    "UPDATE {table} SET {column} = {value} WHERE {column} IS NULL {few}",
)

# Each step is a separate migration. Steps with CONCURRENTLY need `atomic = False`: PostgreSQL
# refuses them in a transaction.
_SAFE_STEPS = {
    rf"CREATE (?P<unique>UNIQUE )?INDEX (?P<rest>(?:{_NAME} )?ON .+)": (
        "CREATE {unique}INDEX CONCURRENTLY {rest}",
    ),
    rf"DROP INDEX (?P<rest>(?:IF EXISTS )?{_NAME})": ("DROP INDEX CONCURRENTLY {rest}",),
    rf"REINDEX (?P<kind>TABLE|INDEX) (?P<rest>{_NAME})": ("REINDEX {kind} CONCURRENTLY {rest}",),
    rf"REFRESH MATERIALIZED VIEW (?P<rest>{_NAME})": (
        "REFRESH MATERIALIZED VIEW CONCURRENTLY {rest}",
    ),
    rf"{_ADD} UNIQUE (?P<columns>\([^()]+\))": (
        "CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} {columns}",
        "ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}",
    ),
    rf"{_ADD} (?P<rest>CHECK \(.+\)|FOREIGN KEY .+)": (
        "ALTER TABLE {table} ADD CONSTRAINT {name} {rest} NOT VALID",
        _VALIDATE,
    ),
    rf"{_TABLE} ALTER {_COLUMN} SET NOT NULL": _NOT_NULL,
    rf"{_ADD_COLUMN}(?: NULL)? UNIQUE": (
        _NEW,
        f"CREATE UNIQUE INDEX CONCURRENTLY {_KEY} ON {{table}} ({{column}})",
        f"ALTER TABLE {{table}} ADD CONSTRAINT {_KEY} UNIQUE USING INDEX {_KEY}",
    ),
    rf"{_ADD_COLUMN}(?: NULL)? (?P<rest>CHECK \(.+\))": (
        _NEW,
        f"ALTER TABLE {{table}} ADD CONSTRAINT {_CHECK} {{rest}} NOT VALID",
        _VALIDATE.replace("{name}", _CHECK),
    ),
    rf"{_ADD_COLUMN} DEFAULT {_VALUE}(?: NULL)?": _DEFAULT,
    rf"{_ADD_COLUMN} DEFAULT {_VALUE} NOT NULL": (*_DEFAULT, *_NOT_NULL),
    rf"{_TABLE} ALTER {_COLUMN} (?:SET DATA )?TYPE {_TYPE}(?: USING .+)?": (
        'ALTER TABLE {table} ADD COLUMN "{bare}_new" {type} -- the code writes both columns',
        'UPDATE {table} SET "{bare}_new" = {column}::{type} WHERE "{bare}_new" IS NULL {few}',
        _DROP,
    ),
    rf"{_TABLE} RENAME {_COLUMN} TO (?P<new>{_NAME})": (
        "ALTER TABLE {table} ADD COLUMN {new} {type} -- the code writes both columns",
        "UPDATE {table} SET {new} = {column} WHERE {new} IS NULL {few}",
        _DROP,
    ),
    rf"{_TABLE} RENAME TO (?P<new>{_NAME})": (
        "ALTER TABLE {table} RENAME TO {new}; CREATE VIEW {table} AS SELECT * FROM {schema}{new}",
        "DROP VIEW {table} {later}",
    ),
    rf"{_TABLE} DROP {_COLUMN}(?: CASCADE)?": (
        "ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL -- with RemoveField in state_operations",
        _DROP,
    ),
}
_ALREADY_SAFE = re.compile(r"\b(CONCURRENTLY|NOT VALID|USING INDEX)\b", re.IGNORECASE)


def safe_steps(sql: str, was: str = "") -> list[str]:
    """Return statements with the same result that block no reads or writes; [] if none are known.

    Args:
        sql: A statement whose lock lasts longer on larger tables, or that removes a table or
            column of the previous release.
        was: The type of the column that the statement removes.
    """
    text = " ".join(sql.split()).rstrip("; ")
    if _ALREADY_SAFE.search(text):
        return []
    for pattern, forms in _SAFE_STEPS.items():
        if found := re.fullmatch(pattern, text, re.IGNORECASE):
            words = _words(found)
            return [form.format(**{**_COMMENTS, "type": was, **words}) for form in forms]
    return []


def _words(found: re.Match[str]) -> dict[str, str]:
    """Return the matched parts of a statement, and table and column also without quotes."""
    words = {name: value or "" for name, value in found.groupdict().items()}
    schema, dot, table = words.get("table", "").rpartition(".")
    bare = {"bare": words.get("column", "").strip('"'), "bare_table": table.strip('"')}
    return {**words, **bare, "schema": schema + dot}
