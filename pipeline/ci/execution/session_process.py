"""One session at work: started on what is there now, judged by what nox reports of it."""

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
    """Return where a session's output is kept.

    Args:
        session: Its name.
    """
    return LOG_DIR / f"{slugify(session)}.log"


def nox_command(session: str, *options: str) -> list[str]:
    """Return what runs a session.

    Args:
        session: Its name.
        *options: More of nox's.
    """
    return ["nox", "--non-interactive", "--no-color", *options, "--session", session]


@dataclass
class SessionProcess:
    """A session that runs."""

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
        holding = [] if self.lock == environment_lock.NO_LOCK else [self.lock]
        line = nox_command(self.planned.entry.session, f"--report={self.report}")
        self.process = start_group(line, log=self.log, env=env, holding=holding)

    @property
    def log(self) -> Path:
        """Where its output is."""
        return log_path(self.planned.entry.session)

    @property
    def report(self) -> Path:
        """Where nox says what came of it."""
        return self.log.with_suffix(".json")

    @property
    def inconclusive_dir(self) -> Path:
        """Where it records what it could not judge: a folder of its own, empty when it starts."""
        return self.log.with_suffix(".not-judged")

    @property
    def seconds(self) -> float:
        """How long it has been running, or ran."""
        return (self.ended or time.monotonic()) - self.started_at

    def poll(self) -> bool:
        """Tell whether it has come to its end; when that was first seen is when it was."""
        if self.ended is None and self.process.poll() is not None:
            self.ended = time.monotonic()
        return self.ended is not None

    def interrupted_result(self) -> SessionResult:
        """Return the result of a session that was ended from outside; nothing is remembered."""
        environment_lock.release(self.lock)
        return replace(self.planned, outcome=INTERRUPTED, seconds=self.seconds, log=self.log)

    def evaluate(self, store: ResultStore, after: InputSnapshot) -> SessionResult:
        """Return the result of a session that came to its end, and remember it if it may be.

        Args:
            store: What is remembered.
            after: What there was once it had ended.
        """
        outcome, note, unjudged = self._outcome()
        if outcome != INCONCLUSIVE:
            doubt = self._uncacheable_reason(store, after)
            run = RunRecord(self.planned.key, outcome, round(self.seconds, 3), time.time())
            store.record(self.planned.entry, self.inputs, run, trusted=not doubt)
            note = note or (doubt and f"not remembered: {doubt}")
        environment_lock.release(self.lock)
        return replace(
            self.planned,
            outcome=outcome,
            seconds=self.seconds,
            note=note,
            log=self.log,
            inconclusive=unjudged,
        )

    def _outcome(self) -> tuple[str, str, Sequence[InconclusiveError]]:
        """What came of it, what there is to say of that, and what could not be judged."""
        code = self.process.returncode
        if code:
            return FAILED, f"exit code {code}", ()
        if (said := _reported(self.report)) != "success":
            return FAILED, f"nox reports: {said}", ()
        unjudged = read_inconclusive(self.inconclusive_dir)
        return INCONCLUSIVE if unjudged else PASSED, "; ".join(map(str, unjudged)), unjudged

    def _uncacheable_reason(self, store: ResultStore, after: InputSnapshot) -> str:
        """Why the result may not stand for the next run; nothing, if it may."""
        entry = self.planned.entry
        if reason := after.settings.ci.never_cached.get(entry.job):
            return reason
        if store.read(entry.session).has_failed_with(self.planned.key):
            return "the same inputs were red before"
        return _changed(entry, self.inputs, after)


def _changed(entry: CISession, before: InputSnapshot, after: InputSnapshot) -> str:
    files, later = before.files_for(entry), after.files_for(entry)
    own = {path for area in {*input_areas(entry)} - {COMMON} for path in before.files_by_area[area]}
    if not own:
        return "its areas hold no file"
    if unknown := [path for path, file in files.items() if file.content_id is None]:
        return f"{quote_name(unknown[0])} cannot be read as a file"
    if moved := [path for path in {**files, **later} if files.get(path) != later.get(path)]:
        return f"{quote_name(moved[0])} changed while it ran"
    if before.key_parts(entry) != after.key_parts(entry):
        return "a program changed while it ran"
    return ""


def _reported(report: Path) -> str:
    try:
        (session,) = json.loads(report.read_bytes())["sessions"]
        return str(session["result"])
    except (OSError, ValueError, KeyError, TypeError):
        return "nothing"
