"""Health check of the container: `python healthcheck.py`.

The container engine sends traffic to healthy containers and kills unhealthy ones. At first, the
check requests readiness (database, cache, migrations): a release that cannot reach them must not go
live. Once the server was ready, the check only requests liveness: to kill all servers during a
database outage would prolong the outage. The timeout is long because an overloaded machine responds
late, and killing its servers would make it worse.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException
from pathlib import Path

ONCE_READY = Path("/dev/shm/ready")  # noqa: S108  # nosec B108  # private to the container, empty at its start
SECONDS = 10  # less than the engine's own timeout


def main() -> None:
    """Run the command line.

    Raises:
        SystemExit: The server is unhealthy.
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
    """Return the HTTP status that the server of this container responds with."""
    connection = HTTPConnection("127.0.0.1", int(os.environ.get("PORT") or 8000), timeout=SECONDS)
    allowed = os.environ.get("DJANGO_ALLOWED_HOSTS", "")
    connection.request("GET", path, headers={"Host": host(allowed)})
    return connection.getresponse().status


def host(allowed: str) -> str:
    """Return a host name that matches DJANGO_ALLOWED_HOSTS."""
    first = allowed.split(",", maxsplit=1)[0].strip()
    return "localhost" if first == "*" else first.lstrip(".")


if __name__ == "__main__":
    main()
