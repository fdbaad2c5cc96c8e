"""Lint SQL with Squawk; see https://squawkhq.com/docs/rules for the rules."""

import json
import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pipeline.checks.migrations.records import MigrationRecord, Sent
from pipeline.errors import CheckFailedError
from pipeline.process import capture, last_error_line

SQUAWK = (
    "squawk",
    f"--config={os.devnull}",  # else Squawk reads the .squawk.toml of a parent folder
    "--reporter=json",
    "--stdin-filepath=migrations.sql",
)
_EXIT_CODE_FINDINGS = 1


class LintFinding(NamedTuple):
    """A Squawk rule that a statement violates."""

    migration: str
    rule: str
    sent: Sent


def lint(records: Sequence[MigrationRecord]) -> list[LintFinding]:
    """Lint the statements of migrations, within BEGIN and COMMIT as they were sent.

    Args:
        records: All new migrations, in order.

    Raises:
        CheckFailedError: Squawk cannot read the statements.
    """
    text, owners = _script(records)
    output = capture(SQUAWK, stdin=text)
    if output.returncode not in {0, _EXIT_CODE_FINDINGS} or not output.stdout:
        raise CheckFailedError(
            f"squawk cannot read these migrations: {last_error_line(output)}",
            hint="nox -s migrations",
        )
    findings = (
        LintFinding(owner[0], entry["rule_name"], owner[1])
        for entry in json.loads(output.stdout)
        if (owner := owners[entry["line"]])
    )
    return list(dict.fromkeys(findings))


def _script(records: Sequence[MigrationRecord]) -> tuple[str, list[tuple[str, Sent] | None]]:
    """Return all statements as a script, and the owner of each line.

    Squawk reports line numbers only: the owners map a line back to its migration and statement.
    """
    lines: list[str] = []
    owners: list[tuple[str, Sent] | None] = []
    for owner, sql in _pieces(records):
        new = sql.split("\n")
        lines += new
        owners += [owner] * len(new)
    return "\n".join(lines), owners


def _pieces(records: Sequence[MigrationRecord]) -> Iterator[tuple[tuple[str, Sent] | None, str]]:
    for record in records:
        transaction = 0
        for sent in record.sent:
            if sent.transaction != transaction:
                yield (
                    None,
                    ("COMMIT;\n" if transaction else "") + ("BEGIN;" if sent.transaction else ""),
                )
                transaction = sent.transaction
            yield (record.name, sent), f"{sent.sql.strip().rstrip(';')}\n;"
        if transaction:
            yield None, "COMMIT;"
