"""Start the app for development: the API, the page and a user to log in as.

python -m pipeline.dev_server   uses SQLite; BACKEND_PORT sets the port of the API
"""

import os
import shlex
import socket
import sys
from pathlib import Path

from pipeline.config import load
from pipeline.errors import CheckFailedError, InputError, handle_errors
from pipeline.process import background_process, run

_MANAGE = ["python", "manage.py"]
_NODE = ["python", "-m", "pipeline.node"]
_DEV_USER = {"SMOKE_USER_EMAIL": "user@example.com", "SMOKE_USER_PASSWORD": "only-for-development"}


def main(node: str) -> int:
    """Migrate the database, create a user, start both servers, and return the exit code.

    Args:
        node: The major version of Node for the page.

    Raises:
        InputError: The port of the API is taken.
        CheckFailedError: A command on the database failed.
    """
    port = os.environ.get("BACKEND_PORT", "8000")
    require_free_port(port)
    backend, app = Path(load().layout.backend), load().app
    for command in ("migrate", app.commands.create_smoke_user):
        if run([*_MANAGE, *shlex.split(command)], cwd=backend, env=_DEV_USER):
            raise CheckFailedError(
                "a command on the database failed, see its output above",
                hint=f"to start from nothing: remove {backend}/db.sqlite3",
            )
    print(
        f"sign in as {_DEV_USER['SMOKE_USER_EMAIL']} with {_DEV_USER['SMOKE_USER_PASSWORD']}",
        flush=True,
    )
    serve = [*_MANAGE, "runserver", "--noreload", f"127.0.0.1:{port}"]
    with background_process(serve, cwd=backend):
        return run([*_NODE, node, "npm", "run", "dev"], env={"BACKEND_PORT": port})


def require_free_port(port: str) -> None:
    """Check that nothing listens on a port.

    Args:
        port: A TCP port of 127.0.0.1.

    Raises:
        InputError: The port is taken, or is not a number.
    """
    hint = "choose another: BACKEND_PORT=8001 nox -s dev"
    if not port.isdigit():
        raise InputError(f"BACKEND_PORT is not a port: `{port}`", hint=hint)
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", int(port))) == 0:
            raise InputError(f"port {port} (BACKEND_PORT) is in use", hint=hint)


if __name__ == "__main__":
    with handle_errors():
        sys.exit(main(sys.argv[1]))
