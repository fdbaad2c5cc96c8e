"""Each step is printed at its start and its end, on stderr; signals end it in order."""

import os
import re
import signal
from contextlib import suppress

import pytest

from pipeline.deploy.progress import timed_step
from pipeline.deploy.signals import TERMINATION_SIGNALS, ignore_signals, raise_on_signal


def test_a_step_is_told_before_and_after_it_with_its_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    timed_step("roll backend", lambda: print("rolling"))
    received = capsys.readouterr()
    assert received.out == "rolling\n"
    started, ended = received.err.splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d  roll backend …", started)
    assert re.fullmatch(r"\d\d:\d\d:\d\d  roll backend done in \d+\.\d s", ended)


@pytest.mark.parametrize("fault", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_step_that_fails_is_told_and_its_fault_goes_on(
    fault: type[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise fault

    with pytest.raises(fault):
        timed_step("bake", fail)
    assert re.search(r"bake failed after \d+\.\d s\n$", capsys.readouterr().err)


def stop(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)
    signal.sigpending()  # Python handles what came in before it goes on


@pytest.mark.parametrize("number", TERMINATION_SIGNALS)
def test_every_signal_to_stop_is_an_interrupt(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt), raise_on_signal():
        stop(number)


@pytest.mark.parametrize("number", TERMINATION_SIGNALS)
def test_what_cannot_be_stopped_goes_on_and_says_so(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    with ignore_signals():
        stop(number)
        print("goes on")
    received = capsys.readouterr()
    assert received.out == "goes on\n"
    assert "this cannot be interrupted" in received.err


@pytest.mark.parametrize("block", [raise_on_signal, ignore_signals])
def test_afterwards_signals_are_handled_as_before(block: type) -> None:
    before = [signal.getsignal(number) for number in TERMINATION_SIGNALS]
    with suppress(ValueError), block():
        assert [signal.getsignal(number) for number in TERMINATION_SIGNALS] != before
        raise ValueError
    assert [signal.getsignal(number) for number in TERMINATION_SIGNALS] == before


def test_within_what_can_be_interrupted_a_part_can_be_shielded() -> None:
    with raise_on_signal():
        with ignore_signals():
            stop(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            stop(signal.SIGTERM)
