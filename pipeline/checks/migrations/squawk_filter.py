"""Drop the findings of Squawk that the database refutes: Squawk only sees the SQL text."""

import re
from collections.abc import Iterator, Sequence

from pipeline.checks.migrations.records import Sent
from pipeline.checks.migrations.squawk import LintFinding
from pipeline.checks.migrations.squawk_rules import (
    CONFIRMED_BY_DATABASE,
    DEFAULT_HINT,
    LOCKS,
    PATTERNS,
)

_SPECIFIC_RULES = {"adding-foreign-key-constraint", "disallowed-unique-constraint"}


def filter_findings(findings: Sequence[LintFinding]) -> Iterator[LintFinding]:
    """Yield the findings about locks that are true for this database."""
    for finding in findings:
        if finding.rule in LOCKS and _holds(finding) and not _is_covered(finding, findings):
            yield finding


def safe_alternative(sql: str) -> str:
    """Return the hint for a statement that reads a whole table under a lock."""
    text = " ".join(sql.split())
    for words, hint in PATTERNS.items():
        if found := re.search(words, text, re.IGNORECASE):
            return hint.format(**found.groupdict())
    return DEFAULT_HINT


def _holds(finding: LintFinding) -> bool:
    """Return whether a statement changes an old table, and did the work that the rule warns of.

    An empty table cannot show the work, so the finding stays.
    """
    sent = finding.sent
    if sent.about in {"new", "nothing"}:
        return False
    return finding.rule not in CONFIRMED_BY_DATABASE or sent.about == "empty" or _took_effect(sent)


def _took_effect(sent: Sent) -> bool:
    return bool(sent.scans or sent.rebuilt)


def _is_covered(finding: LintFinding, findings: Sequence[LintFinding]) -> bool:
    """Return whether a more specific finding exists for the same statement.

    Constraints that build an index have no NOT VALID form; the measured work reports them.
    """
    return finding.rule == "constraint-missing-not-valid" and (
        re.search(r"\b(EXCLUDE|PRIMARY KEY)\b", finding.sent.sql, re.IGNORECASE) is not None
        or any(each.rule in _SPECIFIC_RULES and each.sent == finding.sent for each in findings)
    )
