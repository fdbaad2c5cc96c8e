"""Somebody who asks a site over HTTP: the only place of a smoke test that does."""

import json
import socket
import ssl
import time
from collections.abc import Mapping
from http.client import HTTPException, HTTPResponse
from http.cookiejar import CookieJar
from urllib.error import HTTPError, URLError
from urllib.request import (
    HTTPCookieProcessor,
    HTTPRedirectHandler,
    HTTPSHandler,
    Request,
    build_opener,
)

from pipeline.deadline import within
from pipeline.deploy.smoke.scenario import Answer, Step
from pipeline.errors import CheckFailedError

CSRF_COOKIE, CSRF_HEADER = "csrftoken", "X-CSRFToken"
LARGEST = 32 * 1024 * 1024
PAUSES = (0.5, 1.0)
"""In seconds, before a connection that did not come about is tried again."""


class NoRedirect(HTTPRedirectHandler):
    """A redirect is an answer like any other, and not the one that is expected."""

    def redirect_request(self, *_: object) -> None:
        """Follow nothing."""


class Visitor:
    """Keeps cookies as a browser does, and the time."""

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        each: float,
        altogether: float,
        certificate: str = "",
    ) -> None:
        self.url = url
        self.each = each
        self.end = time.monotonic() + altogether
        self.cookies = CookieJar()
        trust = HTTPSHandler(context=trusting(certificate))
        self.opener = build_opener(HTTPCookieProcessor(self.cookies), NoRedirect, trust)
        # Django compares these with the host, to refuse forged requests.
        self.headers = {"Origin": url, "Referer": f"{url}/", **headers}

    def perform(self, step: Step) -> Answer:
        """Make a step, and print how long it took.

        Raises:
            CheckFailedError: The answer is not what it must be, or there is none.
        """
        started, hint = time.monotonic(), step.hint
        try:
            answer = self.ask_again(step, self.deadline(step))
            finding = step.finding(answer)
        except (OSError, HTTPException) as error:
            finding, hint = f"got no answer: {reason(error)}", way_to(error)
        seconds = time.monotonic() - started
        print(f"{step.name:9}{seconds:7.2f} s  {step.method} {step.path}", flush=True)
        if finding:
            sentence = f"{step.name}: {step.method} {step.path} {finding}"
            raise CheckFailedError(sentence, hint=hint)
        return answer

    def deadline(self, step: Step) -> float:
        """Return when a step must be over; one that cleans up has its time in any case."""
        own = time.monotonic() + self.each
        return own if step.cleans_up else min(own, self.end)

    def ask_again(self, step: Step, deadline: float) -> Answer:
        """Ask, and again if no connection came about: that tells of the way, not of the site."""
        for pause in PAUSES:
            try:
                return self.ask(step, deadline)
            except URLError as error:
                if isinstance(error.reason, TimeoutError):
                    raise
                print(f"{step.name:9} no connection: {reason(error)}; trying again", flush=True)
                time.sleep(pause)
        return self.ask(step, deadline)

    def ask(self, step: Step, deadline: float) -> Answer:
        """Send a request; read the answer, whatever its status."""
        body = None if step.body is None else json.dumps(step.body).encode()
        headers = {**self.headers, **self.csrf(), **step.headers}
        if body:
            headers["Content-Type"] = "application/json"
        request = Request(self.url + step.path, body, headers, method=step.method)  # noqa: S310  # the command line admits http and https only
        try:
            seconds = remaining(deadline)
            response = within(seconds, lambda: self.opener.open(request, timeout=2 * seconds))
        except HTTPError as error:
            response = error
        with response:
            return Answer(
                response.status, response.headers.get_content_type(), read(response, deadline)
            )

    def csrf(self) -> dict[str, str]:
        """Return the header that repeats the cookie, as the frontend sends it."""
        found = [cookie.value or "" for cookie in self.cookies if cookie.name == CSRF_COOKIE]
        return {CSRF_HEADER: found[0]} if found else {}


def trusting(certificate: str) -> ssl.SSLContext:
    """Trust the usual authorities, and a certificate besides, as PEM, if one is given."""
    context = ssl.create_default_context()
    context.hostname_checks_common_name = False  # no browser looks there
    if certificate:
        context.load_verify_locations(cadata=certificate)
    return context


def read(response: HTTPResponse | HTTPError, deadline: float) -> bytes:
    """Read a body, unless it comes too slowly or does not end.

    Raises:
        TimeoutError: It is not here in time.
        HTTPException: It is too large.
    """
    body = b""
    while chunk := response.read1(65536):
        remaining(deadline)
        body += chunk
        if len(body) > LARGEST:
            raise HTTPException(f"more than {LARGEST} bytes")
    return body


def remaining(deadline: float) -> float:
    """Return the seconds that are left.

    Raises:
        TimeoutError: There are none.
    """
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("the time is over")
    return seconds


def reason(error: Exception) -> str:
    """Return what went wrong, which urllib wraps."""
    return str(error.reason if isinstance(error, URLError) else error) or type(error).__name__


def way_to(error: Exception) -> str:
    """Return where to look after a request that got no answer: no log of the app has it."""
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, ssl.SSLError):
        return "invoke doctor judges the certificate; invoke renew brings another one"
    if isinstance(cause, socket.gaierror):
        return "does the name of the site lead to its edge? correct the DNS, or `url`"
    if isinstance(cause, TimeoutError):
        return "invoke status; invoke logs: it takes too long, or a firewall is between"
    return "invoke status; docker service ls: does the edge run, and is its port open?"
