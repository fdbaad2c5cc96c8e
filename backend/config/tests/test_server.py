"""The launcher with the real server, in processes of their own: it starts, serves, and leaves."""

import os
import signal
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
from config.tests.waiting import SOON, until

pytestmark = pytest.mark.server

BACKEND = Path(__file__).resolve().parents[2]
ROOT = BACKEND.parent
Process = subprocess.Popen[bytes]
Start = Callable[..., Process]


def environment(**variables: str) -> dict[str, str]:
    """What a container gives it: settings, and nowhere to write."""
    nowhere = {"HOME": "/nowhere", "TMPDIR": "/nowhere", "PYTHONPATH": f"{BACKEND}:{ROOT}"}
    test = {"DJANGO_SETTINGS_MODULE": "config.settings.test", "HOST": "127.0.0.1"}
    return {**os.environ, **nowhere, **test, **variables}


def answer(port: int, path: str = "/api/v1/health/") -> int:
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=SOON) as response:  # nosec B310
        status: int = response.status
        return status


def answers(process: Process, port: int) -> bool:
    assert process.poll() is None, "it ended at the start"
    try:
        return bool(answer(port))
    except URLError:
        return False


def wait_until_it_answers(process: Process, port: int) -> None:
    until(lambda: answers(process, port), "it does not answer")


def stop(process: Process) -> None:
    """End it so that it takes its workers along, which a SIGKILL would leave behind."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.wait(SOON)


@pytest.fixture
def port() -> int:
    """Return a port that nothing else gets meanwhile: the server can be given no other."""
    ask = "from pipeline.services import free_port; print(free_port())"
    command = [sys.executable, "-c", ask]
    return int(subprocess.check_output(command, env=environment()))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return the file that the server writes its lines to."""
    return tmp_path / "log"


@pytest.fixture
def start(port: int, log: Path) -> Iterator[Start]:
    """Start the server with answers that wait, and wait until it answers."""
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
        command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=5 * SOON
    )


def workers_of(process: Process) -> list[int]:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return [int(child) for child in children.split()]


def wait_until_it_drains(log: Path) -> None:
    until(lambda: "draining" in log.read_text(), "it does not drain")


def test_after_sigterm_it_answers_on_for_a_while_and_then_ends_in_good_order(
    start: Start, port: int, log: Path
) -> None:
    process = start(DRAIN_SECONDS="10")
    process.terminate()
    wait_until_it_drains(log)
    assert answer(port) == HTTPStatus.OK
    assert process.wait(SOON) == 0


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_the_wait(start: Start, log: Path, second: signal.Signals) -> None:
    process = start(DRAIN_SECONDS="3600")
    process.terminate()
    wait_until_it_drains(log)  # two equal signals at once are one
    process.send_signal(second)
    assert process.wait(SOON) == 0


def test_sigint_is_not_waited_for(start: Start) -> None:
    process = start(DRAIN_SECONDS="3600")
    process.send_signal(signal.SIGINT)
    assert process.wait(SOON) == 0


def test_more_signals_than_it_needs_do_no_harm(start: Start) -> None:
    process = start(DRAIN_SECONDS="0")

    def has_ended() -> bool:
        process.terminate()
        return process.poll() is not None

    until(has_ended, "it does not end")
    assert process.returncode == 0


@pytest.fixture
def slow(start: Start, port: int, tmp_path: Path) -> Iterator[tuple[Process, Future[int]]]:
    """Start the server, and have it at work on a request."""
    process = start(DRAIN_SECONDS="0", GRACE_SECONDS="5")
    with ThreadPoolExecutor() as pool:
        request = pool.submit(answer, port, f"/api/v1/health/?wait={tmp_path}")
        until((tmp_path / "asked").exists, "the request does not arrive")
        process.terminate()
        yield process, request


def test_a_request_under_way_is_finished(
    slow: tuple[Process, Future[int]], log: Path, tmp_path: Path
) -> None:
    process, request = slow
    until(lambda: "Shutting down" in log.read_text(), "it does not stop")
    (tmp_path / "answer").touch()
    assert request.result(SOON) == HTTPStatus.OK
    assert process.wait(SOON) == 0


def test_a_request_that_does_not_end_does_not_keep_it(slow: tuple[Process, Future[int]]) -> None:
    process, request = slow
    assert process.wait(SOON) is not None
    assert isinstance(request.exception(SOON), OSError)


def test_its_workers_end_with_it(start: Start) -> None:
    process = start(DRAIN_SECONDS="0", WORKERS="2")
    workers = workers_of(process)
    assert len(workers) == 2
    process.terminate()
    process.wait(SOON)
    assert not [worker for worker in workers if Path(f"/proc/{worker}").exists()]


def test_a_worker_that_dies_is_replaced(start: Start, port: int) -> None:
    process = start(DRAIN_SECONDS="0", WORKERS="1")
    (worker,) = workers_of(process)
    os.kill(worker, signal.SIGKILL)
    until(lambda: workers_of(process) not in ([], [worker]), "it is not replaced")
    wait_until_it_answers(process, port)
    assert worker not in workers_of(process)


def test_each_phase_is_told(start: Start, log: Path) -> None:
    process = start(DRAIN_SECONDS="0")
    process.terminate()
    process.wait(SOON)
    said = log.read_text()
    phases = ["Starting", "Listening at", "draining", "Shutting down", "shutdown completed"]
    places = [said.find(phase) for phase in phases]
    assert -1 not in places
    assert places == sorted(places)


def test_a_request_does_not_carry_the_variables_of_the_process(
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


def test_a_signal_before_it_serves_ends_it_in_good_order() -> None:
    with pytest.raises(SystemExit) as caught:
        server.leave()
    assert caught.value.code == 0


def test_an_environment_that_is_not_usable_is_told_once() -> None:
    production = environment(DJANGO_SETTINGS_MODULE="config.settings.production", PORT="0")
    result = run("server", env={**production, "PORT": "8000", "DJANGO_SECRET_KEY": ""})
    assert result.returncode == 1
    assert result.stderr.count("DJANGO_SECRET_KEY is missing") == 1
    assert "Traceback" not in result.stderr


def test_malformed_variables_are_told_all_at_once() -> None:
    result = run("server", env=environment(PORT="http", WORKERS="0", DRAIN_SECONDS="-1"))
    assert result.returncode == 1
    assert result.stderr.startswith("error: the server cannot start: PORT is malformed")
    assert "WORKERS is malformed" in result.stderr
    assert "DRAIN_SECONDS is malformed" in result.stderr
    assert "\nhint: " in result.stderr
    assert "Traceback" not in result.stderr


def test_it_has_a_default_for_everything_and_an_empty_variable_is_a_missing_one() -> None:
    settings = server.read_settings({"PORT": "", "WORKERS": "3"})
    assert settings == server.Settings(workers=3)
    assert settings.drain_seconds == 5


@pytest.mark.parametrize("value", ["0", "65536", "http"])
def test_a_port_is_a_number_that_can_be_one(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="PORT is malformed"):
        server.read_settings({"PORT": value})


def test_a_rollout_under_load_loses_no_request() -> None:
    env = environment(TMPDIR=gettempdir())  # for the load's own database
    result = run("benchmarks.drain", "--restarts=2", "--drain=3", env=env)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count(" 0 lost") == 2


def test_without_the_drain_it_would_lose_some() -> None:
    env = environment(TMPDIR=gettempdir())  # as above
    result = run("benchmarks.drain", "--restarts=1", "--drain=0", env=env)
    assert result.returncode == 1, result.stderr
    assert "ConnectionRefusedError" in result.stdout


def test_the_smoke_test_walks_through_it(tmp_path: Path, port: int, start: Start) -> None:
    env = environment(
        DATABASE_URL=f"sqlite:///{tmp_path}/site.sqlite3",
        SMOKE_USER_EMAIL="smoke@example.com",
        SMOKE_USER_PASSWORD="correct-horse-battery-staple",
    )
    for command in ("migrate", "ensure_user"):
        subprocess.run([sys.executable, "manage.py", command], cwd=BACKEND, env=env, check=True)
    start(DATABASE_URL=env["DATABASE_URL"], DRAIN_SECONDS="0")
    url = f"http://127.0.0.1:{port}"
    result = run("pipeline.deploy.smoke", url, "--without=page", "--release=test", env=env)
    assert result.returncode == 0, result.stderr
