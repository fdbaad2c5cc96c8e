"""Say what goes on, and how long it took: on stderr, a line for each step."""

import sys
import time
from collections.abc import Callable


def timed_step(name: str, action: Callable[[], None]) -> None:
    """Do something, and say so before and after it.

    Args:
        name: What is done, in two words.
        action: Does it.
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
    """Say a line, with the time of day."""
    print(f"{time.strftime('%H:%M:%S')}  {line}", file=sys.stderr, flush=True)
