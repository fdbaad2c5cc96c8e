"""The display of a run: rows of finished sessions, and redrawn rows of the running ones below.

Without a terminal the display prints one line for each event, and a heartbeat line every 30 s.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from pipeline.ci.cache.store import FAILED, PASSED
from pipeline.ci.result import CACHED, INCONCLUSIVE, INTERRUPTED, PENDING, SKIPPED, SessionResult
from pipeline.ci.terminal import (
    SPINNER_FRAMES,
    Terminal,
    format_duration,
    format_estimate,
    plain_lines,
)

_REDRAW_INTERVAL = 0.25  # seconds
HEARTBEAT_INTERVAL = 30.0  # seconds
_MAX_LIVE_ROWS = 8  # further running sessions are only counted
_LOG_TAIL_BYTES = 4096  # bytes at the end of a log that are searched for its last line
SPINNER = SPINNER_FRAMES[:10]
_OUTCOME_COLORS = {
    PASSED: "green",
    CACHED: "green",
    FAILED: "red",
    INTERRUPTED: "yellow",
    INCONCLUSIVE: "yellow",
}


class _RunningSession(Protocol):
    """The part of a running session that the display reads."""

    @property
    def planned(self) -> SessionResult:
        """The planned result, with the expected seconds."""

    @property
    def log(self) -> Path:
        """The log file of the session."""

    @property
    def seconds(self) -> float:
        """The seconds since the start of the session."""


class LiveDisplay:
    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self._started_at = self._drawn = time.monotonic()
        self._lines = 0
        self._printed: set[str] = set()

    def note_once(self, text: str) -> None:
        """Print a note unless the same text was printed before."""
        if text not in self._printed:
            self._printed.add(text)
            self._print(f"ci: {text}")

    def announce(self, counts: Mapping[str, int], left: float) -> None:
        """Print how many sessions will run, and the estimated duration.

        Args:
            counts: The number of sessions by outcome.
            left: The expected seconds of the run; 0 if unknown.
        """
        waiting = counts[PENDING]
        parts = [f"{waiting} session{'' if waiting == 1 else 's'} to run"]
        parts += [f"{counts[each]} {each}" for each in (CACHED, SKIPPED) if counts[each]]
        self.note_once(", ".join([*parts, *([format_estimate(left)] if left else [])]))

    def started(self, planned: SessionResult) -> None:
        """Print the start of a session if there are no live rows to show it."""
        if not self.terminal.live:
            self._print(f"started      {planned.entry.session}")

    def finished(self, result: SessionResult) -> None:
        """Print the row of a finished session."""
        self.clear()
        self.terminal.print(
            f" {result.entry.session}  {_describe_result(result)}",
            word=f"{result.outcome:<12}",
            colour=_OUTCOME_COLORS.get(result.outcome, ""),
        )

    def refresh(
        self,
        running: Sequence[_RunningSession],
        done: Sequence[SessionResult],
        waiting: int,
        left: Callable[[], float],
    ) -> None:
        """Redraw the live rows, or print the heartbeat line, if the interval has passed.

        Args:
            running: The running sessions.
            done: The results of the finished sessions.
            waiting: The number of waiting sessions.
            left: Returns the remaining seconds; 0 if unknown. Called only for a redraw, since the
                estimate simulates the rest of the run.
        """
        now = time.monotonic()
        if now - self._drawn < (_REDRAW_INTERVAL if self.terminal.live else HEARTBEAT_INTERVAL):
            return
        self._drawn = now
        if not self.terminal.live:
            rows = (
                f"{session.planned.entry.session} {session.seconds:.0f} s" for session in running
            )
            self._print(
                "; ".join([f"running      {', '.join(rows)}", *_describe_remaining(left())])
            )
            return
        self.clear()
        head = " · ".join([*_describe_remaining(left()), self._head(running, done, waiting)])
        lines = [head, *map(self._row, running[:_MAX_LIVE_ROWS])]
        for line in lines:
            self.terminal.print(line[: max(1, self.terminal.width - 1)])
        self._lines = len(lines)

    def clear(self) -> None:
        """Erase the live rows."""
        if self._lines:
            self.terminal.write(f"\x1b[{self._lines}A\x1b[J")
            self._lines = 0

    def _print(self, text: str) -> None:
        self.clear()
        self.terminal.print(text)

    def _head(
        self, running: Collection[_RunningSession], done: Sequence[SessionResult], waiting: int
    ) -> str:
        failed = sum(result.outcome == FAILED for result in done)
        counts = f"running {len(running)} · done {len(done)} · failed {failed} · waiting {waiting}"
        return f"{counts} · {format_duration(time.monotonic() - self._started_at)}"

    def _row(self, session: _RunningSession) -> str:
        sign = SPINNER[int(session.seconds / _REDRAW_INTERVAL) % len(SPINNER)]
        expected = f"/{session.planned.seconds:.0f}" if session.planned.seconds else ""
        head = f"{sign} {session.planned.entry.session}  {session.seconds:.0f}{expected} s"
        return f"{head}  {last_log_line(session.log)}"


def _describe_result(result: SessionResult) -> str:
    """Return the text after the session name in the row of a finished session."""
    if result.outcome == CACHED:
        return f"{format_duration(result.age)} old, saved {format_duration(result.seconds)}"
    over = f"over its budget by {format_duration(result.over_budget)}" if result.over_budget else ""
    log = f"{result.log}" if result.outcome in {FAILED, INCONCLUSIVE} else ""
    return ", ".join(
        part for part in (format_duration(result.seconds), result.note, over, log) if part
    )


def last_log_line(log: Path) -> str:
    """Return the last line of a log that is not blank."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - _LOG_TAIL_BYTES))
            lines = plain_lines(file.read().decode(errors="replace"))
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _describe_remaining(seconds: float) -> list[str]:
    return [f"{format_estimate(seconds)} left"] if seconds else []
