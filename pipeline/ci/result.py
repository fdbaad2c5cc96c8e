"""The result of a session in a run of `invoke ci`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.ci.cache.store import FAILED, PASSED, RunRecord
from pipeline.ci.sessions import CISession
from pipeline.errors import InconclusiveError

CACHED = "cached"
INTERRUPTED = "interrupted"
SKIPPED = "skipped"
INCONCLUSIVE = "inconclusive"
NOT_STARTED = "not started"
PENDING = "pending"

LOG_DIR = Path("reports", "ci")
HTML_FILE = Path("reports", "ci.html")

SUCCESSFUL = {PASSED, CACHED}
EXECUTED = {PASSED, FAILED, INCONCLUSIVE, INTERRUPTED}
FAILING = {FAILED, INTERRUPTED, NOT_STARTED}


@dataclass(frozen=True)
class SessionResult:
    """One session's row of the report.

    `seconds` is the duration of its run, or of the cached run; `start_offset` is its start in
    seconds after the start of `invoke ci`; `age` is the age of a cached result in seconds; `budget`
    is its limit in seconds; `history` holds its last runs; `inconclusive` holds its inconclusive
    checks.
    """

    entry: CISession
    outcome: str
    reason: str
    key: str = ""
    seconds: float = 0.0
    start_offset: float = 0.0
    age: float = 0.0
    note: str = ""
    log: Path | None = None
    budget: float | None = None
    history: Sequence[RunRecord] = ()
    inconclusive: Sequence[InconclusiveError] = ()

    @property
    def over_budget(self) -> float:
        """The seconds over its budget in this run; 0 for a cached or interrupted session."""
        ran = self.outcome in {PASSED, FAILED}
        return max(0.0, self.seconds - self.budget) if ran and self.budget is not None else 0.0
