"""What breaking one of Squawk's rules means here, and what to do instead.

Rules that are not listed are about taste, or are judged by what was measured.
"""

from typing import NamedTuple

EXPAND = (
    "expand, migrate, contract: add the new one, fill it, take the old one away a release later"
)
MARK = 'contract = "<release>: <what stopped needing it>"'
MARKED = f"if the release that serves does not need it any more, mark the migration: {MARK}"
UNVALIDATED = "add it with NOT VALID, and validate it in a migration of its own"


class Rule(NamedTuple):
    """What a statement does that breaks the rule, and what to do instead."""

    message: str
    hint: str
    takes_away: bool = False
    """Whether a mark allows it: then the release before is what judges it."""


RULES = {
    "renaming-column": Rule("renames a column", EXPAND, takes_away=True),
    "renaming-table": Rule("renames a table", EXPAND, takes_away=True),
    "ban-drop-column": Rule("drops a column", MARKED, takes_away=True),
    "ban-drop-table": Rule("drops a table", MARKED, takes_away=True),
    "changing-column-type": Rule("changes the type of a column", EXPAND, takes_away=True),
    "ban-drop-default": Rule("drops the default of a column", MARKED, takes_away=True),
    "adding-not-nullable-field": Rule(
        "forbids a column to be NULL", f"first let all code write it; {MARKED}", takes_away=True
    ),
    "adding-required-field": Rule(
        "adds a column that is NOT NULL and that the release before does not fill",
        "give the field a db_default, or null=True",
    ),
    "require-concurrent-index-creation": Rule(
        "creates an index while nobody can write",
        "AddIndexConcurrently in a migration of its own, with atomic = False;"
        " a ForeignKey takes db_index=False first",
    ),
    "require-concurrent-index-deletion": Rule(
        "drops an index while nobody can read",
        "RemoveIndexConcurrently in a migration of its own, with atomic = False",
    ),
    "disallowed-unique-constraint": Rule(
        "adds a unique constraint while nobody can read",
        "create the unique index concurrently, then ADD CONSTRAINT … UNIQUE USING INDEX",
    ),
    "adding-foreign-key-constraint": Rule(
        "adds a foreign key and checks all rows while nobody can write", UNVALIDATED
    ),
    "constraint-missing-not-valid": Rule(
        "adds a constraint and checks all rows while nobody can read",
        f"{UNVALIDATED}: AddConstraintNotValid, then ValidateConstraint",
    ),
}
