"""A rule of parity: a function that yields the violations of a repository."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.parity.repository import Repository


class Violation(NamedTuple):
    """The location and the message of a violation."""

    file: str
    line: int
    message: str


@dataclass(frozen=True, order=True)
class ReportedViolation:
    """A violation with the id of its rule, and a hint."""

    file: str
    line: int
    rule: str
    message: str
    hint: str


@dataclass(frozen=True)
class Rule:
    """A rule: its id, its summary, its hint, and its function."""

    id: str
    summary: str
    hint: str
    check: Callable[[Repository], Iterator[Violation]]

    def findings(self, tree: Repository) -> Iterator[ReportedViolation]:
        """Yield the violations of the rule."""
        for file, line, message in self.check(tree):
            yield ReportedViolation(file, line, self.id, message, self.hint)


def rule(hint: str) -> Callable[[Callable[[Repository], Iterator[Violation]]], Rule]:
    """Return a decorator that makes a rule of a function, with its name and its docstring.

    Args:
        hint: How to correct a violation.
    """

    def of(check: Callable[[Repository], Iterator[Violation]]) -> Rule:
        return Rule(check.__name__.replace("_", "-"), check.__doc__ or "", hint, check)

    return of
