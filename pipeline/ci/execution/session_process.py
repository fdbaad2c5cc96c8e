"""A nox process that runs one session, and the evaluation of nox's report of it."""

import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.ci.cache import session_environment
from pipeline.ci.cache.fingerprint import InputSnapshot, input_areas
from pipeline.ci.cache.store import FAILED, PASSED, ResultStore, RunRecord, slugify
from pipeline.ci.execution import environment_lock
from pipeline.ci.result import INCONCLUSIVE, INTERRUPTED, LOG_DIR, SessionResult
from pipeline.ci.sessions import CISession
from pipeline.errors import INCONCLUSIVE_DIR_VARIABLE, InconclusiveError, read_inconclusive
from pipeline.escaping import quote_name
from pipeline.process import Process, start_group
from pipeline.settings import COMMON


def log_path(session: str) -> Path:
    return LOG_DIR / f"{slugify(session)}.log"


def nox_command(session: str, *options: str) -> list[str]:
    return ["nox", "--non-interactive", "--no-color", *options, "--session", session]


@dataclass
class SessionProcess:
    """A running session.

    `inputs` is the snapshot at its start, `lock` the file descriptor of its environment lock,
    `ended` the monotonic time at which `poll` first saw the process ended.
    """

    planned: SessionResult
    inputs: InputSnapshot
    lock: int
    started_at: float = field(default_factory=time.monotonic)
    ended: float | None = None
    process: Process = field(init=False)

    def __post_init__(self) -> None:
        self.report.parent.mkdir(parents=True, exist_ok=True)
        self.report.unlink(missing_ok=True)
        shutil.rmtree(self.inconclusive_dir, ignore_errors=True)
        env = session_environment.session_environment(self.inputs.settings.ci.variables) | {
            INCONCLUSIVE_DIR_VARIABLE: str(self.inconclusive_dir)
        }
        # inherited by the session, which still holds the lock if this process is killed
        holding = [] if self.lock == environment_lock.NO_LOCK else [self.lock]
        line = nox_command(self.planned.entry.session, f"--report={self.report}")
        self.process = start_group(line, log=self.log, env=env, holding=holding)

    @property
    def log(self) -> Path:
        return log_path(self.planned.entry.session)

    @property
    def report(self) -> Path:
        """The JSON file in which nox reports the result of the session."""
        return self.log.with_suffix(".json")

    @property
    def inconclusive_dir(self) -> Path:
        """The folder in which the session records its inconclusive checks; removed at the start."""
        return self.log.with_suffix(".inconclusive")

    @property
    def seconds(self) -> float:
        return (self.ended or time.monotonic()) - self.started_at

    def poll(self) -> bool:
        """Return whether the process has ended; the first call that sees the end records it."""
        if self.ended is None and self.process.poll() is not None:
            self.ended = time.monotonic()
        return self.ended is not None

    def interrupted_result(self) -> SessionResult:
        """Return the result of a session that was stopped; such a result is never stored."""
        environment_lock.release(self.lock)
        return replace(self.planned, outcome=INTERRUPTED, seconds=self.seconds, log=self.log)

    def evaluate(self, store: ResultStore, after: InputSnapshot) -> SessionResult:
        """Return the result of a session that ended, and store it unless it is inconclusive.

        Args:
            store: The store of results.
            after: The inputs after the end of the session. A result is cached only if they equal
                the inputs at the start.
        """
        outcome, note, inconclusive = self._outcome()
        if outcome != INCONCLUSIVE:
            reason = self._uncacheable_reason(store, after)
            run = RunRecord(self.planned.key, outcome, round(self.seconds, 3), time.time())
            store.record(self.planned.entry, self.inputs, run, trusted=not reason)
            note = note or (reason and f"not cached: {reason}")
        environment_lock.release(self.lock)
        return replace(
            self.planned,
            outcome=outcome,
            seconds=self.seconds,
            note=note,
            log=self.log,
            inconclusive=inconclusive,
        )

    def _outcome(self) -> tuple[str, str, Sequence[InconclusiveError]]:
        """Return the outcome, a note for the report, and the inconclusive checks."""
        code = self.process.returncode
        if code:
            return FAILED, f"exit code {code}", ()
        # nox exits with 0 after a skipped session: only its report shows that the session ran
        if (result := _reported_result(self.report)) != "success":
            return FAILED, f"nox reports: {result}", ()
        inconclusive = read_inconclusive(self.inconclusive_dir)
        outcome = INCONCLUSIVE if inconclusive else PASSED
        return outcome, "; ".join(map(str, inconclusive)), inconclusive

    def _uncacheable_reason(self, store: ResultStore, after: InputSnapshot) -> str:
        """Return why the result must not be reused by later runs; empty if it may be."""
        entry = self.planned.entry
        if reason := after.settings.ci.never_cached.get(entry.job):
            return reason
        if store.read(entry.session).has_failed_with(self.planned.key):
            return "an earlier run with the same inputs failed"
        return _changed_input(entry, self.inputs, after)


def _changed_input(entry: CISession, before: InputSnapshot, after: InputSnapshot) -> str:
    files, later = before.files_for(entry), after.files_for(entry)
    own = {path for area in {*input_areas(entry)} - {COMMON} for path in before.files_by_area[area]}
    if not own:
        return "its areas contain no file"
    if unreadable := [path for path, file in files.items() if file.content_id is None]:
        return f"{quote_name(unreadable[0])} is not a readable file"
    if changed := [path for path in {**files, **later} if files.get(path) != later.get(path)]:
        return f"{quote_name(changed[0])} changed during the run"
    # the files are equal, and this process's variables cannot change: only programs are left
    if before.key_parts(entry) != after.key_parts(entry):
        return "a program changed during the run"
    return ""


def _reported_result(report: Path) -> str:
    try:
        (session,) = json.loads(report.read_bytes())["sessions"]
        return str(session["result"])
    except (OSError, ValueError, KeyError, TypeError):
        return "no result"
