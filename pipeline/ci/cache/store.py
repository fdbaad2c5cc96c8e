"""The results of earlier runs, one JSON file for each session in the user's cache folder."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pipeline.ci import cache_files
from pipeline.ci.cache.fingerprint import InputSnapshot, KeyParts, input_areas
from pipeline.ci.sessions import CISession

_MAX_PASSED_RESULTS = 10  # cached keys per session: enough to switch between ten branches
_MAX_RUN_HISTORY = 10  # runs per session that the report shows as a trend
PASSED = "passed"
FAILED = "failed"


@dataclass(frozen=True)
class _CachedPass:
    """A passing result that can be reused.

    `seconds` is the duration of the run, `finished` a Unix time, `manifest` the inputs by name.
    """

    seconds: float
    finished: float
    manifest: KeyParts


@dataclass(frozen=True)
class RunRecord:
    """One finished run. `seconds` is its duration, `finished` a Unix time."""

    key: str
    result: str
    seconds: float
    finished: float


@dataclass(frozen=True)
class _SessionHistory:
    greens: Mapping[str, _CachedPass] = field(default_factory=dict)
    runs: tuple[RunRecord, ...] = ()

    def has_failed_with(self, key: str) -> bool:
        """Return whether an earlier run with the same cache key failed."""
        return any(run.key == key and run.result == FAILED for run in self.runs)

    def expected_duration(self) -> float:
        """Return the seconds of the last run; 0 if the session never ran here."""
        return self.runs[-1].seconds if self.runs else 0.0

    def latest_pass(self) -> _CachedPass | None:
        return max(self.greens.values(), key=lambda green: green.finished, default=None)


class ResultStore:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, session: str) -> _SessionHistory:
        """Return the history of a session; an empty one if its file is missing or corrupt."""
        try:
            stored = json.loads(self._file(session).read_bytes())
            greens = {key: _CachedPass(**green) for key, green in stored["greens"].items()}
            return _SessionHistory(greens, tuple(RunRecord(**run) for run in stored["runs"]))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return _SessionHistory()

    def record(
        self, entry: CISession, inputs: InputSnapshot, run: RunRecord, *, trusted: bool
    ) -> None:
        """Append a run to the history of a session, and cache its result if it passed.

        Args:
            entry: The session.
            inputs: The inputs at the start of the run.
            run: The finished run.
            trusted: Whether the result may be reused by later runs.
        """
        history = self.read(entry.session)
        # a run replaces the cached result of the same key: if the same inputs fail now, the session
        # is flaky, and its earlier pass must not be reused
        greens = {key: green for key, green in history.greens.items() if key != run.key}
        if trusted and run.result == PASSED:
            self._keep_contents(entry, inputs)
            greens[run.key] = _CachedPass(run.seconds, run.finished, inputs.key_parts(entry))
        newest = sorted(greens.items(), key=lambda item: item[1].finished)[-_MAX_PASSED_RESULTS:]
        self._write(
            entry.session, _SessionHistory(dict(newest), (*history.runs, run)[-_MAX_RUN_HISTORY:])
        )

    def area_contents(self, area_digest: str) -> Mapping[str, str]:
        """Return the content ids of an area's files by path; empty if none are stored.

        Args:
            area_digest: The digest of the area, from the manifest of a cached result.
        """
        try:
            contents: Mapping[str, str] = json.loads(self._contents(area_digest).read_bytes())
        except (OSError, ValueError):
            return {}
        return contents

    def _keep_contents(self, entry: CISession, inputs: InputSnapshot) -> None:
        for area in input_areas(entry):
            file = self._contents(inputs.area_digests[area])
            if not file.exists():  # the name is the digest of the content, so it never changes
                cache_files.write_atomically(file, json.dumps(inputs.hashes_by_area[area]))

    def _write(self, session: str, history: _SessionHistory) -> None:
        cache_files.write_atomically(self._file(session), json.dumps(asdict(history)))

    def _file(self, session: str) -> Path:
        return self.folder / f"{slugify(session)}.json"

    def _contents(self, area_digest: str) -> Path:
        return self.folder / "areas" / f"{area_digest}.json"


def slugify(session: str) -> str:
    """Return a session name as a file name.

    Args:
        session: For example `tests-3.12(django='5.2')`.
    """
    return re.sub(r"[^\w.-]+", "-", session).strip("-")
