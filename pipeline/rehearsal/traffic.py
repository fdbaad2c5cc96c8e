"""Traffic through the edge of an environment: every answer is noted, none is asked for twice.

Each request is a connection of its own, as most of an edge's are. Requests go only to the address
that is given, and end with the block.
"""

import http.client
import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie

from pipeline.addresses import parse_origin

VERSION, PAGE, PROJECTS = "/api/v1/version/", "/", "/api/v1/projects/"
SLOW = "/api/v1/version/?sleep=3"
TIMEOUT_SECONDS = 30
PAUSE_SECONDS = 0.1  # clients without a rest would take the processors from the deployer


@dataclass(frozen=True)
class Sample:
    """One request: when it began, in seconds since the epoch, and what came of it."""

    began: float
    seconds: float
    kind: str
    outcome: str
    release: str = ""
    interrupted: bool = False
    """Whether a node went away while it was under way, perhaps the one that had it."""

    @property
    def failed(self) -> bool:
        """Whether the client did not get what it asked for, though somebody could have answered."""
        return not self.answered and not self.interrupted

    @property
    def lost(self) -> bool:
        """Whether it went away with a node."""
        return not self.answered and self.interrupted

    @property
    def answered(self) -> bool:
        """Whether the client got what it asked for."""
        return self.outcome.startswith("2")


@dataclass
class Traffic:
    """Clients of a site, and what they saw.

    Attributes:
        url: The site's origin.
        user: The address and the password of whoever writes.
        clients: How many send each kind of request.
        certificate: Whom to trust besides the usual authorities, as a file.
        pause: For how long each client rests between two requests, in seconds.
        samples: What came of every request.
        cuts: When nodes went away.
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
        """Send one kind of request, one after the other, until it is stopped."""
        while not self.stopped.wait(self.pause):
            began = time.time()
            outcome, body = self.send_kind(kind, session)
            release = json.loads(body)["release"] if kind == "get" and outcome == "200" else ""
            seconds = time.time() - began
            cut = any(began < at < began + seconds for at in self.outages)
            self.samples.append(Sample(began, seconds, kind, outcome, release, cut))

    def send_kind(self, kind: str, session: Mapping[str, str]) -> tuple[str, bytes]:
        """Send one request; return its status, or the name of what went wrong, and the body."""
        try:
            if kind == "post":
                status, body = self.request("POST", PROJECTS, {"name": "rehearsal"}, session)
            else:
                path = {"get": VERSION, "page": PAGE, "slow": SLOW}[kind]
                status, body = self.request("GET", path, None, {})
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__, b""
        return str(status), body

    def request(
        self, method: str, path: str, content: Mapping[str, str] | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        """Send a request on a connection of its own.

        Raises:
            OSError: There was no answer.
            HTTPException: It was no whole answer.
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
        place, seconds = (site.host, site.port), TIMEOUT_SECONDS
        if site.scheme == "http":
            return http.client.HTTPConnection(*place, timeout=seconds)
        context = ssl.create_default_context(cafile=self.certificate or None)
        return http.client.HTTPSConnection(*place, timeout=seconds, context=context)

    def log_in(self) -> dict[str, str]:
        """Log in, and return the headers that every later request needs.

        Raises:
            OSError: The site does not let the user in.
        """
        self.request("GET", "/api/v1/auth/me/", None, {})
        csrf = cookie(self.cookies, "csrftoken")
        email, password = self.user
        given = {"email": email, "password": password}
        headers = {"Cookie": f"csrftoken={csrf}", "X-CSRFToken": csrf}
        status, _ = self.request("POST", "/api/v1/auth/login/", given, headers)
        if status != http.client.OK:
            raise OSError(f"the user of the traffic cannot log in: {status}")
        csrf = cookie(self.cookies, "csrftoken")
        session = cookie(self.cookies, "sessionid")
        return {"Cookie": f"csrftoken={csrf}; sessionid={session}", "X-CSRFToken": csrf}


def cookie(headers: list[str], name: str) -> str:
    """Return the value that a cookie is set to."""
    jar: SimpleCookie = SimpleCookie()
    for header in headers:
        jar.load(header)
    return jar[name].value
