import logging
import re
import time
import uuid
from collections.abc import Callable

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bind_contextvars, clear_contextvars

from apps.telemetry.metrics import observe

logger = logging.getLogger(__name__)

WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")


class TelemetryMiddleware:
    """Give each request an id, log it and measure it. Must be the first, to see every response."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle the request, and return its id in the header X-Request-ID."""
        start = time.perf_counter()
        identifier = request_id(request)
        clear_contextvars()  # not at the end: Django logs errors after the middleware
        bind_contextvars(request_id=identifier)
        response = self.get_response(request)
        report(request, response, seconds=time.perf_counter() - start)
        response["X-Request-ID"] = identifier
        return response


def request_id(request: HttpRequest) -> str:
    """Return the id that a proxy gave the request, or a new one."""
    given = request.headers.get("X-Request-ID", "")
    return given if WELL_FORMED.fullmatch(given) else uuid.uuid4().hex


def report(request: HttpRequest, response: HttpResponse, *, seconds: float) -> None:
    """Log and measure a finished request."""
    method, status = str(request.method), response.status_code
    route = request.resolver_match.route if request.resolver_match else "none"
    observe(method=method, route=route, status=status, seconds=seconds)
    fields = {
        "user_id": user_id(request),
        "method": method,
        "path": request.path,
        "route": route,
        "status": status,
        "duration_ms": round(seconds * 1000, 1),
    }
    logger.info("request answered", extra=fields)


def user_id(request: HttpRequest) -> str | None:
    """Return the id of the user, if the request has loaded the session: logging runs no query."""
    session = getattr(request, "session", None)
    if session is None or not session.accessed:
        return None
    identifier: str | None = session.get(SESSION_KEY)
    return identifier
