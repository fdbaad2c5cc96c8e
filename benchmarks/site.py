"""A throw-away site: a database, a user who is logged in, and servers of the backend on it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
BACKEND = ROOT / "backend"
READY = "/api/v1/health/ready/"
STARTS_WITHIN, STOPS_WITHIN = 60, 90

LOGIN = """
from django.contrib.auth import get_user_model
from django.test import Client
client = Client()
client.force_login(get_user_model().objects.create_user(email="load@example.com"))
print(client.cookies["sessionid"].value)
"""


@contextmanager
def site() -> Iterator[dict[str, str]]:
    """Prepare a database, SQLite's if DATABASE_URL names no other, and hand out its variables."""
    with TemporaryDirectory(prefix="benchmark-") as folder:
        env = {
            "DATABASE_URL": f"sqlite:///{folder}/site.sqlite3",
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings.test",
            "PYTHONPATH": f"{BACKEND}:{ROOT}",
        }
        manage(env, "migrate", "--verbosity=0")
        yield env


def login(env: Mapping[str, str]) -> str:
    """Create the user and return the key of their session."""
    return manage(env, "shell", "--verbosity=0", "-c", LOGIN).split()[-1]


def manage(env: Mapping[str, str], *arguments: str) -> str:
    """Run a management command and return what it printed."""
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, cwd=BACKEND, env=env, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


@contextmanager
def running(
    command: Sequence[str], port: int, env: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a server, wait until it is ready, and stop it."""
    with subprocess.Popen(command, cwd=BACKEND, env=env, start_new_session=True) as process:
        try:
            wait_until_ready(process, port)
            yield process
        finally:
            process.send_signal(signal.SIGINT)  # at once: no client sends to it any more
            end(process)


def wait_until_ready(process: subprocess.Popen[bytes], port: int) -> None:
    """Return as soon as the server is ready for traffic.

    Raises:
        RuntimeError: It ended, or did not become ready in time.
    """
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        if status(port, READY) == HTTPStatus.OK:
            return
        time.sleep(0.05)
    raise RuntimeError(f"no server on port {port}: exit code {process.poll()}")


def end(process: subprocess.Popen[bytes]) -> int:
    """Wait for a server that is stopping; if it does not, kill it and its workers."""
    try:
        return process.wait(STOPS_WITHIN)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.wait()


def status(port: int, path: str, timeout: float = 30) -> int | str:
    """Ask once, on a connection of its own; return the status, or the name of what went wrong."""
    connection = HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        answer = connection.getresponse()
        answer.read()
    except (OSError, HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()
    return answer.status
