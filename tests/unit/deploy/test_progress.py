"""Each step is told before and after it, on stderr; signals to stop end it in order."""

import os
import re
import signal
from contextlib import suppress

import pytest

from pipeline.deploy.progress import timed
from pipeline.deploy.signals import ENDING, interruptible, uninterrupted


def test_a_step_is_told_before_and_after_it_with_its_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    timed("roll backend", lambda: print("rolling"))
    told = capsys.readouterr()
    assert told.out == "rolling\n"
    begun, ended = told.err.splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d  roll backend …", begun)
    assert re.fullmatch(r"\d\d:\d\d:\d\d  roll backend done in \d+\.\d s", ended)


@pytest.mark.parametrize("fault", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_step_that_fails_is_told_and_its_fault_goes_on(
    fault: type[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise fault

    with pytest.raises(fault):
        timed("bake", fail)
    assert re.search(r"bake failed after \d+\.\d s\n$", capsys.readouterr().err)


def stop(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)
    signal.sigpending()  # Python handles what came in before it goes on


@pytest.mark.parametrize("number", ENDING)
def test_every_signal_to_stop_is_an_interrupt(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt), interruptible():
        stop(number)


@pytest.mark.parametrize("number", ENDING)
def test_what_cannot_be_stopped_goes_on_and_says_so(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    with uninterrupted():
        stop(number)
        print("goes on")
    told = capsys.readouterr()
    assert told.out == "goes on\n"
    assert "this cannot be stopped" in told.err


@pytest.mark.parametrize("block", [interruptible, uninterrupted])
def test_afterwards_signals_are_handled_as_before(block: type) -> None:
    before = [signal.getsignal(number) for number in ENDING]
    with suppress(ValueError), block():
        assert [signal.getsignal(number) for number in ENDING] != before
        raise ValueError
    assert [signal.getsignal(number) for number in ENDING] == before


def test_within_what_can_be_interrupted_a_part_can_be_shielded() -> None:
    with interruptible():
        with uninterrupted():
            stop(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            stop(signal.SIGTERM)
