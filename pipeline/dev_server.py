"""Start the whole app for a person to click through: backend, frontend, somebody to sign in as.

python -m pipeline.dev_server   on SQLite; BACKEND_PORT says where the backend listens
"""

import os
import socket
import sys
from pathlib import Path

from pipeline.errors import CheckFailedError, InputError, handle_errors
from pipeline.process import background_process, run

BACKEND = Path("backend")
NODE = ["python", "-m", "pipeline.node"]
DEV_USER = {"SMOKE_USER_EMAIL": "user@example.com", "SMOKE_USER_PASSWORD": "only-for-development"}


def main(node: str) -> int:
    """Seed the database, start both servers, and return the frontend's exit code.

    Args:
        node: The major version of Node to run the frontend on.

    Raises:
        InputError: The backend's port is taken.
        CheckFailedError: The database could not be made ready.
    """
    port = os.environ.get("BACKEND_PORT", "8000")
    require_free_port(port)
    for command in ("migrate", "ensure_user"):
        if run(["python", "manage.py", command], cwd=BACKEND, env=DEV_USER):
            raise CheckFailedError(
                "the database is not ready, for the reason above",
                hint="to start from nothing: remove backend/db.sqlite3",
            )
    print(
        f"sign in as {DEV_USER['SMOKE_USER_EMAIL']} with {DEV_USER['SMOKE_USER_PASSWORD']}",
        flush=True,
    )
    serve = ["python", "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
    with background_process(serve, cwd=BACKEND):
        return run([*NODE, node, "npm", "run", "dev"], env={"BACKEND_PORT": port})


def require_free_port(port: str) -> None:
    """Refuse a port that something else listens on.

    Args:
        port: A TCP port of 127.0.0.1.

    Raises:
        InputError: The port is taken, or no port.
    """
    hint = "choose another: BACKEND_PORT=8001 nox -s dev"
    if not port.isdigit():
        raise InputError(f"BACKEND_PORT is no port: `{port}`", hint=hint)
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", int(port))) == 0:
            raise InputError(f"port {port} (BACKEND_PORT) is in use", hint=hint)


if __name__ == "__main__":
    with handle_errors():
        sys.exit(main(sys.argv[1]))
