"""Notifications report the result of a deployment; a failed one does not change it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from pipeline.deploy.cluster.client import SwarmClient
from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.rollout.notify import notify_outcome, run_url
from pipeline.errors import CheckFailedError, RolledBackError
from tests.clock import Clock
from tests.unit.deploy.factories import make_environment

STAGING = make_environment()


class Received(HTTPServer):
    """A webhook: the requests, and the responses."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Listener)
        self.received_lines: list[dict[str, object]] = []
        self.answer = 200

    @property
    def values(self) -> dict[str, str]:
        return {"NOTIFY_URL": f"http://127.0.0.1:{self.server_port}/swordfish"}


class Listener(BaseHTTPRequestHandler):
    server: Received

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.received_lines.append(json.loads(self.rfile.read(length)))
        self.send_response(self.server.answer)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("pipeline.deploy.rollout.notify.time", clock)
    return clock


@pytest.fixture
def received() -> Iterator[Received]:
    with Received() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def target(secrets: dict[str, str]) -> DeployTarget:
    return DeployTarget(STAGING, SwarmClient(), secrets)


def test_what_went_well_is_told_with_all_that_one_wants_to_know(
    received: Received, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTOR", "ada")
    with notify_outcome(target(received.values), "deploy", "v1.2.3"):
        clock.sleep(7)
    assert received.received_lines == [
        {
            "text": "deploy of v1.2.3 to staging: succeeded, by ada in 7 s\nhttps://shop.example.com",
            "environment": "staging",
            "kind": "deploy",
            "release": "v1.2.3",
            "outcome": "succeeded",
            "actor": "ada",
            "seconds": 7,
            "link": "https://shop.example.com",
        }
    ]


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (RolledBackError("no", hint=""), "rolled back"),
        (CheckFailedError("no", hint=""), "failed"),
        (KeyboardInterrupt(), "failed"),
    ],
)
def test_what_went_wrong_is_told_and_stays_what_went_wrong(
    received: Received, fault: BaseException, outcome: str
) -> None:
    with pytest.raises(type(fault)), notify_outcome(target(received.values), "rollback", "v1.2.3"):
        raise fault
    assert received.received_lines[0]["outcome"] == outcome


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/swordfish", "swordfish", "http://[swordfish"])
def test_who_cannot_be_told_is_no_fault_and_his_address_is_not_said(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with notify_outcome(target({"NOTIFY_URL": url}), "deploy", "v1.2.3"):
        pass
    output = capsys.readouterr().err
    assert "notification failed: NOTIFY_URL" in output
    assert "swordfish" not in output


def test_who_refuses_to_be_told_is_none_either(
    received: Received, capsys: pytest.CaptureFixture[str]
) -> None:
    received.answer = 500
    with notify_outcome(target(received.values), "deploy", "v1.2.3"):
        pass
    assert "notification failed" in capsys.readouterr().err


def test_nobody_is_told_where_nobody_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with notify_outcome(target({}), "deploy", "v1.2.3"):
        pass
    assert capsys.readouterr().err == ""


def test_a_run_on_github_is_where_to_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.com")
    monkeypatch.setenv("GITHUB_REPOSITORY", "octo/shop")
    monkeypatch.setenv("GITHUB_RUN_ID", "42")
    assert run_url(STAGING) == "https://github.com/octo/shop/actions/runs/42"
