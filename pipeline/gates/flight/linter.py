"""Squawk's opinion of SQL; its rules are at https://squawkhq.com/docs/rules."""

import json
import re
from collections.abc import Sequence
from typing import NamedTuple

from pipeline.errors import CheckFailedError
from pipeline.run import last_words, read

SQUAWK = (
    "squawk",
    "--reporter=json",
    "--assume-in-transaction",  # what a migration creates, the next one finds new as well
    "--stdin-filepath=migrations.sql",
)
FOUND = 1
CREATED = re.compile(r'CREATE TABLE (?:IF NOT EXISTS )?"?(\w+)')
CHANGED = re.compile(r'(?:ALTER|DROP) TABLE (?:IF EXISTS )?"?(\w+)')
BOUNDARY = re.compile(r"(BEGIN|COMMIT);")


class Opinion(NamedTuple):
    """A rule that a statement breaks."""

    rule: str
    statement: str


def lint(earlier: Sequence[str], sql: str) -> list[Opinion]:
    """Return what the linter has against a migration, save for what it does to new tables.

    Args:
        earlier: The SQL of migrations that come before it and are new too: their tables are empty.
        sql: The SQL of the migration, as `sqlmigrate` prints it.

    Raises:
        CheckFailedError: The linter could not read it.
    """
    before = _lines("\n".join(earlier))
    lines = before + _lines(sql)
    output = read(SQUAWK, stdin="\n".join(lines))
    if output.returncode not in {0, FOUND} or not output.stdout:
        raise CheckFailedError(
            f"squawk cannot read these migrations: {last_words(output)}", hint="nox -s migrations"
        )
    opinions = [
        Opinion(entry["rule_name"], lines[entry["line"]])
        for entry in json.loads(output.stdout)
        if entry["line"] >= len(before)
    ]
    new = set(CREATED.findall("\n".join(lines)))
    return [each for each in opinions if new.isdisjoint(CHANGED.findall(each.statement))]


def _lines(sql: str) -> list[str]:
    return [line for line in sql.splitlines() if not BOUNDARY.fullmatch(line.strip())]
