"""The deployer is killed after each of its steps: whoever comes next puts everything right."""

import signal
import time

import pytest

from tests.deploy.site import Site, interrupt

INPUT = 2
STALE_SECONDS = 60
STEPS = (
    *("foundation", "self-check", "dump", "migrate", "assets", "preview"),
    *("roll backend", "roll frontend", "bake", "smoke"),
)


@pytest.mark.parametrize("step", STEPS)
def test_c14_a_killed_deployer_is_undone_by_the_next_one(site: Site, step: str) -> None:
    commit = site.variants.release(f"LABEL killed='{step}'")
    with site.users():
        code, said = interrupt(site.begin(commit), step, signal.SIGKILL)
        assert code == -signal.SIGKILL, said
        locked = site.yard.invoke("deploy", "--env=staging", "--resume")
        assert locked.returncode == INPUT
        assert "is locked by" in locked.stderr
        time.sleep(STALE_SECONDS + 5)
        resumed = site.yard.invoke("deploy", "--env=staging", "--resume")
        assert resumed.returncode == 0, resumed.stderr
    assert step == "foundation" or site.history()[-1][4].startswith("abandoned")
