"""Wait for conditions in tests, instead of fixed sleeps."""

import time
from collections.abc import Callable

TIMEOUT_SECONDS = 60  # more than any machine needs


def wait_until(condition: Callable[[], object], message: str) -> None:
    """Poll a condition until it is true.

    Args:
        condition: Called repeatedly. Its exceptions are not caught.
        message: Text of the error if the condition stays false.

    Raises:
        TimeoutError: The condition is still false after the timeout.
    """
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{message} within {TIMEOUT_SECONDS} s")
        time.sleep(0.02)
