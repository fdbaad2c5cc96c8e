"""Good and bad releases in a random order: every result is right, and no request fails.

`nox -s deploy-random -- --deploys=100 --seed=7` takes an hour and a half.
"""

import random
from collections import Counter
from dataclasses import dataclass

import pytest

from tests.acceptance.deploy.live_site import LiveSite
from tests.acceptance.deploy.release_variants import append_layer, migration_layer
from tests.acceptance.deploy.test_bad_releases import STOPPED, UNSEEN
from tests.acceptance.deploy.test_migrations import MIGRATION
from tests.acceptance.deploy.test_preflight import SETTINGS


@dataclass(frozen=True)
class Kind:
    """A kind of release, and the expected end of its deployment."""

    name: str
    layer: str
    code: int = 0


GOOD = [
    Kind("good", ""),
    Kind("slow to start", append_layer("config/wsgi.py", "import time; time.sleep(8)")),
]
BAD = [
    *(Kind(what, layer, STOPPED) for what, layer in UNSEEN.values()),
    Kind("insecure settings", append_layer(SETTINGS, "DEBUG = True"), STOPPED),
    Kind("failing migration", migration_layer("9999_x", "migrations.RunPython(fail)"), MIGRATION),
]


def test_random_releases_get_right_results(
    site: LiveSite, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    seed, deploys = request.config.getoption("--seed"), request.config.getoption("--deploys")
    draw = random.Random(seed)  # noqa: S311 - no secret
    kinds = [draw.choice(GOOD if draw.random() < 0.5 else BAD) for _ in range(deploys)]
    releases = [
        site.variants.release(f"LABEL mix={number}\n{kind.layer}")
        for number, kind in enumerate(kinds)
    ]
    wrong, seen, serves = [], Counter[str](), site.first
    with site.under_traffic_without_failures():
        for number, (kind, commit) in enumerate(zip(kinds, releases, strict=True), 1):
            output = site.deploy(commit)
            serves = commit if kind.code == 0 else serves
            right = output.returncode == kind.code and serves_now(site, serves)
            seen[f"{kind.name}: {'right' if right else 'wrong'}"] += 1
            wrong += (
                [] if right else [(number, kind.name, output.returncode, output.stderr[-2000:])]
            )
            with capsys.disabled():
                print(f"{number} of {deploys}, seed {seed}: {dict(seen)}", flush=True)
    assert site.deploy(site.first).returncode == 0
    assert wrong == []


def serves_now(site: LiveSite, commit: str) -> bool:
    """Return whether a commit runs, according to the swarm and to the journal."""
    status = site.sandbox.invoke("status", "--env=staging")
    return status.returncode == 0 and f"sha-{commit[:12]}" in status.stdout
