"""Good releases in a row, twenty if not told otherwise: nobody notices, and what each step costs.

`nox -s deploy-soak`: apart from the faults; `-- --nodes=3 --hogs=2` has them on three engines,
beside two processes that never rest. The table is left in reports/rollouts.txt.
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

ENOUGH = 5_000  # requests for each of them
CLIENTS = {"get": 1, "page": 1, "post": 6, "slow": 1}
PAUSE_SECONDS = 0.05  # so that there are enough
DONE = re.compile(r"^\S+  (?P<step>[\w -]+) done in (?P<seconds>[\d.]+) s$", re.MULTILINE)
REPORT = Path("reports", "rollouts.txt")

Steps = Mapping[str, Sequence[float]]


def test_nobody_notices_good_rollouts(
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
    with hogs(busy), site.under_traffic(CLIENTS, PAUSE_SECONDS):  # the same load, whoever it hurts
        bare = bare_rollout(site)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text("\n".join(table(steps, bare, len(samples))) + "\n")
    assert site.deploy(site.first).returncode == 0


@contextmanager
def hogs(number: int) -> Iterator[None]:
    """Have so many processes that never rest."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(number)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def bare_rollout(site: LiveSite) -> float:
    """Deploy once as Docker alone does, and return the seconds until it says that all is well."""
    commit = site.variants.release("LABEL rollout=bare")
    document = site.yard.invoke_ok("deploy", *ENV, f"--release={commit}", "--dry-run").stdout
    site.yard.invoke_ok("deploy", *ENV, f"--release={commit}")  # pulled, as for every other rollout
    began = time.monotonic()
    alone = ("stack", "deploy", "--compose-file=-", "--resolve-image=never", "--detach=false")
    docker(*alone, site.yard.stack("staging"), stdin=document, **site.yard.engines[0])
    return time.monotonic() - began


def table(steps: Steps, bare: float, requests: int) -> Iterator[str]:
    """Show what each step took, beside a rollout by Docker alone."""
    rollouts = len(steps["all of it"])
    yield f"{rollouts} good rollouts under {requests} requests, none failed; medians in seconds"
    for step, seconds in steps.items():
        yield f"{step:16}{median(seconds):8.1f}"
    yield f"{'docker alone':16}{bare:8.1f}   all services at once, nothing proved"
    yield f"{'ratio':16}{median(steps['all of it']) / bare:8.1f}"
