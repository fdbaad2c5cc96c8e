"""What came of a session in a run of `invoke ci`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.ci.cache.store import FAILED, PASSED, Run
from pipeline.ci.sessions import Entry
from pipeline.errors import NotJudgedError

CACHED = "cached"
INTERRUPTED = "interrupted"
LEFT_OUT = "left out"
NOT_JUDGED = "not judged"
NOT_RUN = "not run"
WAITING = "waiting"

LOGS = Path("reports", "ci")
HTML = Path("reports", "ci.html")

GREEN = {PASSED, CACHED}
RAN = {PASSED, FAILED, NOT_JUDGED, INTERRUPTED}
BAD = {FAILED, INTERRUPTED, NOT_RUN}


@dataclass(frozen=True)
class Result:
    """One session's row of the report.

    `seconds` is how long it ran, or would have run if it came from the cache; `begin` is when it
    started, in seconds from the start of the whole; `age` is how old the cached result is;
    `unjudged` is what it could not judge.
    """

    entry: Entry
    outcome: str
    why: str
    key: str = ""
    seconds: float = 0.0
    begin: float = 0.0
    age: float = 0.0
    note: str = ""
    log: Path | None = None
    budget: float | None = None
    trend: Sequence[Run] = ()
    unjudged: Sequence[NotJudgedError] = ()

    @property
    def over(self) -> float:
        """By how many seconds it went over its budget in this run."""
        ran = self.outcome in {PASSED, FAILED}
        return max(0.0, self.seconds - self.budget) if ran and self.budget is not None else 0.0
