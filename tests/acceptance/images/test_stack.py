"""The whole app from its images, as Compose starts it on a laptop."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import chain
from threading import Event

import pytest

from pipeline.process import CommandResult, capture
from pipeline.services import free_port
from tests.acceptance.images.docker_cli import (
    RUN,
    Container,
    Reply,
    check_output,
    inspect,
    is_healthy,
    request,
)
from tests.acceptance.images.inspect import BACKEND, FRONTEND
from tests.conftest import ROOT
from tests.waiting import SOON, until

PORTS = ("FRONTEND_PORT", "POSTGRES_PORT", "REDIS_PORT", "MAIL_PORT", "MAIL_UI_PORT")
OURS = ("backend", "frontend")
USER = {"email": "smoke@example.com", "password": f"correct-horse-{RUN}"}
PROJECT = f"images-{RUN}"
Compose = Callable[..., CommandResult]


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """Free ports."""
    return {name: str(free_port()) for name in PORTS}


@pytest.fixture(scope="module")
def compose(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Compose:
    """Run a command of Compose on a stack of the test's own, with the images under test."""
    images = {"backend": BACKEND, "migrate": BACKEND, "frontend": FRONTEND}
    override = tmp_path_factory.mktemp("compose") / "override.json"
    services = {name: {"image": image.reference} for name, image in images.items()}
    override.write_text(json.dumps({"services": services}))
    files = [f"--file={ROOT / 'docker-compose.yml'}", f"--file={override}"]

    def run(*arguments: str) -> CommandResult:
        command = ["docker", "compose", f"--project-name={PROJECT}", *files, *arguments]
        return capture(command, env=environment)

    return run


@pytest.fixture(scope="module")
def healthy(compose: Compose) -> Iterator[dict[str, float]]:
    """Start everything from nothing; return after how many seconds each server of ours was well."""
    try:
        result = compose("up", "--detach", "--no-build", "--wait", f"--wait-timeout={2 * SOON}")
        assert result.returncode == 0, result.stderr + compose("logs").stdout
        yield {service: seconds_to_health(of(service)) for service in OURS}
    finally:
        compose("down", "--volumes", "--timeout=1")


def seconds_to_health(server: Container) -> float:
    """Read early: the engine keeps only the last probes."""
    state = server.state
    well = next(probe["End"] for probe in state["Health"]["Log"] if probe["ExitCode"] == 0)
    started = datetime.fromisoformat(state["StartedAt"])
    return (datetime.fromisoformat(well) - started).total_seconds()


@pytest.fixture(scope="module")
def site(healthy: dict[str, float], environment: dict[str, str]) -> int:  # noqa: ARG001
    """Return the port of the site, once everything runs."""
    return int(environment["FRONTEND_PORT"])


@pytest.fixture(scope="module")
def user(site: int, compose: Compose) -> dict[str, str]:  # noqa: ARG001
    """A user who may log in."""
    variables = [f"--env=SMOKE_USER_{name.upper()}={value}" for name, value in USER.items()]
    result = compose("exec", *variables, "backend", "python", "manage.py", "ensure_user")
    assert result.returncode == 0, result.stderr
    return USER


def of(service: str) -> Container:
    return Container(f"{PROJECT}-{service}-1")


def test_it_is_healthy_soon(healthy: dict[str, float], capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(
            *(
                f"\n{name}: healthy {seconds:.1f} s after its start"
                for name, seconds in healthy.items()
            )
        )
    assert max(healthy.values()) < SOON


@pytest.mark.parametrize("service", OURS)
def test_it_runs_without_rights_and_with_an_init(site: int, service: str) -> None:  # noqa: ARG001
    host = inspect("container", of(service).name)["HostConfig"]
    assert host["ReadonlyRootfs"]
    assert host["Init"]
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert not host["Privileged"]


def test_only_this_machine_can_reach_it(site: int) -> None:  # noqa: ARG001
    names = check_output(
        "ps", f"--filter=label=com.docker.compose.project={PROJECT}", "--quiet"
    ).split()
    ports = [inspect("container", name)["NetworkSettings"]["Ports"].values() for name in names]
    bound = [binding["HostIp"] for port in ports for bindings in port for binding in bindings or []]
    assert len(bound) == len(PORTS)
    assert set(bound) == {"127.0.0.1"}


def test_a_user_can_walk_through_it(site: int, user: dict[str, str]) -> None:
    env = {f"SMOKE_USER_{name.upper()}": value for name, value in user.items()}
    command = [sys.executable, "-m", "pipeline.deploy.smoke.runner", f"http://127.0.0.1:{site}"]
    result = capture([*command, "--release", BACKEND.release], cwd=ROOT, env=env)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_browser_can_walk_through_it(site: int, user: dict[str, str]) -> None:
    env = {f"E2E_USER_{name.upper()}": value for name, value in user.items()}
    env |= {"PLAYWRIGHT_BASE_URL": f"http://127.0.0.1:{site}", "PIPELINE_STRICT": "1"}
    command = [sys.executable, str(ROOT / "dev"), "nox", "--session=e2e-smoke"]
    result = capture(command, cwd=ROOT, env=env)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_backends_own_headers_are_there_once(site: int) -> None:
    for path in ("/api/v1/version/", "/admin/login/"):
        reply = Reply(site, path)
        assert reply.status == 200
        (policy,) = reply.values("Content-Security-Policy")
        assert "font-src 'self'" in policy  # the backend's, not ours
        assert reply.values("X-Content-Type-Options") == ["nosniff"]
        assert len(reply.values("Cache-Control")) <= 1


def test_a_request_keeps_its_id_on_the_whole_way(site: int) -> None:
    identifier = f"request-{RUN}"
    reply = Reply(site, "/api/v1/version/", **{"X-Request-ID": identifier})
    assert reply.values("X-Request-ID") == [identifier]
    for service in OURS:
        until(lambda: identifier in of(service).logs, "not logged")  # noqa: B023


def test_the_static_files_of_the_admin_are_served(site: int) -> None:
    page = Reply(site, "/admin/login/").body.decode()
    path = page.split('href="/static/', 1)[1].split('"', 1)[0]
    reply = Reply(site, f"/static/{path}")
    assert (reply.status, reply.headers.get_content_type()) == (200, "text/css")
    assert "immutable" in reply.values("Cache-Control")[0]


def test_a_store_that_goes_away_takes_no_server_with_it(site: int) -> None:
    # a pause can hang with a probe that begins
    check_output("kill", "--signal=STOP", of("redis").name)
    try:
        until(lambda: is_healthy(site, "/api/v1/health/ready/", 503), "still ready")
        probe = of("backend").execute(*BACKEND.config["Healthcheck"]["Test"][1:])
        assert probe.returncode == 0, probe.stderr
    finally:
        check_output("kill", "--signal=CONT", of("redis").name)
        until(lambda: of("redis").state["Health"]["Status"] == "healthy", "redis is not back")
    until(lambda: is_healthy(site, "/api/v1/health/ready/"), "not ready again")


def test_a_backend_comes_and_goes_without_a_lost_request(site: int, compose: Compose) -> None:
    stopped, second = Event(), Container(f"{PROJECT}-backend-2")
    up = ("up", "--detach", "--no-build", "--no-recreate")
    with ThreadPoolExecutor() as pool:
        received = [Counter[str]() for _ in range(4)]
        clients = [
            pool.submit(request, site, "/api/v1/version/", stopped, each) for each in received
        ]
        try:
            scaled = compose(*up, "--wait", "--scale=backend=2")
            assert scaled.returncode == 0, scaled.stderr
            until(lambda: "/api/v1/version/" in second.logs, "the second one is not found")
            check_output("stop", "--time=30", second.name)
            code = second.state["ExitCode"]
        finally:
            stopped.set()
            compose(*up, "--scale=backend=1")
    for client in clients:
        client.result()
    assert code == 0
    assert {*chain(*received)} == {"200"}, received
