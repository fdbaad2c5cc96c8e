"""Loads, put on a server by wrk: what to ask, and what came of it."""

import json
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import CheckFailedError
from pipeline.process import capture

SCRIPT = Path(__file__).with_name("wrk.lua")
PROJECTS = "/api/v1/projects/"
# Django accepts any token of this form, as long as cookie and header agree.
CSRF = "0123456789abcdefghijklmnopqrstuv"


@dataclass(frozen=True)
class Load:
    """One kind of request."""

    name: str
    path: str
    body: str | None = None


@dataclass(frozen=True)
class Result:
    """What one run of a load on a server gave."""

    per_second: float
    p99_ms: float
    dropped: int
    refused: int

    @property
    def failed(self) -> int:
        """Requests without an answer, or with one that is no success."""
        return self.dropped + self.refused


@dataclass(frozen=True)
class Traffic:
    """How much of a load, and for how long."""

    seconds: int
    connections: int
    keep_alive: bool


LOADS = (
    Load("health", "/api/v1/health/"),
    Load("50 ms of waiting", "/api/v1/health/?sleep=0.05"),
    Load("me", "/api/v1/auth/me/"),
    Load("projects: list", PROJECTS),
    Load("projects: create", PROJECTS, json.dumps({"name": "load"})),
)


def run_load(load: Load, port: int, session: str, traffic: Traffic) -> Result:
    """Put a load on a server of this machine for some seconds.

    Raises:
        CheckFailedError: wrk did not do it.
    """
    headers = {
        "Content-Type": "application/json",
        "Cookie": f"sessionid={session}; csrftoken={CSRF}",
        "X-CSRFToken": CSRF,
        "Connection": "keep-alive" if traffic.keep_alive else "close",
    }
    options = ["--threads=1", "--timeout=5s", f"--script={SCRIPT}"]
    options += [f"--connections={traffic.connections}", f"--duration={traffic.seconds}s"]
    options += [f"--header={name}: {value}" for name, value in headers.items()]
    url = f"http://127.0.0.1:{port}{load.path}"
    return parse(capture(["wrk", *options, url, *([load.body] if load.body else [])]).stdout)


def parse(output: str) -> Result:
    """Read the line that load.lua prints."""
    for line in output.splitlines():
        if line.startswith("summary "):
            requests, microseconds, p99, dropped, refused = map(int, line.split()[1:])
            return Result(requests / microseconds * 1e6, p99 / 1000, dropped, refused)
    raise CheckFailedError("wrk gave no result", hint="run its command by hand")
