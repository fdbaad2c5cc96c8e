"""Good releases in a row, twenty if not told otherwise: nobody notices, and what each step costs.

`nox -s rollouts`: apart from the faults; `-- --nodes=3 --hogs=2` has them on three engines, beside
two processes that never rest. The table is left in reports/rollouts.txt.
"""

import re
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

import pytest

from tests.deploy.site import ENV, Site
from tests.deploy.variants import docker

ENOUGH = 2_500  # requests for each of them
CLIENTS = {"get": 1, "page": 1, "post": 6, "slow": 1}
PAUSE_SECONDS = 0.02  # so that there are enough
DONE = re.compile(r"^\S+  (?P<step>[\w -]+) done in (?P<seconds>[\d.]+) s$", re.MULTILINE)
REPORT = Path("reports", "rollouts.txt")

Steps = Mapping[str, Sequence[float]]


def test_nobody_notices_good_rollouts(site: Site, request: pytest.FixtureRequest) -> None:
    rollouts = request.config.getoption("--rollouts")
    steps = defaultdict[str, list[float]](list)
    with site.users(CLIENTS, PAUSE_SECONDS) as samples:
        for number in range(rollouts):
            commit = site.variants.release(f"LABEL rollout={number}")
            began = time.monotonic()
            output = site.deploy(commit)
            assert output.returncode == 0, output.stderr
            steps["all of it"].append(time.monotonic() - began)
            for step, seconds in DONE.findall(output.stderr):
                steps[step].append(float(seconds))
    assert len(samples) >= ENOUGH * rollouts
    assert sum(sample.kind == "post" for sample in samples) > len(samples) / 2
    bare = bare_rollout(site)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text("\n".join(table(steps, bare, len(samples))) + "\n")
    assert site.deploy(site.first).returncode == 0


def bare_rollout(site: Site) -> float:
    """Deploy once as Docker alone does, and return the seconds until it says that all is well."""
    commit = site.variants.release("LABEL rollout=bare")
    document = site.yard.must("deploy", *ENV, f"--release={commit}", "--dry").stdout
    site.yard.must("deploy", *ENV, f"--release={commit}")  # pulled, as for every other rollout
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
