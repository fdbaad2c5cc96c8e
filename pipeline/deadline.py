"""A time limit for a whole call of another service.

The timeout of a socket applies to each read, so a slow response can take any time
(https://docs.python.org/3/library/socket.html#notes-on-socket-timeouts).
"""

from collections.abc import Callable
from threading import Thread
from typing import TypeVar, cast

_T = TypeVar("_T")


def call_with_deadline(seconds: float, call: Callable[[], _T]) -> _T:
    """Return the result of a call; one that takes too long is abandoned.

    Args:
        seconds: The time limit of the whole call.
        call: It runs in a daemon thread.

    Raises:
        TimeoutError: The time limit has passed.
    """
    results: list[tuple[_T, None] | tuple[None, BaseException]] = []

    def run() -> None:
        try:
            results.append((call(), None))
        except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
            results.append((None, error))

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not results:
        raise TimeoutError(f"no answer within {seconds:.3g} s")
    value, error = results.pop()
    if error is None:
        return cast("_T", value)
    try:
        raise error
    finally:
        del error  # breaks the reference cycle that would keep its connection
