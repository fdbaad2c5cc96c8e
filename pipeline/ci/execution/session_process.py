"""One session at work: started on what is there now, judged by what nox reports of it."""

import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.ci.cache import session_environment
from pipeline.ci.cache.fingerprint import Inputs, areas_of
from pipeline.ci.cache.store import FAILED, PASSED, Run, Store, slug
from pipeline.ci.execution import environment_lock
from pipeline.ci.result import INTERRUPTED, LOGS, NOT_JUDGED, Result
from pipeline.ci.sessions import Entry
from pipeline.errors import RECORDS, NotJudgedError, records
from pipeline.escaping import printable
from pipeline.process import Process, start
from pipeline.settings import COMMON


def log_of(session: str) -> Path:
    """Return where a session's output is kept.

    Args:
        session: Its name.
    """
    return LOGS / f"{slug(session)}.log"


def command(session: str, *options: str) -> list[str]:
    """Return what runs a session.

    Args:
        session: Its name.
        *options: More of nox's.
    """
    return ["nox", "--non-interactive", "--no-color", *options, "--session", session]


@dataclass
class Work:
    """A session that runs."""

    planned: Result
    inputs: Inputs
    lock: int
    began: float = field(default_factory=time.monotonic)
    ended: float | None = None
    process: Process = field(init=False)

    def __post_init__(self) -> None:
        self.report.parent.mkdir(parents=True, exist_ok=True)
        self.report.unlink(missing_ok=True)
        shutil.rmtree(self.records, ignore_errors=True)
        env = session_environment.passed(self.inputs.settings.ci.variables) | {
            RECORDS: str(self.records)
        }
        holding = [] if self.lock == environment_lock.NOBODYS else [self.lock]
        line = command(self.planned.entry.session, f"--report={self.report}")
        self.process = start(line, log=self.log, env=env, holding=holding)

    @property
    def log(self) -> Path:
        """Where its output is."""
        return log_of(self.planned.entry.session)

    @property
    def report(self) -> Path:
        """Where nox says what came of it."""
        return self.log.with_suffix(".json")

    @property
    def records(self) -> Path:
        """Where it records what it could not judge: a folder of its own, empty when it starts."""
        return self.log.with_suffix(".not-judged")

    @property
    def seconds(self) -> float:
        """How long it has been running, or ran."""
        return (self.ended or time.monotonic()) - self.began

    def has_ended(self) -> bool:
        """Tell whether it has come to its end; when that was first seen is when it was."""
        if self.ended is None and self.process.poll() is not None:
            self.ended = time.monotonic()
        return self.ended is not None

    def interrupted(self) -> Result:
        """Return the result of a session that was ended from outside; nothing is remembered."""
        environment_lock.free(self.lock)
        return replace(self.planned, outcome=INTERRUPTED, seconds=self.seconds, log=self.log)

    def judged(self, store: Store, after: Inputs) -> Result:
        """Return the result of a session that came to its end, and remember it if it may be.

        Args:
            store: What is remembered.
            after: What there was once it had ended.
        """
        outcome, note, unjudged = self._outcome()
        if outcome != NOT_JUDGED:
            doubt = self._doubt(store, after)
            run = Run(self.planned.key, outcome, round(self.seconds, 3), time.time())
            store.remember(self.planned.entry, self.inputs, run, trusted=not doubt)
            note = note or (doubt and f"not remembered: {doubt}")
        environment_lock.free(self.lock)
        return replace(
            self.planned,
            outcome=outcome,
            seconds=self.seconds,
            note=note,
            log=self.log,
            unjudged=unjudged,
        )

    def _outcome(self) -> tuple[str, str, Sequence[NotJudgedError]]:
        """What came of it, what there is to say of that, and what could not be judged."""
        code = self.process.returncode
        if code:
            return FAILED, f"exit code {code}", ()
        if (said := _reported(self.report)) != "success":
            return FAILED, f"nox reports: {said}", ()
        unjudged = records(self.records)
        return NOT_JUDGED if unjudged else PASSED, "; ".join(map(str, unjudged)), unjudged

    def _doubt(self, store: Store, after: Inputs) -> str:
        """Why the result may not stand for the next run; nothing, if it may."""
        entry = self.planned.entry
        if reason := after.settings.ci.never_cached.get(entry.job):
            return reason
        if store.read(entry.session).flaky(self.planned.key):
            return "the same inputs were red before"
        return _changed(entry, self.inputs, after)


def _changed(entry: Entry, before: Inputs, after: Inputs) -> str:
    files, later = before.files_of(entry), after.files_of(entry)
    own = {path for area in {*areas_of(entry)} - {COMMON} for path in before.divided[area]}
    if not own:
        return "its areas hold no file"
    if unknown := [path for path, file in files.items() if file.id is None]:
        return f"{printable(unknown[0])} cannot be read as a file"
    if moved := [path for path in {**files, **later} if files.get(path) != later.get(path)]:
        return f"{printable(moved[0])} changed while it ran"
    if before.manifest(entry) != after.manifest(entry):
        return "a program changed while it ran"
    return ""


def _reported(report: Path) -> str:
    try:
        (session,) = json.loads(report.read_bytes())["sessions"]
        return str(session["result"])
    except (OSError, ValueError, KeyError, TypeError):
        return "nothing"
