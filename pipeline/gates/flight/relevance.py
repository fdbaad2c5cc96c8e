"""Which of Squawk's opinions hold: it does not see the database, and not what Django is up to."""

import re
from collections.abc import Callable, Iterator, Sequence

from pipeline.gates.flight.linter import Opinion
from pipeline.gates.flight.records import Record, Retyped
from pipeline.gates.flight.rules import RULES

CHANGED_TYPE = re.compile(r"ALTER TABLE (\S+) ALTER COLUMN (\S+) TYPE ")
DROPPED_DEFAULT = re.compile(r"ALTER TABLE (\S+) ALTER COLUMN (\S+) DROP DEFAULT")
VALIDATED = re.compile(r"VALIDATE CONSTRAINT ([^\s;]+)")
TEXT = re.compile(r"character varying(?:\((?P<size>\d+)\))?|text")
NUMBER = re.compile(r"numeric\((?P<size>\d+),(?P<scale>\d+)\)")


def relevant(record: Record, opinions: Sequence[Opinion]) -> Iterator[Opinion]:
    """Yield each opinion that holds, under the rule that it belongs to.

    Args:
        record: The migration that the opinions are about.
        opinions: Those of the linter.
    """
    for opinion in dict.fromkeys(opinions):
        rule = REVISIONS.get(opinion.rule, _as_it_is)(record, opinion, opinions)
        if rule in RULES:
            yield Opinion(rule, opinion.statement)


def widens(retyped: Retyped) -> bool:
    """Tell whether a column takes all that it took, in the same format, so that nothing is moved.

    See "Notes" of https://www.postgresql.org/docs/current/sql-altertable.html
    """
    if (before := TEXT.fullmatch(retyped.before)) and (after := TEXT.fullmatch(retyped.after)):
        return not after["size"] or int(before["size"] or "0") in range(1, int(after["size"]) + 1)
    if (before := NUMBER.fullmatch(retyped.before)) and (after := NUMBER.fullmatch(retyped.after)):
        return before["scale"] == after["scale"] and int(before["size"]) <= int(after["size"])
    return False


def _as_it_is(_: Record, opinion: Opinion, __: Sequence[Opinion]) -> str:
    return opinion.rule


def _of_type(record: Record, opinion: Opinion, _: Sequence[Opinion]) -> str:
    found = CHANGED_TYPE.search(opinion.statement)
    column = ".".join(name.strip('"') for name in found.groups()) if found else ""
    narrowed = {each.column for each in record.retyped if not widens(each)}
    return "" if found and column not in narrowed else opinion.rule


def _of_foreign_key(_: Record, opinion: Opinion, __: Sequence[Opinion]) -> str:
    """A new column without a default has nothing to check: PostgreSQL does not look at the rows."""
    is_empty = " ADD COLUMN " in opinion.statement and " DEFAULT " not in opinion.statement
    return "" if is_empty else opinion.rule


def _of_default(record: Record, opinion: Opinion, _: Sequence[Opinion]) -> str:
    """Django gives a column a default while it is altered, and takes that away at once."""
    found = DROPPED_DEFAULT.search(opinion.statement)
    table, column = map(re.escape, found.groups()) if found else ("", "")
    if added := re.search(rf"ALTER TABLE {table} ADD COLUMN {column} (.*)", record.sql):
        return "adding-required-field" if " NOT NULL" in added[1] else ""
    was_set = re.search(rf"ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT", record.sql)
    return "" if was_set else opinion.rule


def _of_validity(record: Record, opinion: Opinion, opinions: Sequence[Opinion]) -> str:
    """What a more telling rule says of the statement is not said twice.

    And a constraint may be validated, but not in the transaction that still locks its table.
    """
    found = VALIDATED.search(opinion.statement)
    if found and f"ADD CONSTRAINT {found[1]}" not in record.sql:
        return ""
    telling = {"adding-foreign-key-constraint", "disallowed-unique-constraint"}
    said = any(each.rule in telling and each.statement == opinion.statement for each in opinions)
    return "" if said else opinion.rule


REVISIONS: dict[str, Callable[[Record, Opinion, Sequence[Opinion]], str]] = {
    "adding-foreign-key-constraint": _of_foreign_key,
    "ban-drop-default": _of_default,
    "changing-column-type": _of_type,
    "constraint-missing-not-valid": _of_validity,
}
