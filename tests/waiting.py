"""How a test waits: for a condition, never for a time that should be enough."""

import time
from collections.abc import Callable

SOON = 60  # seconds: much more than any machine needs


def until(
    condition: Callable[[], object], complaint: str = "it does not come", seconds: float = SOON
) -> None:
    """Return as soon as a condition holds.

    Args:
        condition: Called repeatedly; an exception ends the wait.
        complaint: What to say of one that does not come to hold.
        seconds: When it is given up.

    Raises:
        TimeoutError: The time is over.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{complaint} within {seconds:g} s")
        time.sleep(0.02)
