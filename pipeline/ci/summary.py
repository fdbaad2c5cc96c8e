"""What is said at the end: what was not judged, by reason; then each failure with its log."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pipeline.ci.memory import FAILED
from pipeline.ci.result import (
    CACHED,
    GREEN,
    HTML,
    INTERRUPTED,
    LEFT_OUT,
    LOGS,
    NOT_JUDGED,
    NOT_RUN,
    Result,
)
from pipeline.ci.terminal import Terminal, ago, tail

if TYPE_CHECKING:  # most runs need none of it, and do not wait for its import
    from pipeline.not_judged import Group

TAIL = 15  # lines of a failed log


def summary(results: Sequence[Result], wall: float, terminal: Terminal) -> None:
    """Print the end of a run.

    Args:
        results: Of all sessions, those left out too.
        wall: How many seconds the run took.
        terminal: Where to.
    """
    if groups := grouped(results):
        from pipeline import not_judged

        terminal.print(f"\n{not_judged.text(groups, 'session', terminal.width)}")
    for result in results:
        if result.outcome == FAILED:
            _failure(result, terminal)
    if any(result.log for result in results):
        terminal.print(f"\nlogs: {LOGS}/<session>.log; report: {HTML}")
    terminal.print(line(results, wall))


def grouped(results: Iterable[Result]) -> list[Group]:
    """Return what was not judged by reason, with the sessions.

    Args:
        results: Of all sessions.
    """
    found = [(result.entry.session, error) for result in results for error in result.unjudged]
    if not found:
        return []
    from pipeline import not_judged

    return not_judged.groups(found)


def line(results: Iterable[Result], wall: float) -> str:
    """Return the run in one line."""
    results = [*results]
    counts = Counter(result.outcome for result in results)
    green = sum(counts[outcome] for outcome in GREEN)
    cached = [result for result in results if result.outcome == CACHED]
    parts = [f"{green} green" + (f" ({len(cached)} from the cache)" if cached else "")]
    parts += [
        f"{counts[outcome]} {outcome}"
        for outcome in (FAILED, NOT_JUDGED, INTERRUPTED, NOT_RUN, LEFT_OUT)
        if counts[outcome]
    ]
    text = f"ci: {', '.join(parts)}: {wall:.2f} s"
    if not cached:
        return text
    oldest, saved = max(result.age for result in cached), sum(result.seconds for result in cached)
    return f"{text}, saved {ago(saved)}, the oldest result is {ago(oldest)} old"


def _failure(result: Result, terminal: Terminal) -> None:
    terminal.print(f"\n{terminal.paint('failed', 'red')}: {result.entry.session}  {result.log}")
    for each in tail(result.log, TAIL) if result.log else []:
        terminal.print(f"  {each}")
    terminal.print(f'hint: nox -s "{result.entry.session}"')
