"""The HTTP client of the smoke test, with cookies, deadlines and retries."""

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

from pipeline.deadline import call_with_deadline
from pipeline.deploy.smoke.steps import Response, SmokeStep
from pipeline.errors import CheckFailedError

_CSRF_COOKIE, _CSRF_HEADER = "csrftoken", "X-CSRFToken"
_MAX_BODY_BYTES = 32 * 1024 * 1024
_RETRY_DELAYS = (0.5, 1.0)
"""Seconds before another try to connect."""


class _NoRedirect(HTTPRedirectHandler):
    """Returns a redirect as the answer, instead of following it."""

    def redirect_request(self, *_: object) -> None:
        """Do not follow."""


class SmokeClient:
    """Sends the steps of a smoke test, with the cookies of a browser and a time limit."""

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
        trust = HTTPSHandler(context=ssl_context(certificate))
        self.opener = build_opener(HTTPCookieProcessor(self.cookies), _NoRedirect, trust)
        # Django compares these with the host as a protection against CSRF.
        self.headers = {"Origin": url, "Referer": f"{url}/", **headers}

    def run_step(self, step: SmokeStep) -> Response:
        """Send a step, print its time, and check the answer.

        Raises:
            CheckFailedError: The answer is wrong, or there is none.
        """
        started, hint = time.monotonic(), step.hint
        try:
            answer = self.send_with_retry(step, self.deadline(step))
            finding = step.validate(answer)
        except (OSError, HTTPException) as error:
            finding, hint = f"got no answer: {_error_reason(error)}", _hint_for(error)
        seconds = time.monotonic() - started
        print(f"{step.name:9}{seconds:7.2f} s  {step.method} {step.path}", flush=True)
        if finding:
            sentence = f"{step.name}: {step.method} {step.path} {finding}"
            raise CheckFailedError(sentence, hint=hint)
        return answer

    def deadline(self, step: SmokeStep) -> float:
        """Return the deadline of a step; a cleanup step ignores the total time limit."""
        own = time.monotonic() + self.each
        return own if step.cleans_up else min(own, self.end)

    def send_with_retry(self, step: SmokeStep, deadline: float) -> Response:
        """Send a request; retry without a connection, because that is no fault of the release."""
        for pause in _RETRY_DELAYS:
            try:
                return self.send(step, deadline)
            except URLError as error:
                if isinstance(error.reason, TimeoutError):
                    raise
                print(
                    f"{step.name:9} no connection: {_error_reason(error)}; trying again", flush=True
                )
                time.sleep(pause)
        return self.send(step, deadline)

    def send(self, step: SmokeStep, deadline: float) -> Response:
        """Send a request, and read the answer of any status."""
        body = None if step.body is None else json.dumps(step.body).encode()
        headers = {**self.headers, **self.csrf_header(), **step.headers}
        if body:
            headers["Content-Type"] = "application/json"
        request = Request(self.url + step.path, body, headers, method=step.method)  # noqa: S310  # the command line admits http and https only
        try:
            seconds = _time_left(deadline)
            response = call_with_deadline(
                seconds, lambda: self.opener.open(request, timeout=2 * seconds)
            )
        except HTTPError as error:
            response = error
        with response:
            return Response(
                response.status, response.headers.get_content_type(), _read_body(response, deadline)
            )

    def csrf_header(self) -> dict[str, str]:
        """Return the header with the value of the CSRF cookie, as the page sends it."""
        found = [cookie.value or "" for cookie in self.cookies if cookie.name == _CSRF_COOKIE]
        return {_CSRF_HEADER: found[0]} if found else {}


def ssl_context(certificate: str) -> ssl.SSLContext:
    """Return a context that trusts the usual authorities and optionally a certificate, as PEM."""
    context = ssl.create_default_context()
    context.hostname_checks_common_name = False  # like browsers, which read only subjectAltName
    if certificate:
        context.load_verify_locations(cadata=certificate)
    return context


def _read_body(response: HTTPResponse | HTTPError, deadline: float) -> bytes:
    """Read a body before the deadline and up to a maximum size.

    Raises:
        TimeoutError: The deadline is over.
        HTTPException: The body is too large.
    """
    body = b""
    while chunk := response.read1(65536):
        _time_left(deadline)
        body += chunk
        if len(body) > _MAX_BODY_BYTES:
            raise HTTPException(f"more than {_MAX_BODY_BYTES} bytes")
    return body


def _time_left(deadline: float) -> float:
    """Return the seconds until the deadline.

    Raises:
        TimeoutError: The deadline is over.
    """
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("the time is over")
    return seconds


def _error_reason(error: Exception) -> str:
    """Return the reason of an error that urllib wraps."""
    return str(error.reason if isinstance(error, URLError) else error) or type(error).__name__


def _hint_for(error: Exception) -> str:
    """Return the hint for a request without an answer, which no log of the app contains."""
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, ssl.SSLError):
        return "invoke doctor checks the certificate; invoke renew-edge replaces it"
    if isinstance(cause, socket.gaierror):
        return "check that the host name resolves to the edge: fix the DNS, or `url`"
    if isinstance(cause, TimeoutError):
        return "invoke status; invoke logs: the app is slow, or a firewall blocks the port"
    return "invoke status; docker service ls: does the edge run, and is its port open?"
