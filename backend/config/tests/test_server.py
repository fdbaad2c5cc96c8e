"""The launcher with the real server, in its own processes: start, serve, drain, stop."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from tempfile import gettempdir
from unittest.mock import Mock
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from django.core.exceptions import ImproperlyConfigured

import server
from config.tests.waiting import TIMEOUT_SECONDS, wait_until

pytestmark = pytest.mark.server

BACKEND = Path(__file__).resolve().parents[2]
ROOT = BACKEND.parent
Process = subprocess.Popen[bytes]
Start = Callable[..., Process]


def environment(**variables: str) -> dict[str, str]:
    """Return the environment of a container: settings, and no writable folders."""
    no_home = {"HOME": "/missing", "TMPDIR": "/missing", "PYTHONPATH": f"{BACKEND}:{ROOT}"}
    test = {"DJANGO_SETTINGS_MODULE": "config.settings.test", "HOST": "127.0.0.1"}
    return {**os.environ, **no_home, **test, **variables}


def answer(port: int, path: str = "/api/v1/health/") -> int:
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=TIMEOUT_SECONDS) as response:  # nosec B310
        status: int = response.status
        return status


def answers(process: Process, port: int) -> bool:
    assert process.poll() is None, "the server exited at the start"
    try:
        return bool(answer(port))
    except URLError:
        return False


def wait_until_it_answers(process: Process, port: int) -> None:
    wait_until(lambda: answers(process, port), "the server does not respond")


def stop(process: Process) -> None:
    """Stop the server and its workers; SIGKILL would leave the workers running."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.wait(TIMEOUT_SECONDS)


@pytest.fixture
def port() -> int:
    """Return a port reserved for this test: the server cannot choose one itself."""
    ask = "from pipeline.services import free_port; print(free_port())"
    command = [sys.executable, "-c", ask]
    return int(subprocess.check_output(command, env=environment()))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return the file for the server's log."""
    return tmp_path / "log"


@pytest.fixture
def start(port: int, log: Path) -> Iterator[Start]:
    """Start the server of `config.tests.slow`, and wait until it responds."""
    with ExitStack() as stack:

        def start(**variables: str) -> Process:
            env = environment(PORT=str(port), **variables)
            command = [sys.executable, "-m", "config.tests.slow"]
            lines = stack.enter_context(log.open("w"))
            process = subprocess.Popen(command, cwd=BACKEND, env=env, stderr=lines)
            stack.enter_context(process)
            stack.callback(stop, process)
            wait_until_it_answers(process, port)
            return process

        yield start


def run(module: str, *arguments: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=5 * TIMEOUT_SECONDS,
    )


def workers_of(process: Process) -> list[int]:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return [int(child) for child in children.split()]


def wait_until_it_drains(log: Path) -> None:
    wait_until(lambda: "draining" in log.read_text(), "the server does not drain")


def test_sigterm_drains(start: Start, port: int, log: Path) -> None:
    process = start(DRAIN_SECONDS="10")
    process.terminate()
    wait_until_it_drains(log)
    assert answer(port) == HTTPStatus.OK
    assert process.wait(TIMEOUT_SECONDS) == 0


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_second_signal_ends_drain(start: Start, log: Path, second: signal.Signals) -> None:
    process = start(DRAIN_SECONDS="3600")
    process.terminate()
    wait_until_it_drains(log)  # two equal pending signals count as one
    process.send_signal(second)
    assert process.wait(TIMEOUT_SECONDS) == 0


def test_sigint_skips_drain(start: Start) -> None:
    process = start(DRAIN_SECONDS="3600")
    process.send_signal(signal.SIGINT)
    assert process.wait(TIMEOUT_SECONDS) == 0


def test_repeated_signals(start: Start) -> None:
    process = start(DRAIN_SECONDS="0")

    def has_ended() -> bool:
        process.terminate()
        return process.poll() is not None

    wait_until(has_ended, "the server does not stop")
    assert process.returncode == 0


@pytest.fixture
def slow(start: Start, port: int, tmp_path: Path) -> Iterator[tuple[Process, Future[int]]]:
    """Start the server, send it a slow request, then SIGTERM."""
    process = start(DRAIN_SECONDS="0", GRACE_SECONDS="5")
    with ThreadPoolExecutor() as pool:
        request = pool.submit(answer, port, f"/api/v1/health/?wait={tmp_path}")
        wait_until((tmp_path / "requested").exists, "the request does not arrive")
        process.terminate()
        yield process, request


def test_open_request_is_finished(
    slow: tuple[Process, Future[int]], log: Path, tmp_path: Path
) -> None:
    process, request = slow
    wait_until(lambda: "Shutting down" in log.read_text(), "the server does not stop")
    (tmp_path / "answer").touch()
    assert request.result(TIMEOUT_SECONDS) == HTTPStatus.OK
    assert process.wait(TIMEOUT_SECONDS) == 0


def test_hanging_request_is_killed(slow: tuple[Process, Future[int]]) -> None:
    process, request = slow
    assert process.wait(TIMEOUT_SECONDS) is not None
    assert isinstance(request.exception(TIMEOUT_SECONDS), OSError)


def test_workers_end_with_server(start: Start) -> None:
    process = start(DRAIN_SECONDS="0", WORKERS="2")
    workers = workers_of(process)
    assert len(workers) == 2
    process.terminate()
    process.wait(TIMEOUT_SECONDS)
    assert not [worker for worker in workers if Path(f"/proc/{worker}").exists()]


def test_dead_worker_is_replaced(start: Start, port: int) -> None:
    process = start(DRAIN_SECONDS="0", WORKERS="1")
    (worker,) = workers_of(process)
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: workers_of(process) not in ([], [worker]), "the worker is not replaced")
    wait_until_it_answers(process, port)
    assert worker not in workers_of(process)


def replace_on_purpose(process: Process) -> None:
    process.send_signal(signal.SIGHUP)


def kill_worker(process: Process) -> None:
    os.kill(workers_of(process)[0], signal.SIGKILL)


def stop_worker(process: Process) -> None:
    os.kill(workers_of(process)[0], signal.SIGTERM)


@pytest.mark.parametrize(
    ("end", "died"), [(kill_worker, 1), (stop_worker, 1), (replace_on_purpose, 0)]
)
def test_dead_workers_are_counted(
    start: Start, port: int, tmp_path: Path, end: Callable[[Process], None], died: int
) -> None:
    process = start(DRAIN_SECONDS="0", WORKERS="1", PROMETHEUS_MULTIPROC_DIR=str(tmp_path))
    (worker,) = workers_of(process)
    end(process)
    wait_until(lambda: workers_of(process) not in ([], [worker]), "it is not replaced")
    wait_until(lambda: worker not in workers_of(process), "it does not end")
    wait_until_it_answers(process, port)
    with urlopen(
        f"http://127.0.0.1:{port}/api/v1/health/workers/", timeout=TIMEOUT_SECONDS
    ) as response:  # nosec B310
        answer = json.load(response)
    assert (answer["died"], answer["replica"]) == (died, socket.gethostname())


def test_phases_are_logged(start: Start, log: Path) -> None:
    process = start(DRAIN_SECONDS="0")
    process.terminate()
    process.wait(TIMEOUT_SECONDS)
    output = log.read_text()
    phases = ["Starting", "Listening at", "draining", "Shutting down", "shutdown completed"]
    places = [output.find(phase) for phase in phases]
    assert -1 not in places
    assert places == sorted(places)


def test_environ_holds_no_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REDIS_URL", "swordfish")
    monkeypatch.setenv("SERVER_PORT", "8000")
    called = Mock(return_value=[])
    monkeypatch.setattr("config.wsgi.application", called)
    application = server.load("config.wsgi:application")
    application({**os.environ, "SERVER_PORT": "8000", "HTTP_HOST": "localhost"}, Mock())
    seen = called.call_args.args[0]
    assert seen == {"SERVER_PORT": "8000", "HTTP_HOST": "localhost"}


def test_signal_before_start() -> None:
    with pytest.raises(SystemExit) as caught:
        server.leave()
    assert caught.value.code == 0


def test_invalid_environment() -> None:
    production = environment(DJANGO_SETTINGS_MODULE="config.settings.production", PORT="0")
    result = run("server", env={**production, "PORT": "8000", "DJANGO_SECRET_KEY": ""})
    assert result.returncode == 1
    assert result.stderr.count("DJANGO_SECRET_KEY is missing") == 1
    assert "Traceback" not in result.stderr


def test_malformed_variables() -> None:
    result = run("server", env=environment(PORT="http", WORKERS="0", DRAIN_SECONDS="-1"))
    assert result.returncode == 1
    assert result.stderr.startswith("error: the server cannot start: PORT is malformed")
    assert "WORKERS is malformed" in result.stderr
    assert "DRAIN_SECONDS is malformed" in result.stderr
    assert "\nhint: " in result.stderr
    assert "Traceback" not in result.stderr


def test_default_settings() -> None:
    settings = server.read_settings({"PORT": "", "WORKERS": "3"})
    assert settings == server.Settings(workers=3)
    assert settings.drain_seconds == 5


@pytest.mark.parametrize("value", ["0", "65536", "http"])
def test_invalid_port(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="PORT is malformed"):
        server.read_settings({"PORT": value})


def test_rollout_loses_no_request() -> None:
    env = environment(TMPDIR=gettempdir())  # for the database of the benchmark
    result = run("benchmarks.drain", "--restarts=2", "--drain=3", env=env)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count(" 0 lost") == 2


def test_rollout_without_drain() -> None:
    env = environment(TMPDIR=gettempdir())  # as above
    result = run("benchmarks.drain", "--restarts=1", "--drain=0", env=env)
    assert result.returncode == 1, result.stderr
    assert "ConnectionRefusedError" in result.stdout


def test_smoke_test(tmp_path: Path, port: int, start: Start) -> None:
    env = environment(
        DATABASE_URL=f"sqlite:///{tmp_path}/site.sqlite3",
        SMOKE_USER_EMAIL="smoke@example.com",
        SMOKE_USER_PASSWORD="correct-horse-battery-staple",
    )
    for command in ("migrate", "ensure_user"):
        subprocess.run([sys.executable, "manage.py", command], cwd=BACKEND, env=env, check=True)
    start(DATABASE_URL=env["DATABASE_URL"], DRAIN_SECONDS="0")
    url = f"http://127.0.0.1:{port}"
    result = run("pipeline.deploy.smoke.runner", url, "--without=page", "--release=test", env=env)
    assert result.returncode == 0, result.stderr
