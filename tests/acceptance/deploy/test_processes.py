"""I of the catalogue: processes that exit inside a replica, and replicas that do not stop."""

import pytest

from tests.acceptance.deploy.fault_report import FaultCase, fault_params
from tests.acceptance.deploy.live_site import LiveSite
from tests.acceptance.deploy.release_variants import append_layer
from tests.acceptance.deploy.test_bad_releases import ROLLED_BACK, STACK, STOPPED, WSGI

WORKER_DEATH = "exited since its server started"
NAME = "endpoint_mode: dnsrr"
LIMITED = f"{NAME}\n  resources: {{ limits: {{ memory: 512M }} }}"
LOST = 100
"""Allowed requests that are lost with killed workers until the rollback."""
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
"""Python that allocates all memory, some seconds later."""


def every(number: int) -> str:
    """Return a layer whose workers are killed at every n-th request of users."""
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


@pytest.mark.fault("I1", "workers killed at every 60th request, under a server that stays up")
def test_i1_killed_workers_roll_back(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release(every(60))
    stderr = case.assert_caught(
        lambda: site.deploy(commit), code=ROLLED_BACK, at="rollback done", failures=LOST
    )
    assert WORKER_DEATH in stderr


WRITING = (
    "import os, signal, threading",
    "def written(environ, start, answer=application):",
    '    if environ["REQUEST_METHOD"] == "POST" and "/projects/" in environ["PATH_INFO"]:',
    "        threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGKILL]).start()",
    "    return answer(environ, start)",
    "application = written",
)


@pytest.mark.fault("I2", "workers killed right after they answered a POST")
def test_i2_killed_workers_stop_in_preview(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release(append_layer(WSGI, *WRITING))
    case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="preview failed")


@pytest.mark.fault("I3", "workers killed by the kernel at the memory limit of the replica")
def test_i3_worker_memory_limit_stops(site: LiveSite, case: FaultCase) -> None:
    with site.with_timings(preview_soak=20), site.with_config(NAME, LIMITED, STACK):
        layer = append_layer(WSGI, *HOARD, IN_A_WORKER.format(seconds=8))
        commit = site.variants.release(layer)
        case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at=WORKER_DEATH)


@pytest.mark.fault("I4", "a server killed by the kernel at the memory limit of the replica")
def test_i4_server_memory_limit_stops(site: LiveSite, case: FaultCase) -> None:
    with site.with_timings(preview_soak=20), site.with_config(NAME, LIMITED, STACK):
        layer = append_layer(WSGI, *HOARD, IN_THE_SERVER.format(seconds=8))
        commit = site.variants.release(layer)
        case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="preview failed")


REPLACED = (
    "import os, signal, threading",
    "late = threading.Timer(8, os.kill, [os.getpid(), signal.SIGHUP])",
    "os.getppid() == 1 and late.start()",
)


@pytest.mark.fault("I5", "a server that recycles its workers under traffic")
def test_i5_recycled_workers_deploy(site: LiveSite, case: FaultCase) -> None:
    with site.with_timings(preview_soak=20):
        commit = site.variants.release(append_layer(WSGI, *REPLACED))
        case.assert_served(lambda: site.deploy(commit), "smoke done", failures=LOST)
    assert site.rollback().returncode == 0


UNHEARD = {
    "I6": (
        "a shell that exits on SIGTERM, and the server with it",
        "CMD python server.py; exit $?",
    ),
    "I7": (
        "a shell that swallows SIGTERM, so that the server never receives it",
        "CMD trap : TERM; python server.py; exit $?",
    ),
    "I8": (
        "a server that needs more than its grace period to stop",
        append_layer("server.py", "import time", "time.sleep(600)"),
    ),
}


@pytest.mark.parametrize("layer", fault_params(UNHEARD))
def test_i6_bad_shutdown_stops(site: LiveSite, case: FaultCase, layer: str) -> None:
    with site.with_timings(drain=10, stop_grace_period=15):
        commit = site.variants.release(layer)
        stderr = case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="stop failed")
    assert "after SIGTERM (exit code" in stderr
    assert "exec form" in stderr
