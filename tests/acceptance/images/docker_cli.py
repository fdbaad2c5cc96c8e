"""The Docker Engine, as the tests of the images use it."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from threading import Event
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from pipeline.process import CommandResult, capture
from tests.waiting import SOON, until

RUN = uuid4().hex[:8]  # part of all names of this run
EMPTY: Mapping[str, str] = MappingProxyType({})
HARDENED = (
    *("--init", "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL"),
    "--security-opt=no-new-privileges:true",
)


def docker(*arguments: str) -> CommandResult:
    """Run a docker command; return its exit code and what it printed."""
    return capture(["docker", *arguments])


def check_output(*arguments: str) -> str:
    """Run a docker command that has to succeed; return what it printed."""
    result = docker(*arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def inspect(kind: str, name: str) -> dict[str, Any]:
    """Return what the engine knows of an image or a container."""
    found: dict[str, Any] = json.loads(check_output(kind, "inspect", name))[0]
    return found


class Container:
    """One that runs; its port is open on this machine's loopback only."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = inspect("container", self.name)["State"]
        return state

    @property
    def port(self) -> int:
        ports = inspect("container", self.name)["NetworkSettings"]["Ports"].values()
        return int(next(binding for binding in ports if binding)[0]["HostPort"])

    @property
    def logs(self) -> str:
        result = docker("logs", self.name)
        return result.stdout + result.stderr

    def execute(self, *command: str) -> CommandResult:
        """Run a command inside."""
        return docker("exec", self.name, *command)

    def wait(self, seconds: float = SOON) -> int:
        """Return its exit code, once it has ended by itself."""
        until(lambda: not self.state["Running"], f"{self.name} does not end", seconds)
        return int(self.state["ExitCode"])


@contextmanager
def container(image: str, env: Mapping[str, str] = EMPTY, *, port: int = 0) -> Iterator[Container]:
    """Run an image as production does, until the end of the block."""
    name = f"images-{RUN}-{uuid4().hex[:8]}"
    variables = [f"--env={key}={value}" for key, value in env.items()]
    published = [f"--publish=127.0.0.1::{port}"] if port else []
    try:
        check_output("run", "--detach", "--name", name, *HARDENED, *published, *variables, image)
        yield Container(name)
    finally:
        docker("rm", "--force", "--volumes", name)


class Reply:
    """What an HTTP server answered."""

    def __init__(self, port: int, path: str, **headers: str) -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            self.status, self.headers, self.body = response.status, response.msg, response.read()
        finally:
            connection.close()

    def values(self, name: str) -> list[str]:
        """Return the values of a header."""
        return self.headers.get_all(name) or []


def is_healthy(port: int, path: str, *statuses: int) -> bool:
    """Tell whether a server answers, and with one of these statuses."""
    try:
        return Reply(port, path).status in (statuses or (200,))
    except OSError:
        return False


def request(
    port: int, path: str, stopped: Event, received: Counter[str], pause: float = 0.01
) -> None:
    """Send one request after the other, each on a new connection, and count the responses."""
    while not stopped.wait(pause):
        try:
            received[str(Reply(port, path).status)] += 1
        except OSError as error:
            received[repr(error)] += 1
