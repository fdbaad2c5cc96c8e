"""Tell the container engine how the server in this container is: `python healthcheck.py`.

An engine sends traffic to what is healthy, and kills what is not. So the first question is whether
the server is ready (database, cache, migrations): a release that cannot reach them must never take
over. Once it was ready, the question is only whether it answers: to kill every server because the
database is away would make a short outage a long one. A machine at its limit answers late: to kill
its servers for that would leave it with fewer.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException
from pathlib import Path

ONCE_READY = Path("/dev/shm/ready")  # noqa: S108  # nosec B108  # the container's own; empty at its start
SECONDS = 10  # less than the engine waits


def main() -> None:
    """Run the command line.

    Raises:
        SystemExit: The server is not well.
    """
    path = "/api/v1/health/" if ONCE_READY.exists() else "/api/v1/health/ready/"
    try:
        status = ask(path)
    except (OSError, HTTPException) as error:
        sys.exit(f"GET {path} got no answer: {error}")
    if status != 200:  # noqa: PLR2004
        sys.exit(f"GET {path} answered {status}")
    ONCE_READY.touch()


def ask(path: str) -> int:
    """Return the status of the answer that this container's server gives."""
    connection = HTTPConnection("127.0.0.1", int(os.environ.get("PORT") or 8000), timeout=SECONDS)
    allowed = os.environ.get("DJANGO_ALLOWED_HOSTS", "")
    connection.request("GET", path, headers={"Host": host(allowed)})
    return connection.getresponse().status


def host(allowed: str) -> str:
    """Return a host that the server answers to, given those that it allows."""
    first = allowed.split(",", maxsplit=1)[0].strip()
    return "localhost" if first == "*" else first.lstrip(".")


if __name__ == "__main__":
    main()
