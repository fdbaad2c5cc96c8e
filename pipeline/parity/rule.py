"""What a rule of parity is: a function over the tree that yields where it is broken."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.parity.repository import Repository


class Violation(NamedTuple):
    """Where a rule is broken, and how."""

    file: str
    line: int
    message: str


@dataclass(frozen=True, order=True)
class ReportedViolation:
    """A fault under its rule's name, with what to do about it."""

    file: str
    line: int
    rule: str
    message: str
    hint: str


@dataclass(frozen=True)
class Rule:
    """A rule: its id, what it says, and what to do when it is broken."""

    id: str
    summary: str
    hint: str
    check: Callable[[Repository], Iterator[Violation]]

    def findings(self, tree: Repository) -> Iterator[ReportedViolation]:
        """Yield what breaks the rule."""
        for file, line, message in self.check(tree):
            yield ReportedViolation(file, line, self.id, message, self.hint)


def rule(hint: str) -> Callable[[Callable[[Repository], Iterator[Violation]]], Rule]:
    """Make a rule of a check: its name is the check's, and its docstring is what it says.

    Args:
        hint: What to do when the rule is broken.
    """

    def of(check: Callable[[Repository], Iterator[Violation]]) -> Rule:
        return Rule(check.__name__.replace("_", "-"), check.__doc__ or "", hint, check)

    return of
