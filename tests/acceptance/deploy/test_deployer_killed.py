"""C14 of the catalogue: the deployer is killed in each step, and the next deploy recovers."""

import signal

import pytest

from pipeline.process import CommandResult
from tests.acceptance.deploy.fault_report import FaultCase
from tests.acceptance.deploy.live_site import LiveSite, send_signal_after

INPUT = 2
BEFORE_JOURNAL = "foundation"  # killed before the journal has an entry
STEPS = (
    *("foundation", "self-check", "dump", "migrate", "assets", "preview", "stop"),
    *("roll backend", "roll frontend", "bake", "smoke"),
)


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(step, marks=pytest.mark.fault(f"C14 {step}", f"SIGKILL in the step {step}"))
        for step in STEPS
    ],
)
def test_c14_next_deploy_recovers_killed_one(site: LiveSite, case: FaultCase, step: str) -> None:
    commit = site.variants.release(f"LABEL killed='{step}'")

    def act() -> CommandResult:
        killed = site.deploy_with_event(commit, step, send_signal_after(signal.SIGKILL, after=0.1))
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        locked = site.resume()
        assert locked.returncode == INPUT
        assert "is locked by" in locked.stderr
        site.outlive_lock()
        return site.deploy(site.first) if step == BEFORE_JOURNAL else site.resume()

    case.assert_served(act, "taking over a stale lock")
    assert step == BEFORE_JOURNAL or site.history()[-1][4].startswith("abandoned")


@pytest.mark.fault("C14 cleanup", "SIGKILL in the cleanup, after a release serves")
def test_c14_killed_cleanup_blocks_no_deploy(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL killed=cleanup")

    def act() -> CommandResult:
        killed = site.deploy_with_event(
            commit, "cleanup", send_signal_after(signal.SIGKILL, after=0.1)
        )
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert "serves at" in killed.stderr
        assert site.history()[-1][4].startswith("succeeded")
        return site.deploy(site.first)

    assert "waiting for the cleanup by" in case.assert_served(act, "smoke done")
