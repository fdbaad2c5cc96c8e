"""How the images start, stop, and refuse to start."""

import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from threading import Event

import pytest

from tests.acceptance.images.docker_cli import (
    Container,
    check_output,
    container,
    docker,
    is_healthy,
    request,
)
from tests.acceptance.images.inspect import BACKEND, FRONTEND, SINGLE_IMAGE, Image
from tests.waiting import until

DRAIN = 15  # seconds: longer than an edge goes on sending to it
STALE = 100  # requests that come to an instance that leaves
CLIENTS = 4
AT_ONCE = 20  # seconds: less than GRACE_SECONDS, after which what hangs is killed


def wait_until_it_answers(running: Container, image: Image) -> int:
    port = running.port
    until(lambda: is_healthy(port, image.probe), f"no answer: {running.logs}")
    return port


def wait_until_it_drains(running: Container) -> None:
    until(lambda: "draining" in running.logs, "it does not drain")


def test_no_request_is_lost_while_it_is_stopped(image: Image) -> None:
    stopped = Event()
    env = {**SINGLE_IMAGE, "DRAIN_SECONDS": str(DRAIN)}
    with container(image.reference, env, port=image.port) as running, ThreadPoolExecutor() as do:
        port = wait_until_it_answers(running, image)
        received = [Counter[str]() for _ in range(CLIENTS)]
        clients = [do.submit(request, port, image.probe, stopped, each) for each in received]
        until(lambda: all(received), "a client gets no answer")
        started = time.monotonic()
        stop = do.submit(docker, "stop", "--time=60", running.name)
        wait_until_it_drains(running)
        before = total(received)
        until(lambda: total(received) >= before + STALE, "it does not answer on")
        stopped.set()
        for client in clients:
            client.result()
        stop.result()
        seconds, code = time.monotonic() - started, running.state["ExitCode"]

    assert {*chain(*received)} == {"200"}, received
    assert code == 0
    assert DRAIN <= seconds < DRAIN + AT_ONCE


def total(counts: Iterable[Counter[str]]) -> int:
    return sum(each.total() for each in counts)


def test_it_takes_no_signal_for_an_error_and_a_second_one_ends_the_wait(image: Image) -> None:
    env = {**SINGLE_IMAGE, "DRAIN_SECONDS": "3600"}
    with container(image.reference, env, port=image.port) as running:
        wait_until_it_answers(running, image)
        check_output("kill", "--signal=TERM", running.name)
        wait_until_it_drains(running)
        assert running.state["Running"]
        check_output("kill", "--signal=TERM", running.name)
        assert running.wait() == 0


@pytest.mark.parametrize("seconds", [0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8])
def test_a_signal_at_any_moment_of_the_start_ends_it_at_once(image: Image, seconds: float) -> None:
    with container(image.reference, {**SINGLE_IMAGE, "DRAIN_SECONDS": "0"}) as running:
        time.sleep(seconds)  # noqa: TID251 - not a wait: any moment will do
        check_output("kill", "--signal=TERM", running.name)
        running.wait(AT_ONCE)


def test_it_writes_nowhere_and_has_no_rights(image: Image) -> None:
    with container(image.reference, SINGLE_IMAGE, port=image.port) as running:
        wait_until_it_answers(running, image)
        status = running.execute("cat", "/proc/self/status").stdout.split()
        changed = check_output("diff", running.name).split()

    assert not int(status[status.index("CapEff:") + 1], 16)
    assert not int(status[status.index("CapBnd:") + 1], 16)
    assert status[status.index("NoNewPrivs:") + 1] == "1"
    assert set(changed[1::2]) <= {"/sbin", "/usr", "/usr/sbin", "/usr/sbin/docker-init"}  # the init


def test_the_backend_names_every_variable_that_is_missing() -> None:
    with container(BACKEND.reference) as running:
        assert running.wait() == 1
        logs = running.logs
    assert logs.startswith("error: the environment is not usable: ENVIRONMENT is missing")
    assert all(f"{name} is missing" in logs for name in SINGLE_IMAGE)
    assert "\nhint: " in logs
    assert "Traceback" not in logs


def test_the_backend_is_not_well_before_its_stores_can_be_reached() -> None:
    with container(BACKEND.reference, SINGLE_IMAGE, port=BACKEND.port) as running:
        wait_until_it_answers(running, BACKEND)
        probe = running.execute(*BACKEND.config["Healthcheck"]["Test"][1:])
    assert probe.returncode == 1
    assert probe.stderr.strip() == "GET /api/v1/health/ready/ answered 503"


@pytest.mark.parametrize(
    ("env", "error"),
    [
        ({"BACKEND_UPSTREAM": "backend"}, "BACKEND_UPSTREAM is malformed"),
        ({"BACKEND_UPSTREAM": "backend:"}, "BACKEND_UPSTREAM is malformed"),
        ({"BACKEND_UPSTREAM": "backend:80; }"}, "BACKEND_UPSTREAM is malformed"),
        ({"BACKEND_UPSTREAM": "http://backend:80"}, "BACKEND_UPSTREAM is malformed"),
        ({"DRAIN_SECONDS": "soon"}, "DRAIN_SECONDS is malformed"),
    ],
)
def test_the_frontend_says_which_variable_is_malformed(env: dict[str, str], error: str) -> None:
    with container(FRONTEND.reference, env) as running:
        assert running.wait() == 1
        assert running.logs.startswith(f"error: the web server cannot start: {error}\nhint: ")


def test_the_frontend_says_that_it_has_nowhere_to_write() -> None:
    refused = docker("run", "--rm", "--read-only", FRONTEND.reference)
    assert refused.returncode == 1
    assert "error: the web server cannot start: /tmp cannot be written\nhint: " in refused.stderr
