"""A check and its result."""

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.errors import InconclusiveError, PipelineError

_OK, FAILED, INCONCLUSIVE = "ok", "not ok", "inconclusive"
Check = Callable[[], str]
"""Returns a text if the check passes; raises if it fails or is inconclusive."""


@dataclass(frozen=True)
class CheckResult:
    """The result of a check.

    Attributes:
        check: Name of the check.
        state: `ok`, `not ok` or `inconclusive`.
        what: What was found.
        hint: The next command.
    """

    check: str
    state: str
    what: str
    hint: str = ""


def run_check(check: str, look: Check) -> CheckResult:
    """Run a check, and return its result."""
    try:
        return CheckResult(check, _OK, look())
    except InconclusiveError as error:
        return CheckResult(
            check, INCONCLUSIVE, str(error).removeprefix(f"{error.check}: "), error.hint
        )
    except PipelineError as error:
        return CheckResult(check, FAILED, str(error), error.hint)
