"""A deadline for the whole of a call to the outside.

The timeout of a socket is for each read of it: an answer that drips outlasts it for ever
(https://docs.python.org/3/library/socket.html#notes-on-socket-timeouts).
"""

from collections.abc import Callable
from threading import Thread
from typing import TypeVar, cast

T = TypeVar("T")


def call_with_deadline(seconds: float, call: Callable[[], T]) -> T:
    """Return what a call returns; one that takes too long is left to itself.

    Args:
        seconds: How long it may take, as a whole.
        call: It runs in a thread of its own, which does not outlive the process.

    Raises:
        TimeoutError: The time is over.
    """
    came: list[tuple[T, None] | tuple[None, BaseException]] = []

    def run() -> None:
        try:
            came.append((call(), None))
        except BaseException as error:  # noqa: BLE001 - it is raised where the call is waited for
            came.append((None, error))

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not came:
        raise TimeoutError(f"no answer within {seconds:.3g} s")
    value, error = came.pop()
    if error is None:
        return cast("T", value)
    try:
        raise error
    finally:
        del error  # or it would keep itself, and the connection in it
