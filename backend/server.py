"""Serve the backend as a deployment does: `python server.py`, in a container as process 1.

When it is told to stop (SIGTERM), it first answers as before for a while: who routes requests has
not yet heard that this instance leaves. Only then it takes no more connections, and finishes the
requests that it has. A second SIGTERM, or SIGINT at any time, ends the wait.

The server runs in this process and brings up its own workers: it has all that a parent of it would
need (it forwards signals, reaps, kills what hangs), so that only the wait has to be added.
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

from config.secret_files import load_secret_files

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger("server")

# The server's lines take the way of all others: to Django's handlers, in their format.
LOGGING = {"loggers": {"_granian": {"handlers": [], "propagate": True}, "granian.access": {}}}


# Names that belong to a request, whatever a variable of the process is called.
OF_REQUESTS = {
    *("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE"),
    *("CONTENT_LENGTH", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "REMOTE_ADDR"),
}


class Settings(BaseModel):
    """The variables that the launcher reads: each field's name in capitals."""

    model_config = ConfigDict(frozen=True)

    # A container has no other way in than all its addresses.
    host: Annotated[str, Field(description="address to listen on")] = "0.0.0.0"  # noqa: S104  # nosec B104
    port: Annotated[int, Field(ge=1, le=65535, description="1 to 65535")] = 8000
    workers: Annotated[int, Field(ge=1, description="worker processes, 1 or more")] = 2
    threads: Annotated[int, Field(ge=1, description="threads per worker, 1 or more")] = 4
    drain_seconds: Annotated[float, Field(ge=0, description="seconds, 0 or more")] = 5
    grace_seconds: Annotated[int, Field(ge=1, description="whole seconds, 1 or more")] = 30


def read_settings(variables: Mapping[str, str]) -> Settings:
    """Read the variables; an empty one is a missing one.

    Raises:
        ImproperlyConfigured: Names every variable that is malformed.
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
    """Serve until told to stop, and return when the last request is answered.

    Args:
        settings: Where and how.
        application: The WSGI application, as `module:name`.

    Raises:
        SystemExit: The workers crashed; the code is not 0.
    """
    signal.signal(signal.SIGTERM, leave)
    # Whatever is wrong with the app's settings is said here once, not by each worker for ever.
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
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # all is done; how it ended is not to change


def load(application: str) -> "WSGIApplication":
    """Import `module:name`, and keep the process's variables out of its requests.

    The server puts them there as CGI did: a request that is reported whole, as Django and others
    do after an error, would carry the secrets of the deployment.
    """
    module, _, name = application.partition(":")
    called: WSGIApplication = getattr(import_module(module), name)
    own = {key: value for key, value in os.environ.items() if key not in OF_REQUESTS}

    def bare(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = {key: value for key, value in environ.items() if own.get(key) != value}
        return called(request, start_response)

    return bare


def leave(*_: object) -> NoReturn:
    """Leave before there is anything to drain: process 1 would otherwise ignore the signal."""
    raise SystemExit(0)


def drain_on_sigterm(seconds: float) -> None:
    """Let SIGTERM become SIGINT after a while; SIGINT is how the server stops in good order."""

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
