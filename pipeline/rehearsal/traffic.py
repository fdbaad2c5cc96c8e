"""Traffic through the edge of an environment; every response is recorded, no request is retried.

Each request uses a new connection. Requests are sent only to the given address, and end with the
block.
"""

import http.client
import json
import runpy
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.cookies import SimpleCookie

from pipeline.addresses import parse_origin
from pipeline.config import load

_TIMEOUT_SECONDS = 30
PAUSE_SECONDS = 0.1  # without a pause, clients would take the CPU time that the deployment needs


@dataclass(frozen=True)
class Sample:
    """One request: its start, in seconds since the epoch, and its outcome."""

    began: float
    seconds: float
    kind: str
    outcome: str
    release: str = ""
    interrupted: bool = False
    """Whether a node was disconnected while the request was in flight."""

    @property
    def failed(self) -> bool:
        """Whether the request failed while every node was connected."""
        return not self.answered and not self.interrupted

    @property
    def lost(self) -> bool:
        """Whether the request failed while a node was disconnected."""
        return not self.answered and self.interrupted

    @property
    def answered(self) -> bool:
        """Whether the response was a success."""
        return self.outcome.startswith("2")


@dataclass
class Traffic:
    """Clients of a site, and the outcomes of their requests.

    Attributes:
        url: The origin of the site.
        user: The email address and the password of a user.
        clients: The number of clients for each kind of request.
        certificate: Path of a certificate to trust in addition to the usual authorities.
        pause: Seconds that each client waits between two requests.
        samples: The outcome of every request.
        outages: Times at which nodes were disconnected.
    """

    url: str
    user: tuple[str, str]
    clients: Mapping[str, int]
    certificate: str = ""
    pause: float = PAUSE_SECONDS
    samples: list[Sample] = field(default_factory=list)
    outages: list[float] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator["Traffic"]:
        """Send requests for as long as the block runs."""
        session = self.log_in()
        threads = [
            threading.Thread(target=self.send, args=(kind, session))
            for kind, number in self.clients.items()
            for _ in range(number)
        ]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self.stopped.set()
            for thread in threads:
                thread.join()

    def send(self, kind: str, session: Mapping[str, str]) -> None:
        """Send requests of one kind until the traffic is stopped."""
        while not self.stopped.wait(self.pause):
            began = time.time()
            outcome, body = self.send_kind(kind, session)
            release = json.loads(body)["release"] if kind == "get" and outcome == "200" else ""
            seconds = time.time() - began
            cut = any(began < at < began + seconds for at in self.outages)
            self.samples.append(Sample(began, seconds, kind, outcome, release, cut))

    def send_kind(self, kind: str, session: Mapping[str, str]) -> tuple[str, bytes]:
        """Send one request; return its status or the name of its exception, and the body."""
        try:
            if kind == "post":
                path, content = _create_request()
                status, body = self.request("POST", path, content, session)
            else:
                version = load().app.paths.version
                path = {"get": version, "page": "/", "slow": f"{version}?sleep=3"}[kind]
                status, body = self.request("GET", path, None, {})
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__, b""
        return str(status), body

    def request(
        self, method: str, path: str, content: Mapping[str, str] | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        """Send a request on a new connection.

        Raises:
            OSError: There was no response.
            HTTPException: The response was incomplete.
        """
        connection = self.connection()
        try:
            sent = {"Connection": "close", "Origin": self.url, "Referer": f"{self.url}/", **headers}
            if content is not None:
                sent["Content-Type"] = "application/json"
            body = None if content is None else json.dumps(content)
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            self.cookies = answer.headers.get_all("Set-Cookie") or []
            return answer.status, answer.read()
        finally:
            connection.close()

    def connection(self) -> http.client.HTTPConnection:
        """Return a new connection to the site."""
        site = parse_origin(self.url)
        place, seconds = (site.host, site.port), _TIMEOUT_SECONDS
        if site.scheme == "http":
            return http.client.HTTPConnection(*place, timeout=seconds)
        context = ssl.create_default_context(cafile=self.certificate or None)
        return http.client.HTTPSConnection(*place, timeout=seconds, context=context)

    def log_in(self) -> dict[str, str]:
        """Log in, and return the headers of a session.

        Raises:
            OSError: The login failed.
        """
        paths = load().app.paths
        self.request("GET", paths.session, None, {})
        csrf = _cookie(self.cookies, "csrftoken")
        email, password = self.user
        given = {"email": email, "password": password}
        headers = {"Cookie": f"csrftoken={csrf}", "X-CSRFToken": csrf}
        status, _ = self.request("POST", paths.login, given, headers)
        if status != http.client.OK:
            raise OSError(f"the test user cannot log in: status {status}")
        csrf = _cookie(self.cookies, "csrftoken")
        session = _cookie(self.cookies, "sessionid")
        return {"Cookie": f"csrftoken={csrf}; sessionid={session}", "X-CSRFToken": csrf}


@cache
def _create_request() -> tuple[str, Mapping[str, str]]:
    """Return the path and the body of a request that creates something, from deploy/smoke.py."""
    path, content = runpy.run_path(load().app.smoke)["CREATE"]
    return path, content


def _cookie(headers: list[str], name: str) -> str:
    """Return the value of a cookie from Set-Cookie headers."""
    jar: SimpleCookie = SimpleCookie()
    for header in headers:
        jar.load(header)
    return jar[name].value
