"""Check a repository against all rules."""

from collections.abc import Iterable

from pipeline.github.loader import InvalidWorkflowError
from pipeline.parity.repository import Repository
from pipeline.parity.rule import ReportedViolation
from pipeline.parity.rules import RULES

_UNREADABLE_RULE = "readable"


def find_violations(
    tree: Repository, unreadable: Iterable[InvalidWorkflowError] = ()
) -> list[ReportedViolation]:
    """Return all violations, sorted by file and line.

    Args:
        tree: The repository.
        unreadable: Errors of files that could not be read, and so are not in the tree.
    """
    syntax = [
        ReportedViolation(error.file, line, _UNREADABLE_RULE, message, error.hint)
        for error in unreadable
        for line, message in error.problems
    ]
    return sorted({*syntax, *(found for rule in RULES for found in rule.findings(tree))})
