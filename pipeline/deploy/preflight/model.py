"""One thing that is looked at, and what came of it."""

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.errors import InconclusiveError, PipelineError

OK, FAILED, INCONCLUSIVE = "ok", "not ok", "inconclusive"
Check = Callable[[], str]
"""Returns what it found well; raises what it found wrong, or that it could not look."""


@dataclass(frozen=True)
class CheckResult:
    """What came of a look.

    Attributes:
        check: What was looked at.
        state: `ok`, `not ok` or `inconclusive`.
        what: What was found.
        hint: What to do about it.
    """

    check: str
    state: str
    what: str
    hint: str = ""


def run_check(check: str, look: Check) -> CheckResult:
    """Return what comes of a look."""
    try:
        return CheckResult(check, OK, look())
    except InconclusiveError as error:
        return CheckResult(
            check, INCONCLUSIVE, str(error).removeprefix(f"{error.check}: "), error.hint
        )
    except PipelineError as error:
        return CheckResult(check, FAILED, str(error), error.hint)
