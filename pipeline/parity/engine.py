"""What is wrong with a tree, by all rules."""

from collections.abc import Iterable

from pipeline.github.loader import UnreadableError
from pipeline.parity.repository import Tree
from pipeline.parity.rule import Finding
from pipeline.parity.rules import RULES

UNREADABLE = "readable"


def find(tree: Tree, unreadable: Iterable[UnreadableError] = ()) -> list[Finding]:
    """Return all findings, sorted by place.

    Args:
        tree: The repository.
        unreadable: What could not be read, and so is not in the tree.
    """
    syntax = [
        Finding(error.file, line, UNREADABLE, message, error.hint)
        for error in unreadable
        for line, message in error.problems
    ]
    return sorted({*syntax, *(found for rule in RULES for found in rule.findings(tree))})
