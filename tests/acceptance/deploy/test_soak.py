"""Twenty good releases in a row: no request fails, and each step is timed.

`nox -s deploy-soak -- --nodes=3 --hogs=2` runs them on three engines, with two processes that keep
the processors busy. The table is written to reports/rollouts.txt.
"""

import re
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import pytest

from tests.acceptance.deploy.live_site import ENV, LiveSite
from tests.acceptance.deploy.release_variants import docker

ENOUGH = 5_000  # requests per release
CLIENTS = {"get": 1, "page": 1, "post": 6, "slow": 1}
PAUSE_SECONDS = 0.05  # so that each release gets enough requests
DONE = re.compile(r"^\S+  (?P<step>[\w -]+) done in (?P<seconds>[\d.]+) s$", re.MULTILINE)
REPORT = Path("reports", "rollouts.txt")

Steps = Mapping[str, Sequence[float]]


def test_good_rollouts_lose_no_request(
    site: LiveSite, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    rollouts, busy = map(request.config.getoption, ("--rollouts", "--hogs"))
    releases = [site.variants.release(f"LABEL rollout={number}") for number in range(rollouts)]
    steps = defaultdict[str, list[float]](list)
    with hogs(busy), site.under_traffic_without_failures(CLIENTS, PAUSE_SECONDS) as samples:
        for commit in releases:
            began = time.monotonic()
            output = site.deploy(commit)
            assert output.returncode == 0, output.stderr
            steps["all of it"].append(time.monotonic() - began)
            for step, seconds in DONE.findall(output.stderr):
                steps[step].append(float(seconds))
            with capsys.disabled():
                done = f"{len(steps['all of it'])} of {rollouts}"
                print(f"{done}, {len(samples)} requests", flush=True)
    assert len(samples) >= ENOUGH * rollouts
    assert sum(sample.kind == "post" for sample in samples) > len(samples) / 2
    with hogs(busy), site.under_traffic(CLIENTS, PAUSE_SECONDS):  # the same load for both
        bare = bare_rollout(site)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text("\n".join(table(steps, bare, len(samples))) + "\n")
    assert site.deploy(site.first).returncode == 0


@contextmanager
def hogs(number: int) -> Iterator[None]:
    """Run processes that keep the processors busy inside the block."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(number)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def bare_rollout(site: LiveSite) -> float:
    """Run `docker stack deploy`; return the seconds until every service has converged."""
    commit = site.variants.release("LABEL rollout=bare")
    document = site.sandbox.invoke_ok("deploy", *ENV, f"--release={commit}", "--dry-run").stdout
    site.sandbox.invoke_ok(
        "deploy", *ENV, f"--release={commit}"
    )  # pulled, as in every other rollout
    began = time.monotonic()
    alone = ("stack", "deploy", "--compose-file=-", "--resolve-image=never", "--detach=false")
    docker(*alone, site.sandbox.stack("staging"), stdin=document, **site.sandbox.engines[0])
    return time.monotonic() - began


def table(steps: Steps, bare: float, requests: int) -> Iterator[str]:
    """Yield the table of step times, with those of `docker stack deploy`."""
    rollouts = len(steps["all of it"])
    yield f"{rollouts} good rollouts under {requests} requests, none failed; medians in seconds"
    for step, seconds in steps.items():
        yield f"{step:16}{median(seconds):8.1f}"
    yield f"{'docker alone':16}{bare:8.1f}   all services at once, nothing verified"
    yield f"{'ratio':16}{median(steps['all of it']) / bare:8.1f}"
