"""Serve the backend in deployments: `python server.py`, process 1 of the container.

After SIGTERM the server drains: it serves new requests for some seconds more, because load
balancers need time to stop routing to this instance. Then it closes its listening socket and
finishes the open requests. A second SIGTERM, or SIGINT at any time, ends the wait.

Granian runs in this process and manages its workers: it forwards signals, reaps processes and kills
hanging workers. This module only adds the drain.
"""

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, NoReturn

from django.core.exceptions import ImproperlyConfigured
from granian import Granian
from granian.constants import Interfaces
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from apps.telemetry.metrics import WORKER_DEATHS
from config.secret_files import load_secret_files

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger("server")


class Deaths(logging.Handler):
    """Count the workers that ended unexpectedly.

    Granian reports them in its log only; it logs no such line for a worker that it replaces itself.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Count a log record about a death."""
        if record.getMessage().startswith("Unexpected exit from worker"):
            WORKER_DEATHS.inc()


# Granian's log records go to Django's handlers, in the same format as all others.
LOGGING = {
    "handlers": {"deaths": {"()": Deaths}},
    "loggers": {"_granian": {"handlers": ["deaths"], "propagate": True}, "granian.access": {}},
}


# Names of the WSGI environ that stay, even if an environment variable has the same name.
OF_REQUESTS = {
    *("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE"),
    *("CONTENT_LENGTH", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "REMOTE_ADDR"),
}


class Settings(BaseModel):
    """The environment variables of this launcher: the field names in upper case."""

    model_config = ConfigDict(frozen=True)

    # Requests from outside a container reach it only on its external addresses.
    host: Annotated[str, Field(description="address to listen on")] = "0.0.0.0"  # noqa: S104  # nosec B104
    port: Annotated[int, Field(ge=1, le=65535, description="1 to 65535")] = 8000
    workers: Annotated[int, Field(ge=1, description="worker processes, 1 or more")] = 2
    threads: Annotated[int, Field(ge=1, description="threads per worker, 1 or more")] = 4
    drain_seconds: Annotated[float, Field(ge=0, description="seconds, 0 or more")] = 5
    grace_seconds: Annotated[int, Field(ge=1, description="whole seconds, 1 or more")] = 30


def read_settings(variables: Mapping[str, str]) -> Settings:
    """Read the environment variables. Empty variables count as missing.

    Raises:
        ImproperlyConfigured: Variables are malformed; the error names all of them.
    """
    fields = Settings.model_fields
    given = {name: value for name in fields if (value := variables.get(name.upper()))}
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        names = [str(problem["loc"][0]) for problem in error.errors()]
        wrong = "; ".join(
            f"{name.upper()} is malformed (expected: {fields[name].description})" for name in names
        )
        raise ImproperlyConfigured(
            f"the server cannot start: {wrong}\nhint: correct or unset these variables"
        ) from None


def serve(settings: Settings, application: str = "config.wsgi:application") -> None:
    """Serve until a signal stops the server, and return after the last request.

    Args:
        settings: Address, workers and timeouts.
        application: The WSGI application, as `module:name`.

    Raises:
        SystemExit: The workers crashed; the code is not 0.
    """
    signal.signal(signal.SIGTERM, leave)
    # Report invalid settings once, before workers start and fail repeatedly.
    load(application)
    server = Granian(
        application,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        blocking_threads=settings.threads,
        workers_kill_timeout=settings.grace_seconds,
        respawn_failed_workers=True,
        websockets=False,
        log_dictconfig=LOGGING,
    )
    server.on_startup(lambda: drain_on_sigterm(settings.drain_seconds))
    server.serve(target_loader=load)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a late signal must not change the exit code


def load(application: str) -> "WSGIApplication":
    """Import `module:name`, and remove environment variables from its WSGI environ.

    Granian copies them there, as CGI did. An error report with the whole environ, as Django makes
    it, would hold the secrets of the deployment.
    """
    module, _, name = application.partition(":")
    called: WSGIApplication = getattr(import_module(module), name)
    own = {key: value for key, value in os.environ.items() if key not in OF_REQUESTS}

    def bare(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = {key: value for key, value in environ.items() if own.get(key) != value}
        return called(request, start_response)

    return bare


def leave(*_: object) -> NoReturn:
    """Exit on SIGTERM before the server runs: process 1 would otherwise ignore the signal."""
    raise SystemExit(0)


def drain_on_sigterm(seconds: float) -> None:
    """On SIGTERM, send SIGINT to this process after a delay; Granian shuts down on SIGINT."""

    def drain(*_: object) -> None:
        logger.info("draining: still serving requests for %g s", seconds)
        signal.signal(signal.SIGTERM, stop)
        timer = threading.Timer(seconds, stop)
        timer.daemon = True
        timer.start()

    def stop(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    signal.signal(signal.SIGTERM, drain)


def main() -> None:
    """Run the command line."""
    load_secret_files()
    try:
        serve(read_settings(os.environ))
    except ImproperlyConfigured as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
