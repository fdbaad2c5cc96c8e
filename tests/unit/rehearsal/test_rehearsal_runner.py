import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pipeline.rehearsal import runner


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whatever_ends_a_rehearsal_nothing_is_left_of_it(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    left = []

    @contextmanager
    def sandbox(nodes: int) -> Iterator[None]:
        try:
            signal.raise_signal(number)
            yield pytest.fail("the signal ends nothing")
        finally:
            left.append(nodes)

    monkeypatch.setattr(runner, "is_engine_available", lambda: True)
    monkeypatch.setattr(runner, "create_sandbox", sandbox)
    with pytest.raises(KeyboardInterrupt):
        runner.rehearse()
    assert left == [1]
