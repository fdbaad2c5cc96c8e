"""What is remembered of a session: its green results by their keys, and its last runs."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pipeline.ci import cache_files
from pipeline.ci.cache.fingerprint import InputSnapshot, KeyParts, input_areas
from pipeline.ci.sessions import CISession

MAX_PASSED_RESULTS = 10  # so many branches may be gone back to
MAX_RUN_HISTORY = 10  # so many make a trend
PASSED = "passed"
FAILED = "failed"


@dataclass(frozen=True)
class CachedPass:
    """A result that may stand for a run: how long that took, when it ended, and on what it hung."""

    seconds: float
    finished: float
    manifest: KeyParts


@dataclass(frozen=True)
class RunRecord:
    """A run that came to an end."""

    key: str
    result: str
    seconds: float
    finished: float


@dataclass(frozen=True)
class SessionHistory:
    """All that is known of one session."""

    greens: Mapping[str, CachedPass] = field(default_factory=dict)
    runs: tuple[RunRecord, ...] = ()

    def has_failed_with(self, key: str) -> bool:
        """Say whether the same inputs were red before."""
        return any(run.key == key and run.result == FAILED for run in self.runs)

    def expected_duration(self) -> float:
        """Return how many seconds it should take: as last time, and 0 if it never ran."""
        return self.runs[-1].seconds if self.runs else 0.0

    def latest_pass(self) -> CachedPass | None:
        """Return the green result that is least old."""
        return max(self.greens.values(), key=lambda green: green.finished, default=None)


class ResultStore:
    """The remembered sessions of a product."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, session: str) -> SessionHistory:
        """Return what is known of a session: nothing, if that cannot be read.

        Args:
            session: Its name.
        """
        try:
            known = json.loads(self._file(session).read_bytes())
            greens = {key: CachedPass(**green) for key, green in known["greens"].items()}
            return SessionHistory(greens, tuple(RunRecord(**run) for run in known["runs"]))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return SessionHistory()

    def record(
        self, entry: CISession, inputs: InputSnapshot, run: RunRecord, *, trusted: bool
    ) -> None:
        """Add a run; one that failed takes back what was green under its key.

        Args:
            entry: The session.
            inputs: What it ran on.
            run: What came of it.
            trusted: Whether it may stand for the next one.
        """
        known = self.read(entry.session)
        greens = {key: green for key, green in known.greens.items() if key != run.key}
        if trusted and run.result == PASSED:
            self._keep_contents(entry, inputs)
            greens[run.key] = CachedPass(run.seconds, run.finished, inputs.key_parts(entry))
        newest = sorted(greens.items(), key=lambda item: item[1].finished)[-MAX_PASSED_RESULTS:]
        self._write(
            entry.session, SessionHistory(dict(newest), (*known.runs, run)[-MAX_RUN_HISTORY:])
        )

    def area_contents(self, area_digest: str) -> Mapping[str, str]:
        """Return what the files of an area held when they had this digest; nothing, if unknown.

        Args:
            area_digest: As in a manifest.
        """
        try:
            known: Mapping[str, str] = json.loads(self._contents(area_digest).read_bytes())
        except (OSError, ValueError):
            return {}
        return known

    def _keep_contents(self, entry: CISession, inputs: InputSnapshot) -> None:
        for area in input_areas(entry):
            file = self._contents(inputs.area_digests[area])
            if not file.exists():
                cache_files.write_atomically(file, json.dumps(inputs.hashes_by_area[area]))

    def _write(self, session: str, memory: SessionHistory) -> None:
        cache_files.write_atomically(self._file(session), json.dumps(asdict(memory)))

    def _file(self, session: str) -> Path:
        return self.folder / f"{slugify(session)}.json"

    def _contents(self, area_digest: str) -> Path:
        return self.folder / "areas" / f"{area_digest}.json"


def slugify(session: str) -> str:
    """Return a session's name as a file can have it.

    Args:
        session: Such as `tests-3.12(django='5.2')`.
    """
    return re.sub(r"[^\w.-]+", "-", session).strip("-")
