"""Logs progress to stderr: a line per step, with its time."""

import sys
import time
from collections.abc import Callable


def timed_step(name: str, action: Callable[[], None]) -> None:
    """Run a step, and log its start, its end and its time.

    Args:
        name: Name of the step, in two words.
        action: The step.
    """
    started = time.monotonic()
    log(f"{name} …")
    try:
        action()
    except BaseException:
        log(f"{name} failed after {time.monotonic() - started:.1f} s")
        raise
    log(f"{name} done in {time.monotonic() - started:.1f} s")


def log(line: str) -> None:
    """Print a line with the time of day."""
    print(f"{time.strftime('%H:%M:%S')}  {line}", file=sys.stderr, flush=True)
