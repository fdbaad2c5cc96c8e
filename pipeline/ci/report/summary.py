"""The summary that ends `invoke ci`: inconclusive checks by reason, failures with logs, totals."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pipeline.ci.cache.store import FAILED
from pipeline.ci.result import (
    CACHED,
    HTML_FILE,
    INCONCLUSIVE,
    INTERRUPTED,
    LOG_DIR,
    NOT_STARTED,
    SKIPPED,
    SUCCESSFUL,
    SessionResult,
)
from pipeline.ci.terminal import Terminal, format_duration, log_tail

if TYPE_CHECKING:
    from pipeline.inconclusive import Inconclusive

_LOG_TAIL_LINES = 15  # lines of a failed log


def print_summary(
    results: Sequence[SessionResult],
    wall: float,
    terminal: Terminal,
    inconclusive: "Inconclusive | None",
) -> None:
    """Print the summary of a run.

    Args:
        results: The results of all sessions, including the skipped ones.
        wall: The seconds of the whole run.
        terminal: The terminal to print to.
        inconclusive: The inconclusive checks, if there are any.
    """
    if inconclusive:
        terminal.print(f"\n{inconclusive.text(terminal.width)}")
    for result in results:
        if result.outcome == FAILED:
            _failure(result, terminal)
    if any(result.log for result in results):
        terminal.print(f"\nlogs: {LOG_DIR}/<session>.log; report: {HTML_FILE}")
    terminal.print(summary_line(results, wall))


def summary_line(results: Iterable[SessionResult], wall: float) -> str:
    """Return the run in one line."""
    results = [*results]
    counts = Counter(result.outcome for result in results)
    green = sum(counts[outcome] for outcome in SUCCESSFUL)
    cached = [result for result in results if result.outcome == CACHED]
    parts = [f"{green} green" + (f" ({len(cached)} from the cache)" if cached else "")]
    parts += [
        f"{counts[outcome]} {outcome}"
        for outcome in (FAILED, INCONCLUSIVE, INTERRUPTED, NOT_STARTED, SKIPPED)
        if counts[outcome]
    ]
    text = f"ci: {', '.join(parts)}: {wall:.2f} s"
    if not cached:
        return text
    oldest, saved = max(result.age for result in cached), sum(result.seconds for result in cached)
    age = format_duration(oldest)
    return f"{text}, saved {format_duration(saved)}, the oldest result is {age} old"


def _failure(result: SessionResult, terminal: Terminal) -> None:
    terminal.print()
    terminal.print(f": {result.entry.session}  {result.log}", word="failed", colour="red")
    for each in log_tail(result.log, _LOG_TAIL_LINES) if result.log else []:
        terminal.print(f"  {each}")
    terminal.print(f'hint: nox -s "{result.entry.session}"')
