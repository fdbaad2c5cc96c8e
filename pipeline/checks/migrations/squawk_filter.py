"""Which of Squawk's opinions hold: it sees neither the database nor what was done there."""

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

TELLING = {"adding-foreign-key-constraint", "disallowed-unique-constraint"}


def filter_findings(opinions: Sequence[LintFinding]) -> Iterator[LintFinding]:
    """Yield each opinion that holds.

    Args:
        opinions: Those of the linter.
    """
    for opinion in opinions:
        if opinion.rule in LOCKS and _holds(opinion) and not _is_covered(opinion, opinions):
            yield opinion


def safe_alternative(sql: str) -> str:
    """Return what to do instead of a statement that reads a whole table under a lock."""
    text = " ".join(sql.split())
    for words, hint in PATTERNS.items():
        if found := re.search(words, text, re.IGNORECASE):
            return hint.format(**found.groupdict())
    return DEFAULT_HINT


def _holds(opinion: LintFinding) -> bool:
    """Tell whether the statement is about a table of the release before, and did what it warns of.

    A table without rows shows nothing, so that the opinion stands.
    """
    sent = opinion.sent
    if sent.about in {"new", "nothing"}:
        return False
    return opinion.rule not in CONFIRMED_BY_DATABASE or sent.about == "empty" or _took_effect(sent)


def _took_effect(sent: Sent) -> bool:
    return bool(sent.scans or sent.rebuilt)


def _is_covered(opinion: LintFinding, opinions: Sequence[LintFinding]) -> bool:
    """Tell whether something more telling is said of the statement.

    By another rule; or by what is measured: of those that make an index, none can be NOT VALID.
    """
    return opinion.rule == "constraint-missing-not-valid" and (
        re.search(r"\b(EXCLUDE|PRIMARY KEY)\b", opinion.sent.sql, re.IGNORECASE) is not None
        or any(each.rule in TELLING and each.sent == opinion.sent for each in opinions)
    )
