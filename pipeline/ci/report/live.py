"""What is seen while sessions run: finished rows stay, a few live ones are drawn below them.

Without a terminal it is one line for each event, and a sign of life now and then.
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

REDRAW_INTERVAL = 0.25  # seconds
HEARTBEAT_INTERVAL = 30.0  # seconds
MAX_LIVE_ROWS = 8  # of those that run; the others are counted
LOG_TAIL_BYTES = 4096  # bytes of a log, in which its last line is looked for
SPINNER = SPINNER_FRAMES[:10]
OUTCOME_COLORS = {
    PASSED: "green",
    CACHED: "green",
    FAILED: "red",
    INTERRUPTED: "yellow",
    INCONCLUSIVE: "yellow",
}


class RunningSession(Protocol):
    """A session that runs, as far as it is seen."""

    @property
    def planned(self) -> SessionResult:
        """What it is."""

    @property
    def log(self) -> Path:
        """Where its output is."""

    @property
    def seconds(self) -> float:
        """How long it has been running."""


class LiveDisplay:
    """The rows of a run."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self._began = self._drawn = time.monotonic()
        self._lines = 0
        self._said: set[str] = set()

    def note_once(self, text: str) -> None:
        """Print a remark, once."""
        if text not in self._said:
            self._said.add(text)
            self._print(f"ci: {text}")

    def announce(self, counts: Mapping[str, int], left: float) -> None:
        """Say how much there is to do, and about how long it takes.

        Args:
            counts: How many sessions there are, by what is known of them.
            left: The seconds that they are expected to take; 0 if that is unknown.
        """
        waiting = counts[PENDING]
        parts = [f"{waiting} session{'' if waiting == 1 else 's'} to run"]
        parts += [f"{counts[each]} {each}" for each in (CACHED, SKIPPED) if counts[each]]
        self.note_once(", ".join([*parts, *([format_estimate(left)] if left else [])]))

    def started(self, planned: SessionResult) -> None:
        """Say that a session starts, where no live row will."""
        if not self.terminal.live:
            self._print(f"started      {planned.entry.session}")

    def finished(self, result: SessionResult) -> None:
        """Print the row of a session that came to an end."""
        self.clear()
        self.terminal.print(
            f" {result.entry.session}  {describe_result(result)}",
            word=f"{result.outcome:<12}",
            colour=OUTCOME_COLORS.get(result.outcome, ""),
        )

    def refresh(
        self,
        running: Sequence[RunningSession],
        done: Sequence[SessionResult],
        waiting: int,
        left: Callable[[], float],
    ) -> None:
        """Draw what runs, if it is time to.

        Args:
            running: The sessions.
            done: What came of the others.
            waiting: How many wait.
            left: Returns the seconds that are left; 0 if that is unknown.
        """
        now = time.monotonic()
        if now - self._drawn < (REDRAW_INTERVAL if self.terminal.live else HEARTBEAT_INTERVAL):
            return
        self._drawn = now
        if not self.terminal.live:
            rows = (f"{work.planned.entry.session} {work.seconds:.0f} s" for work in running)
            self._print(
                "; ".join([f"running      {', '.join(rows)}", *_describe_remaining(left())])
            )
            return
        self.clear()
        head = " · ".join([*_describe_remaining(left()), self._head(running, done, waiting)])
        lines = [head, *map(self._row, running[:MAX_LIVE_ROWS])]
        for line in lines:
            self.terminal.print(line[: max(1, self.terminal.width - 1)])
        self._lines = len(lines)

    def clear(self) -> None:
        """Take the live rows away."""
        if self._lines:
            self.terminal.write(f"\x1b[{self._lines}A\x1b[J")
            self._lines = 0

    def _print(self, text: str) -> None:
        self.clear()
        self.terminal.print(text)

    def _head(
        self, running: Collection[RunningSession], done: Sequence[SessionResult], waiting: int
    ) -> str:
        failed = sum(result.outcome == FAILED for result in done)
        counts = f"running {len(running)} · done {len(done)} · failed {failed} · waiting {waiting}"
        return f"{counts} · {format_duration(time.monotonic() - self._began)}"

    def _row(self, work: RunningSession) -> str:
        sign = SPINNER[int(work.seconds / REDRAW_INTERVAL) % len(SPINNER)]
        expected = f"/{work.planned.seconds:.0f}" if work.planned.seconds else ""
        head = f"{sign} {work.planned.entry.session}  {work.seconds:.0f}{expected} s"
        return f"{head}  {last_log_line(work.log)}"


def describe_result(result: SessionResult) -> str:
    """Return what a finished row says behind its name."""
    if result.outcome == CACHED:
        return f"{format_duration(result.age)} old, saved {format_duration(result.seconds)}"
    over = f"over its budget by {format_duration(result.over_budget)}" if result.over_budget else ""
    log = f"{result.log}" if result.outcome in {FAILED, INCONCLUSIVE} else ""
    return ", ".join(
        part for part in (format_duration(result.seconds), result.note, over, log) if part
    )


def last_log_line(log: Path) -> str:
    """Return the last line of a log that says anything."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - LOG_TAIL_BYTES))
            lines = plain_lines(file.read().decode(errors="replace"))
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _describe_remaining(seconds: float) -> list[str]:
    return [f"{format_estimate(seconds)} left"] if seconds else []
