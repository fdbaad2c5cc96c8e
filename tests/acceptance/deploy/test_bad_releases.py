"""C of the catalogue: faults of a release that runs."""

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from pipeline.process import CommandResult
from pipeline.rehearsal.workspace import CAUTIOUS_TIMINGS, FAST_TIMINGS, START_SECONDS
from pipeline.services import free_port
from tests.acceptance.deploy.fault_report import FaultCase, fault_params
from tests.acceptance.deploy.live_site import ENV, LiveSite, send_signal_after
from tests.acceptance.deploy.release_variants import append_layer, docker
from tests.waiting import until

STOPPED, ROLLED_BACK, BROKEN_WAY_BACK, INTERRUPTED = 6, 8, 9, 130
STACK = "deploy/stack.yml"
WSGI = "config/wsgi.py"
SICK = 'HEALTHCHECK --interval=1s --start-period=1s --retries=2 CMD ["false"]'
BROKEN = (
    "def broken(environ, start, answer=application):",
    '    if "/health/" in environ["PATH_INFO"]: return answer(environ, start)',
    '    start("500 Internal Server Error", []); return [b""]',
    "application = broken",
)
UNSEEN = {
    "C1": ("it exits at boot", 'CMD ["python", "-c", "raise SystemExit(3)"]'),
    "C4": ("it never becomes healthy", SICK),
    "C5": ("it is healthy, and the API answers 500", append_layer(WSGI, *BROKEN)),
    "C7": ("it listens on another port", "ENV PORT=9999"),
    "C9": ("it has no health check", "HEALTHCHECK NONE"),
}


@pytest.mark.parametrize("layer", fault_params(UNSEEN))
def test_c1_broken_release_stops_in_preview(site: LiveSite, case: FaultCase, layer: str) -> None:
    commit = site.variants.release(layer)
    case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="preview failed")
    assert site.history()[-1][4].startswith("stopped")


def leaves(seconds: int) -> str:
    """Return a layer whose server exits after some seconds."""
    return append_layer(
        WSGI,
        "import os, signal, threading",
        f"late = threading.Timer({seconds}, os.kill, [os.getpid(), signal.SIGTERM])",
        "os.getppid() == 1 and late.start()",
    )


USERS_END_IT = append_layer(
    WSGI,
    "import contextlib, os, signal, threading",
    "def leaving(environ, start, answer=application):",
    '    if "HTTP_X_PREVIEW" not in environ and "/health/" not in environ["PATH_INFO"]:',
    "        with contextlib.suppress(FileExistsError):",
    '            os.mkdir("/tmp/left")',
    "            threading.Timer(6, os.kill, [os.getppid(), signal.SIGTERM]).start()",
    "    return answer(environ, start)",
    "application = leaving",
)
"""A layer whose server exits some seconds after the first request of a user."""


@pytest.mark.fault("C2", "it exits after twenty seconds, during a preview of thirty")
def test_c2_late_exit_stops_in_preview(site: LiveSite, case: FaultCase) -> None:
    with site.with_timings(preview_soak=30):
        commit = site.variants.release(leaves(20))
        case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="preview failed")


@pytest.mark.fault("C2b", "it exits under the traffic of users")
def test_c2b_exit_under_traffic_rolls_back(site: LiveSite, case: FaultCase) -> None:
    """The first new replica is watched alone for longer than the fault takes to appear."""
    with site.with_config(FAST_TIMINGS, CAUTIOUS_TIMINGS):
        commit = site.variants.release(USERS_END_IT)
        case.assert_caught(lambda: site.deploy(commit), code=ROLLED_BACK, at="rollback done")
    assert site.history()[-1][4].startswith("rolled back")


USERS_ONLY = (
    "def partly(environ, start, answer=application, seen=[]):",
    '    if "HTTP_X_PREVIEW" in environ or "/version/" not in environ["PATH_INFO"]:',
    "        return answer(environ, start)",
    "    seen.append(1)",
    "    if len(seen) % 2: return answer(environ, start)",
    '    start("500 Internal Server Error", []); return [b""]',
    "application = partly",
)


@pytest.mark.fault("C5b", "half of the requests of users fail, and no request of the deploy")
def test_c5b_errors_of_users_only_roll_back(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release(append_layer(WSGI, *USERS_ONLY))
    at = "failed since the roll began"
    case.assert_caught(lambda: site.deploy(commit), code=ROLLED_BACK, at=at, failures=10_000)
    with site.under_traffic_without_failures() as samples:
        until(lambda: len(samples) > 100)


@pytest.mark.fault("C8", "a good release that takes 25 seconds to start")
def test_c8_slow_start_deploys(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release(append_layer(WSGI, "import time", "time.sleep(25)"))
    case.assert_served(lambda: site.deploy(commit), "smoke done")
    assert site.rollback().returncode == 0


@pytest.mark.fault("C10", "a service that fits on no node")
def test_c10_unschedulable_service_times_out(site: LiveSite, case: FaultCase) -> None:
    no_node = "endpoint_mode: dnsrr\n  placement: { constraints: [node.labels.is == missing] }"
    short_timeout = site.with_config(f"start_timeout = {START_SECONDS}", "start_timeout = 10")
    with short_timeout, site.with_config("endpoint_mode: dnsrr", no_node, "deploy/stack.yml"):
        commit = site.variants.release("LABEL unschedulable=1")
        case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="failed")


@pytest.mark.fault("C12", "a database that only the new release cannot reach")
def test_c12_self_check_finds_unreachable_database(site: LiveSite, case: FaultCase) -> None:
    elsewhere = {"DATABASE_URL": "postgres://postgres:x@database.invalid:5432/postgres"}
    commit = site.variants.release("LABEL unreachable=1")
    at = "self-check failed"
    case.assert_caught(lambda: site.deploy(commit, **elsewhere), code=STOPPED, at=at)


@pytest.mark.fault("C13", "Ctrl-C during the roll")
def test_c13_ctrl_c_rolls_back(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL interrupted=1")
    act = partial(site.deploy_with_event, commit, "roll backend", send_signal_after(signal.SIGINT))
    case.assert_caught(act, code=INTERRUPTED, at="rollback done")
    assert site.history()[-1][4].startswith("interrupted")


@pytest.mark.fault("C17", "a rollback by another client during the bake")
def test_c17_rollback_by_another_client_is_found(site: LiveSite, case: FaultCase) -> None:
    back = ("service", "rollback", "--detach", "--quiet", site.service("backend"))
    with site.with_timings(bake=20):
        commit = site.variants.release("LABEL undone_by_others=1")
        act = partial(site.deploy_with_event, commit, "bake", lambda _: docker(*back))
        case.assert_caught(act, code=ROLLED_BACK, at="rollback done")


@pytest.mark.fault("C16", "a failed rollback: image and registry are missing")
def test_c16_failed_rollback_is_reported(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL one_way=1")
    (before,) = set(site.containers("backend").values())

    def interrupt(process: subprocess.Popen[str]) -> None:
        docker("stop", f"{site.sandbox.name}-registry")
        docker("image", "rm", "--force", before)
        process.send_signal(signal.SIGINT)

    def act() -> CommandResult:
        output = site.deploy_with_event(commit, "bake", interrupt)
        docker("start", f"{site.sandbox.name}-registry")
        site.sandbox.invoke_ok("rollback", *ENV, f"--to=sha-{site.first[:12]}")
        return output

    case.assert_served(act, "the rollback failed", codes={BROKEN_WAY_BACK})


@pytest.mark.fault("C22", "a slow registry, for an image that the node lacks")
def test_c22_slow_registry_deploys(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL slow_registry=1")
    with slow_registry(site, commit, 10) as slow:
        case.assert_served(
            partial(site.deploy_with_event, commit, "foundation", slow), "smoke done"
        )
    assert site.rollback().returncode == 0


@pytest.mark.fault("C22b", "a hanging registry, for an image that the node lacks")
def test_c22b_hanging_registry_stops(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL hanging_registry=1")
    with slow_registry(site, commit, 40) as slow:
        act = partial(site.deploy_with_event, commit, "foundation", slow)
        case.assert_caught(act, code=STOPPED, at="No such image")


@contextmanager
def slow_registry(site: LiveSite, commit: str, seconds: int) -> Iterator[Callable[[object], None]]:
    """Yield a function that deletes an image here and pauses the registry for some seconds."""
    registry = f"{site.sandbox.name}-registry"
    over = threading.Timer(seconds, docker, ("unpause", registry))

    def slow(_: object) -> None:
        tag = f"{site.sandbox.variables['IMAGES_REGISTRY']}/backend:sha-{commit[:12]}"
        docker("image", "rm", "--force", tag, "local/backend:linux-amd64")
        docker("pause", registry)
        over.start()

    yield slow
    over.join()


@pytest.mark.fault("C24", "replicas that need a port of their node, next to the old ones")
def test_c24_port_conflict_rolls_back(site: LiveSite, case: FaultCase) -> None:
    port = f"{{ target: 8000, published: {free_port()}, mode: host }}"
    with (
        site.with_config(f"start_timeout = {START_SECONDS}", "start_timeout = 10"),
        site.with_config("  backend:\n", f"  backend:\n    ports: [{port}]\n", STACK),
    ):
        commit = site.variants.release("LABEL port=1")
        case.assert_caught(lambda: site.deploy(commit), code=ROLLED_BACK, at="rollback done")
