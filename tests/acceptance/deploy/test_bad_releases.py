"""C of the catalogue: what a release does wrong once it runs."""

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
    "C4": ("it never gets healthy", SICK),
    "C5": ("it is healthy, and the API answers 500", append_layer(WSGI, *BROKEN)),
    "C7": ("it listens at another port", "ENV PORT=9999"),
    "C9": ("it has no health check", "HEALTHCHECK NONE"),
}


@pytest.mark.parametrize("layer", fault_params(UNSEEN))
def test_c1_what_cannot_serve_is_found_where_only_we_can_reach_it(
    site: LiveSite, case: FaultCase, layer: str
) -> None:
    commit = site.variants.release(layer)
    case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="preview failed")
    assert site.history()[-1][4].startswith("stopped")


def leaves(seconds: int) -> str:
    """Return the layer whose server ends by itself after a while."""
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
"""The layer whose server ends some seconds after the first user has come."""


@pytest.mark.fault("C2", "it dies after twenty seconds; the preview is watched for thirty")
def test_c2_what_dies_late_does_not_outlive_the_preview(site: LiveSite, case: FaultCase) -> None:
    with site.with_timings(preview_soak=30):
        commit = site.variants.release(leaves(20))
        case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="preview failed")


@pytest.mark.fault("C2b", "it dies when users are on it")
def test_c2b_what_dies_under_users_is_undone_as_a_whole(site: LiveSite, case: FaultCase) -> None:
    """The first new replica is watched alone for longer than the fault needs to show."""
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


@pytest.mark.fault("C5b", "half of what users ask for fails, and nothing that we ask for")
def test_c5b_errors_that_nobody_but_users_can_see_are_undone(
    site: LiveSite, case: FaultCase
) -> None:
    commit = site.variants.release(append_layer(WSGI, *USERS_ONLY))
    at = "requests of users failed since the roll began"
    case.assert_caught(lambda: site.deploy(commit), code=ROLLED_BACK, at=at, failures=10_000)
    with site.under_traffic_without_failures() as samples:
        until(lambda: len(samples) > 100)


@pytest.mark.fault("C8", "a good release that takes 25 seconds to start")
def test_c8_a_slow_start_is_no_fault(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release(append_layer(WSGI, "import time", "time.sleep(25)"))
    case.assert_served(lambda: site.deploy(commit), "smoke done")
    assert site.rollback().returncode == 0


@pytest.mark.fault("C10", "a service that fits on no node")
def test_c10_what_fits_nowhere_is_given_up_in_time(site: LiveSite, case: FaultCase) -> None:
    nowhere = "endpoint_mode: dnsrr\n  placement: { constraints: [node.labels.is == nowhere] }"
    impatient = site.with_config(f"start_timeout = {START_SECONDS}", "start_timeout = 10")
    with impatient, site.with_config("endpoint_mode: dnsrr", nowhere, "deploy/stack.yml"):
        commit = site.variants.release("LABEL nowhere=1")
        case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="failed")


@pytest.mark.fault("C12", "a database that only the new release cannot reach")
def test_c12_a_database_out_of_reach_is_found_by_the_self_check(
    site: LiveSite, case: FaultCase
) -> None:
    elsewhere = {"DATABASE_URL": "postgres://postgres:x@nowhere.invalid:5432/postgres"}
    commit = site.variants.release("LABEL unreachable=1")
    at = "self-check failed"
    case.assert_caught(lambda: site.deploy(commit, **elsewhere), code=STOPPED, at=at)


@pytest.mark.fault("C13", "Ctrl-C in the middle of the roll")
def test_c13_ctrl_c_in_the_middle_puts_the_old_release_back(
    site: LiveSite, case: FaultCase
) -> None:
    commit = site.variants.release("LABEL interrupted=1")
    act = partial(site.deploy_with_event, commit, "roll backend", send_signal_after(signal.SIGINT))
    case.assert_caught(act, code=INTERRUPTED, at="rollback done")
    assert site.history()[-1][4].startswith("interrupted")


@pytest.mark.fault("C17", "somebody else goes back while the release is watched")
def test_c17_what_the_engine_put_back_is_not_taken_for_the_new_one(
    site: LiveSite, case: FaultCase
) -> None:
    back = ("service", "rollback", "--detach", "--quiet", site.service("backend"))
    with site.with_timings(bake=20):
        commit = site.variants.release("LABEL undone_by_others=1")
        act = partial(site.deploy_with_event, commit, "bake", lambda _: docker(*back))
        case.assert_caught(act, code=ROLLED_BACK, at="rollback done")


@pytest.mark.fault("C16", "going back fails: the image before is gone, and so is the registry")
def test_c16_who_cannot_go_back_says_so_and_serves_on(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL one_way=1")
    (before,) = set(site.containers("backend").values())

    def break_off(process: subprocess.Popen[str]) -> None:
        docker("stop", f"{site.yard.name}-registry")
        docker("image", "rm", "--force", before)
        process.send_signal(signal.SIGINT)

    def act() -> CommandResult:
        output = site.deploy_with_event(commit, "bake", break_off)
        docker("start", f"{site.yard.name}-registry")
        site.yard.invoke_ok("rollback", *ENV, f"--to=sha-{site.first[:12]}")
        return output

    case.assert_served(act, "the rollback failed", codes={BROKEN_WAY_BACK})


@pytest.mark.fault("C22", "a registry that answers late, for an image that is not here yet")
def test_c22_a_slow_registry_costs_time_and_nothing_else(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL slow_registry=1")
    with slow_registry(site, commit, 10) as slow:
        case.assert_served(
            partial(site.deploy_with_event, commit, "foundation", slow), "smoke done"
        )
    assert site.rollback().returncode == 0


@pytest.mark.fault("C22b", "a registry that hangs, for an image that is not here yet")
def test_c22b_an_image_that_does_not_come_touches_nothing(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL hanging_registry=1")
    with slow_registry(site, commit, 40) as slow:
        act = partial(site.deploy_with_event, commit, "foundation", slow)
        case.assert_caught(act, code=STOPPED, at="No such image")


@contextmanager
def slow_registry(site: LiveSite, commit: str, seconds: int) -> Iterator[Callable[[object], None]]:
    """Yield what takes an image from here, and lets the registry say nothing for a while."""
    registry = f"{site.yard.name}-registry"
    over = threading.Timer(seconds, docker, ("unpause", registry))

    def slow(_: object) -> None:
        tag = f"{site.yard.variables['IMAGES_REGISTRY']}/backend:sha-{commit[:12]}"
        docker("image", "rm", "--force", tag, "local/backend:linux-amd64")
        docker("pause", registry)
        over.start()

    yield slow
    over.join()


@pytest.mark.fault("C24", "replicas that want a port of their node, beside those that have it")
def test_c24_a_port_that_is_taken_is_given_up_in_time(site: LiveSite, case: FaultCase) -> None:
    port = f"{{ target: 8000, published: {free_port()}, mode: host }}"
    with (
        site.with_config(f"start_timeout = {START_SECONDS}", "start_timeout = 10"),
        site.with_config("  backend:\n", f"  backend:\n    ports: [{port}]\n", STACK),
    ):
        commit = site.variants.release("LABEL port=1")
        case.assert_caught(lambda: site.deploy(commit), code=ROLLED_BACK, at="rollback done")
