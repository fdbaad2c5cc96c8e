"""What to write instead of a statement, as statements with the names that it has itself."""

import re

NAME = r'(?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+))?'
TABLE = rf"ALTER TABLE (?:ONLY )?(?P<table>{NAME})"
ADD = rf"{TABLE} ADD CONSTRAINT (?P<name>{NAME})"
VALIDATE = "ALTER TABLE {table} VALIDATE CONSTRAINT {name}"
CHECK = "ALTER TABLE {table} ADD CONSTRAINT {bare}_filled CHECK ({column} IS NOT NULL) NOT VALID"

# Each step is a migration of its own; those with CONCURRENTLY have `atomic = False`.
STEPS = {
    rf"CREATE (?P<unique>UNIQUE )?INDEX (?P<rest>(?:{NAME} )?ON .+)": (
        "CREATE {unique}INDEX CONCURRENTLY {rest}",
    ),
    rf"DROP INDEX (?P<rest>(?:IF EXISTS )?{NAME})": ("DROP INDEX CONCURRENTLY {rest}",),
    rf"REINDEX (?P<kind>TABLE|INDEX) (?P<rest>{NAME})": ("REINDEX {kind} CONCURRENTLY {rest}",),
    rf"{ADD} UNIQUE (?P<columns>\([^()]+\))": (
        "CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} {columns}",
        "ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}",
    ),
    rf"{ADD} (?P<rest>CHECK \(.+\)|FOREIGN KEY .+)": (
        "ALTER TABLE {table} ADD CONSTRAINT {name} {rest} NOT VALID",
        VALIDATE,
    ),
    rf"{TABLE} ALTER (?:COLUMN )?(?P<column>{NAME}) SET NOT NULL": (
        CHECK,
        VALIDATE.replace("{name}", "{bare}_filled"),
        "ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL",
        "ALTER TABLE {table} DROP CONSTRAINT {bare}_filled",
    ),
}
DONE = re.compile(r"\b(CONCURRENTLY|NOT VALID|USING INDEX)\b", re.IGNORECASE)


def steps(sql: str) -> list[str]:
    """Return the statements that together do the same and keep no user out; none if none is known.

    Args:
        sql: A statement that locks a table for as long as the table is large.
    """
    text = " ".join(sql.split()).rstrip("; ")
    if DONE.search(text):
        return []
    for pattern, forms in STEPS.items():
        if found := re.fullmatch(pattern, text, re.IGNORECASE):
            words = {name: value or "" for name, value in found.groupdict().items()}
            bare = words.get("column", "").strip('"')
            return [form.format(**words, bare=bare) for form in forms]
    return []
