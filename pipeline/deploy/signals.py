"""Handles signals during a deployment, so that no step is left half done."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.deploy.progress import log

TERMINATION_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def raise_on_signal() -> Iterator[None]:
    """Turn every termination signal into KeyboardInterrupt, so that the rollback runs."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with _signal_handler(interrupt):
        yield


@contextmanager
def ignore_signals() -> Iterator[None]:
    """Ignore termination signals: a rollback must not be interrupted."""

    def refuse(*_: object) -> None:
        log("this cannot be interrupted; it has a deadline")

    with _signal_handler(refuse):
        yield


@contextmanager
def _signal_handler(handler: "signal._HANDLER") -> Iterator[None]:
    """Install a handler for all termination signals during the block."""
    before = {number: signal.signal(number, handler) for number in TERMINATION_SIGNALS}
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, former)
