"""What becomes of signals while something must not be left half done."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.deploy.progress import log

TERMINATION_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def raise_on_signal() -> Iterator[None]:
    """Treat every signal to stop as Ctrl-C: what was begun is undone, and then this ends."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with signal_handler(interrupt):
        yield


@contextmanager
def ignore_signals() -> Iterator[None]:
    """Go on whatever comes: going back must not be stopped half way."""

    def refuse(*_: object) -> None:
        log("this cannot be stopped; it has a deadline of its own")

    with signal_handler(refuse):
        yield


@contextmanager
def signal_handler(handler: "signal._HANDLER") -> Iterator[None]:
    """Have a handler for all signals to stop, as long as the block runs."""
    before = {number: signal.signal(number, handler) for number in TERMINATION_SIGNALS}
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, former)
