"""What is seen while sessions run: finished rows stay, a few live ones are drawn below them.

Without a terminal it is one line for each event, and a sign of life now and then.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from pipeline.ci.cache.store import FAILED, PASSED
from pipeline.ci.result import CACHED, INTERRUPTED, LEFT_OUT, NOT_JUDGED, WAITING, Result
from pipeline.ci.terminal import SIGNS, Terminal, about, ago, plain

REDRAW = 0.25  # seconds
HEARTBEAT = 30.0  # seconds
ROWS = 8  # of those that run; the others are counted
TAIL = 4096  # bytes of a log, in which its last line is looked for
SPINNER = SIGNS[:10]
COLOUR = {
    PASSED: "green",
    CACHED: "green",
    FAILED: "red",
    INTERRUPTED: "yellow",
    NOT_JUDGED: "yellow",
}


class Working(Protocol):
    """A session that runs, as far as it is seen."""

    @property
    def planned(self) -> Result:
        """What it is."""

    @property
    def log(self) -> Path:
        """Where its output is."""

    @property
    def seconds(self) -> float:
        """How long it has been running."""


class Screen:
    """The rows of a run."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self._began = self._drawn = time.monotonic()
        self._lines = 0
        self._said: set[str] = set()

    def say(self, text: str) -> None:
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
        waiting = counts[WAITING]
        parts = [f"{waiting} session{'' if waiting == 1 else 's'} to run"]
        parts += [f"{counts[each]} {each}" for each in (CACHED, LEFT_OUT) if counts[each]]
        self.say(", ".join([*parts, *([about(left)] if left else [])]))

    def started(self, planned: Result) -> None:
        """Say that a session starts, where no live row will."""
        if not self.terminal.live:
            self._print(f"started     {planned.entry.session}")

    def finished(self, result: Result) -> None:
        """Print the row of a session that came to an end."""
        self.clear()
        self.terminal.print(
            f" {result.entry.session}  {told(result)}",
            word=f"{result.outcome:<11}",
            colour=COLOUR.get(result.outcome, ""),
        )

    def show(
        self,
        running: Sequence[Working],
        done: Sequence[Result],
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
        if now - self._drawn < (REDRAW if self.terminal.live else HEARTBEAT):
            return
        self._drawn = now
        if not self.terminal.live:
            rows = (f"{work.planned.entry.session} {work.seconds:.0f} s" for work in running)
            self._print("; ".join([f"running     {', '.join(rows)}", *_told_left(left())]))
            return
        self.clear()
        head = " · ".join([*_told_left(left()), self._head(running, done, waiting)])
        lines = [head, *map(self._row, running[:ROWS])]
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

    def _head(self, running: Collection[Working], done: Sequence[Result], waiting: int) -> str:
        failed = sum(result.outcome == FAILED for result in done)
        counts = f"running {len(running)} · done {len(done)} · failed {failed} · waiting {waiting}"
        return f"{counts} · {ago(time.monotonic() - self._began)}"

    def _row(self, work: Working) -> str:
        sign = SPINNER[int(work.seconds / REDRAW) % len(SPINNER)]
        expected = f"/{work.planned.seconds:.0f}" if work.planned.seconds else ""
        head = f"{sign} {work.planned.entry.session}  {work.seconds:.0f}{expected} s"
        return f"{head}  {last_line(work.log)}"


def told(result: Result) -> str:
    """Return what a finished row says behind its name."""
    if result.outcome == CACHED:
        return f"{ago(result.age)} old, saved {ago(result.seconds)}"
    over = f"over its budget by {ago(result.over)}" if result.over else ""
    log = f"{result.log}" if result.outcome in {FAILED, NOT_JUDGED} else ""
    return ", ".join(part for part in (ago(result.seconds), result.note, over, log) if part)


def last_line(log: Path) -> str:
    """Return the last line of a log that says anything."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - TAIL))
            lines = plain(file.read().decode(errors="replace"))
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _told_left(seconds: float) -> list[str]:
    return [f"{about(seconds)} left"] if seconds else []
