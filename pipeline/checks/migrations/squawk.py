"""Squawk's opinion of SQL; its rules are at https://squawkhq.com/docs/rules."""

import json
import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pipeline.checks.migrations.records import MigrationRecord, Sent
from pipeline.errors import CheckFailedError
from pipeline.process import capture, last_error_line

SQUAWK = (
    "squawk",
    f"--config={os.devnull}",  # else one of a folder above the checkout
    "--reporter=json",
    "--stdin-filepath=migrations.sql",
)
EXIT_CODE_FINDINGS = 1


class LintFinding(NamedTuple):
    """A rule that a statement breaks."""

    migration: str
    rule: str
    sent: Sent


def lint(records: Sequence[MigrationRecord]) -> list[LintFinding]:
    """Return what the linter has against what migrations sent, in transactions as these were.

    Args:
        records: All new migrations, in their order.

    Raises:
        CheckFailedError: The linter could not read it.
    """
    text, owners = _script(records)
    output = capture(SQUAWK, stdin=text)
    if output.returncode not in {0, EXIT_CODE_FINDINGS} or not output.stdout:
        raise CheckFailedError(
            f"squawk cannot read these migrations: {last_error_line(output)}",
            hint="nox -s migrations",
        )
    opinions = (
        LintFinding(owner[0], entry["rule_name"], owner[1])
        for entry in json.loads(output.stdout)
        if (owner := owners[entry["line"]])
    )
    return list(dict.fromkeys(opinions))


def _script(records: Sequence[MigrationRecord]) -> tuple[str, list[tuple[str, Sent] | None]]:
    """Return all that was sent, and for each line whose it is."""
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
