"""One thing that is looked at, and what came of it."""

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.errors import NotJudgedError, PipelineError

OK, NOT_OK, NOT_JUDGED = "ok", "not ok", "not judged"
Look = Callable[[], str]
"""Returns what it found well; raises what it found wrong, or that it could not look."""


@dataclass(frozen=True)
class Finding:
    """What came of a look.

    Attributes:
        check: What was looked at.
        state: `ok`, `not ok` or `not judged`.
        what: What was found.
        hint: What to do about it.
    """

    check: str
    state: str
    what: str
    hint: str = ""


def examined(check: str, look: Look) -> Finding:
    """Return what comes of a look."""
    try:
        return Finding(check, OK, look())
    except NotJudgedError as error:
        return Finding(check, NOT_JUDGED, str(error).removeprefix(f"{error.check}: "), error.hint)
    except PipelineError as error:
        return Finding(check, NOT_OK, str(error), error.hint)
