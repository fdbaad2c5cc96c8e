"""What is said at the end: failures last, each with its log and the command that repeats it."""

from collections import Counter
from collections.abc import Iterable, Sequence

from pipeline.ci.memory import FAILED
from pipeline.ci.result import CACHED, GREEN, INTERRUPTED, LEFT_OUT, NOT_JUDGED, NOT_RUN, Result
from pipeline.ci.terminal import Terminal, ago

TAIL = 15  # lines of a failed log


def summary(results: Sequence[Result], wall: float, terminal: Terminal) -> None:
    """Print the end of a run.

    Args:
        results: Of all sessions, those left out too.
        wall: How many seconds the run took.
        terminal: Where to.
    """
    for result in results:
        if result.outcome == NOT_JUDGED:
            terminal.print(f"\nnot judged: {result.entry.session}: {result.note}")
    for result in results:
        if result.outcome == FAILED:
            _failure(result, terminal)
    terminal.print(("\n" if _ran(results) else "") + line(results, wall))


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
    text = result.log.read_text(errors="replace") if result.log and result.log.exists() else ""
    for each in text.rstrip().splitlines()[-TAIL:]:
        terminal.print(f"  {each}")
    terminal.print(f'hint: nox -s "{result.entry.session}"')


def _ran(results: Iterable[Result]) -> bool:
    return any(result.outcome not in {CACHED, LEFT_OUT} for result in results)
