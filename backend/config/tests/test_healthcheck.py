"""The health check of the container, with a fake server."""

import http.client
from pathlib import Path

import pytest

import healthcheck

READY, ALIVE = "/api/v1/health/ready/", "/api/v1/health/"


class Server:
    """A fake connection to the server, with its response."""

    def __init__(self) -> None:
        self.status = 200
        self.requests: list[str] = []

    def request(self, _: str, path: str, *, headers: dict[str, str]) -> None:
        self.requests.append(path)
        self.host = headers["Host"]

    def getresponse(self) -> "Server":
        return self


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Server:
    server = Server()
    monkeypatch.setattr(healthcheck, "HTTPConnection", lambda *_, **__: server)
    monkeypatch.setattr(healthcheck, "ONCE_READY", tmp_path / "ready")
    monkeypatch.setenv("DJANGO_ALLOWED_HOSTS", ".example.com, www.example.org")
    return server


def test_readiness_then_liveness(
    server: Server,
) -> None:
    server.status = 503
    with pytest.raises(SystemExit, match="ready/ answered 503"):
        healthcheck.main()
    server.status = 200
    healthcheck.main()
    healthcheck.main()
    assert server.requests == [READY, READY, ALIVE]
    assert server.host == "example.com"


@pytest.mark.parametrize("error", [ConnectionRefusedError, TimeoutError, http.client.BadStatusLine])
def test_no_response(
    server: Server, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error("refused")

    monkeypatch.setattr(server, "request", fail)
    with pytest.raises(SystemExit, match="got no answer: refused"):
        healthcheck.main()


@pytest.mark.parametrize(
    ("allowed", "host"),
    [
        ("www.example.com, example.org", "www.example.com"),
        (".example.com", "example.com"),
        ("*", "localhost"),
        ("[::1]", "[::1]"),
    ],
)
def test_host(allowed: str, host: str) -> None:
    assert healthcheck.host(allowed) == host
