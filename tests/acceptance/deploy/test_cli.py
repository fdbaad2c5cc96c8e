"""F of the catalogue: the deployer, its connections, its journal, and concurrent commands."""

import signal
from functools import partial
from pathlib import Path

import pytest

from pipeline.deploy.state.journal import KEPT_RELEASES
from pipeline.process import CommandResult
from pipeline.rehearsal.local_engine import remove_stack
from tests.acceptance.deploy.fault_report import FaultCase
from tests.acceptance.deploy.live_site import ENV, LiveSite, run_with_event, send_signal_after
from tests.acceptance.deploy.release_variants import docker
from tests.acceptance.deploy.tcp_proxy import listening, tcp_proxy
from tests.acceptance.deploy.test_bad_releases import BROKEN_WAY_BACK, STOPPED
from tests.acceptance.deploy.test_preflight import INPUT

ENGINE = Path("/var/run/docker.sock")
LAST_WORDS = 'CMD ["python", "-c", "raise SystemExit(\'last log lines of a replica\')"]'


@pytest.mark.fault("F3", "a network that drops every fourth connection of the smoke test")
def test_f3_flaky_smoke_network_deploys(site: LiveSite, case: FaultCase) -> None:
    url, listener = site.sandbox.url("staging"), listening()
    flaky = f"https://localhost:{listener.getsockname()[1]}"
    origins = f'CSRF_TRUSTED_ORIGINS = "{url}'
    with (
        tcp_proxy(listener, site.sandbox.ports["staging"]) as bad,
        site.with_config(f'\nurl = "{url}"', f'\nurl = "{flaky}"'),
        site.with_config(origins, f"{origins},{flaky}"),
    ):
        bad.accepts = lambda number: number % 4 != 0
        commit = site.variants.release("LABEL flaky=1")
        case.assert_served(lambda: site.deploy(commit), "smoke done")
    assert site.deploy(site.first).returncode == 0


@pytest.mark.fault("F4", "an engine connection that is cut for ten seconds during a roll")
def test_f4_lost_engine_connection_is_retried(
    site: LiveSite, case: FaultCase, tmp_path: Path
) -> None:
    commit = site.variants.release("LABEL cut=1")
    with tcp_proxy(listening(tmp_path / "docker.sock"), ENGINE) as cable:
        proxied = site.with_env({"DOCKER_HOST": f"unix://{tmp_path / 'docker.sock'}"})
        act = partial(
            proxied.deploy_with_event, commit, "roll backend", lambda _: cable.interrupt(10)
        )
        stderr = case.assert_served(act, "smoke done")
    assert "retrying" in stderr
    assert site.rollback().returncode == 0


@pytest.mark.fault("F5", "a replica that exits with a message")
def test_f5_last_log_lines_are_printed(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release(LAST_WORDS)
    stderr = case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="preview failed")
    assert "last log lines of a replica" in stderr
    assert "last log lines of a replica" not in " ".join(site.history()[-1])


@pytest.mark.fault("F6", "more releases than are kept, and a rollback to the oldest kept one")
def test_f6_oldest_kept_release_can_return(site: LiveSite, case: FaultCase) -> None:
    commits = [site.variants.release(f"LABEL kept={number}") for number in range(KEPT_RELEASES + 1)]
    for commit in commits:
        assert site.deploy(commit).returncode == 0
    oldest = f"sha-{commits[1][:12]}"
    case.assert_served(lambda: site.rollback(f"--to={oldest}"), "smoke done")
    assert site.deploy(site.first).returncode == 0


@pytest.mark.fault("F11", "a second rollback")
def test_f11_second_rollback_goes_further_back(site: LiveSite, case: FaultCase) -> None:
    for number in ("1", "2"):
        assert site.deploy(site.variants.release(f"LABEL twice={number}")).returncode == 0
    assert site.rollback().returncode == 0
    case.assert_served(site.rollback, "smoke done")


@pytest.mark.fault("F12", "a deploy during a rollback")
def test_f12_deploy_during_rollback_is_refused(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL concurrent=1")
    assert site.deploy(commit).returncode == 0

    def act() -> CommandResult:
        refused: list[CommandResult] = []
        back = site.start("rollback", *ENV)
        output = run_with_event(back, "preview", lambda _: refused.append(site.deploy(commit)))
        assert [each.returncode for each in refused] == [INPUT], refused
        assert "is locked by" in refused[0].stderr
        return output

    case.assert_served(act, "smoke done")


@pytest.mark.fault("F13", "an environment without any deployment")
def test_f13_first_deploy_creates_infrastructure(site: LiveSite, case: FaultCase) -> None:
    promote = ("deploy", "--env=production", "--yes", f"--release={site.first}")
    try:
        case.assert_served(lambda: site.sandbox.invoke(*promote), "smoke done")
    finally:
        remove_stack(site.sandbox.stack("production"))


@pytest.mark.fault("F14", "a deleted journal")
def test_f14_deploy_without_journal(site: LiveSite, case: FaultCase) -> None:
    delete_journal(site)
    case.assert_served(lambda: site.deploy(site.first), "smoke done")
    assert len(site.history()) == 1


@pytest.mark.fault("F14b", "a deleted journal, and an interrupted deployment")
def test_f14b_interrupt_without_journal(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL journal=1")
    delete_journal(site)

    def act() -> CommandResult:
        output = site.deploy_with_event(commit, "bake", send_signal_after(signal.SIGINT))
        with site.under_traffic_without_failures():
            assert site.deploy(site.first).returncode == 0
        return output

    case.assert_served(act, "there is no previous release", codes={BROKEN_WAY_BACK})


def delete_journal(site: LiveSite) -> None:
    """Delete the journal."""
    parts = f"--filter=label=pipeline.journal.{site.sandbox.stack('staging')}"
    docker("config", "rm", *docker("config", "ls", parts, "--format={{.Name}}").split())
