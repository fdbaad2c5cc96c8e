"""A call to the outside has one deadline, however slowly its answer drips."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from pipeline.deadline import call_with_deadline
from pipeline.deploy.rollout import notify
from pipeline.deploy.smoke.client import SmokeClient
from pipeline.deploy.smoke.scenario import open_steps
from pipeline.errors import CheckFailedError, InputError
from pipeline.github_settings import client
from pipeline.github_settings.client import GitHubClient

ENOUGH = 30
"""The seconds for which it drips, if nothing ends it."""


@contextmanager
def dripping() -> Iterator[str]:
    """Yield the address of a server whose answer's head never ends."""
    over = threading.Event()

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _ in range(ENOUGH * 100):
            if over.wait(0.01):
                break
            connection.sendall(b".")
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        over.set()


def reports(url: str) -> None:
    notify.post(url, {"text": "x"})


def visits(url: str) -> None:
    http_client = SmokeClient(url, {}, each=0.3, altogether=0.3)
    with pytest.raises(CheckFailedError, match="no answer within 0"):
        http_client.run_step(next(open_steps()))


def asks_github(url: str) -> None:
    with pytest.raises(InputError, match=r"does not answer: no answer within 0\.3 s"):
        GitHubClient("octo/shop", "swordfish", url).get("")


@pytest.mark.parametrize("call", [reports, visits, asks_github])
def test_an_answer_that_drips_is_not_waited_for(
    call: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(notify, "TIMEOUT", 0.3)
    monkeypatch.setattr(client, "TIMEOUT", 0.3)
    began = time.monotonic()
    with dripping() as url:
        call(url)
    assert time.monotonic() - began < ENOUGH / 2
    if call is reports:
        assert "notification failed: NOTIFY_URL (TimeoutError)" in capsys.readouterr().err


def test_what_a_call_returns_or_raises_is_passed_on() -> None:
    assert call_with_deadline(5, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        call_with_deadline(5, lambda: 1 // 0)
    with pytest.raises(TimeoutError, match="its own"):
        call_with_deadline(5, own)


def own() -> None:
    raise TimeoutError("its own")
