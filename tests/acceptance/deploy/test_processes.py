"""I of the catalogue: processes that die within a replica, and replicas that do not end."""

import pytest

from tests.acceptance.deploy.fault_report import FaultCase, fault_params
from tests.acceptance.deploy.live_site import LiveSite
from tests.acceptance.deploy.release_variants import append_layer
from tests.acceptance.deploy.test_bad_releases import ROLLED_BACK, STACK, STOPPED, WSGI

DIED = "exited since its server started"
NAME = "endpoint_mode: dnsrr"
LIMITED = f"{NAME}\n  resources: {{ limits: {{ memory: 512M }} }}"
LOST = 100
"""Requests that a worker may take along, until the release is taken back."""
IN_A_WORKER = "os.register_at_fork(after_in_child=lambda: late({seconds}))"
IN_THE_SERVER = "os.getppid() == 1 and late({seconds})"
HOARD = (
    "import os, threading",
    "def hoard(kept):",
    '    while True: kept.append(b"x" * 2**24)',
    "def late(seconds):",
    "    thread = threading.Timer(seconds, hoard, [[]])",
    "    thread.daemon = True",
    "    thread.start()",
)
"""It takes all memory that there is, some seconds later."""


def every(number: int) -> str:
    """Return the layer whose workers are killed at every so many requests of users."""
    return append_layer(
        WSGI,
        "import os, signal",
        "def killed(environ, start, answer=application, seen=[]):",
        '    if "HTTP_X_PREVIEW" in environ or "/health/" in environ["PATH_INFO"]:',
        "        return answer(environ, start)",
        "    seen.append(1)",
        f"    if len(seen) % {number} == 0: os.kill(os.getpid(), signal.SIGKILL)",
        "    return answer(environ, start)",
        "application = killed",
    )


@pytest.mark.fault("I1", "workers that are killed at every 60th request, under a server that lives")
def test_i1_workers_that_die_now_and_then_are_undone(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release(every(60))
    said = case.assert_caught(
        lambda: site.deploy(commit), code=ROLLED_BACK, at="rollback done", failures=LOST
    )
    assert DIED in said


WRITING = (
    "import os, signal, threading",
    "def written(environ, start, answer=application):",
    '    if environ["REQUEST_METHOD"] == "POST" and "/projects/" in environ["PATH_INFO"]:',
    "        threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGKILL]).start()",
    "    return answer(environ, start)",
    "application = written",
)


@pytest.mark.fault("I2", "workers that are killed a moment after they answered a POST")
def test_i2_workers_that_die_of_one_path_do_not_outlive_the_preview(
    site: LiveSite, case: FaultCase
) -> None:
    commit = site.variants.release(append_layer(WSGI, *WRITING))
    case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="preview failed")


@pytest.mark.fault("I3", "workers that the kernel kills at the limit of the replica's memory")
def test_i3_workers_that_take_all_memory_do_not_outlive_the_preview(
    site: LiveSite, case: FaultCase
) -> None:
    with site.with_timings(preview_soak=20), site.with_config(NAME, LIMITED, STACK):
        layer = append_layer(WSGI, *HOARD, IN_A_WORKER.format(seconds=8))
        commit = site.variants.release(layer)
        case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at=DIED)


@pytest.mark.fault("I4", "a server that the kernel kills at the limit of the replica's memory")
def test_i4_a_server_that_takes_all_memory_does_not_outlive_the_preview(
    site: LiveSite, case: FaultCase
) -> None:
    with site.with_timings(preview_soak=20), site.with_config(NAME, LIMITED, STACK):
        layer = append_layer(WSGI, *HOARD, IN_THE_SERVER.format(seconds=8))
        commit = site.variants.release(layer)
        case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="preview failed")


REPLACED = (
    "import os, signal, threading",
    "late = threading.Timer(8, os.kill, [os.getpid(), signal.SIGHUP])",
    "os.getppid() == 1 and late.start()",
)


@pytest.mark.fault("I5", "a server that replaces its workers on purpose, under users")
def test_i5_workers_that_are_replaced_on_purpose_are_no_fault(
    site: LiveSite, case: FaultCase
) -> None:
    with site.with_timings(preview_soak=20):
        commit = site.variants.release(append_layer(WSGI, *REPLACED))
        case.assert_served(lambda: site.deploy(commit), "smoke done", failures=LOST)
    assert site.rollback().returncode == 0


UNHEARD = {
    "I6": (
        "a shell that SIGTERM ends, and the server with it at once",
        "CMD python server.py; exit $?",
    ),
    "I7": (
        "a shell that keeps SIGTERM to itself, so that the server never hears it",
        "CMD trap : TERM; python server.py; exit $?",
    ),
    "I8": (
        "a server that hears SIGTERM, and takes longer to end than it is given",
        append_layer("server.py", "import time", "time.sleep(600)"),
    ),
}


@pytest.mark.parametrize("layer", fault_params(UNHEARD))
def test_i6_what_does_not_stop_well_is_found_before_the_roll(
    site: LiveSite, case: FaultCase, layer: str
) -> None:
    with site.with_timings(drain=10, stop_grace_period=15):
        commit = site.variants.release(layer)
        said = case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="stop failed")
    assert "after SIGTERM (exit code" in said
    assert "exec form" in said
