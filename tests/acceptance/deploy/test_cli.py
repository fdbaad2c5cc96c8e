"""F of the catalogue: the deployer itself, its lines, its memory, and who uses it twice."""

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


@pytest.mark.fault("F3", "a network that loses every fourth connection of the smoke test")
def test_f3_a_release_is_not_undone_for_our_own_network(site: LiveSite, case: FaultCase) -> None:
    url, listener = site.yard.url("staging"), listening()
    flaky = f"https://localhost:{listener.getsockname()[1]}"
    origins = f'CSRF_TRUSTED_ORIGINS = "{url}'
    with (
        tcp_proxy(listener, site.yard.ports["staging"]) as bad,
        site.with_config(f'\nurl = "{url}"', f'\nurl = "{flaky}"'),
        site.with_config(origins, f"{origins},{flaky}"),
    ):
        bad.accepts = lambda number: number % 4 != 0
        commit = site.variants.release("LABEL flaky=1")
        case.assert_served(lambda: site.deploy(commit), "smoke done")
    assert site.deploy(site.first).returncode == 0


@pytest.mark.fault(
    "F4", "a line to the engine that is cut for ten seconds, in the middle of a roll"
)
def test_f4_a_deployer_without_an_engine_asks_again(
    site: LiveSite, case: FaultCase, tmp_path: Path
) -> None:
    commit = site.variants.release("LABEL cut=1")
    with tcp_proxy(listening(tmp_path / "docker.sock"), ENGINE) as cable:
        told = site.with_env({"DOCKER_HOST": f"unix://{tmp_path / 'docker.sock'}"})
        act = partial(told.deploy_with_event, commit, "roll backend", lambda _: cable.interrupt(10))
        said = case.assert_served(act, "smoke done")
    assert "retrying" in said
    assert site.rollback().returncode == 0


@pytest.mark.fault("F5", "a replica that dies, and says why")
def test_f5_what_a_replica_said_last_is_told(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release(LAST_WORDS)
    said = case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="preview failed")
    assert "last log lines of a replica" in said
    assert "last log lines of a replica" not in " ".join(site.history()[-1])


@pytest.mark.fault("F6", "more releases than are kept, and the way back to the oldest of those")
def test_f6_what_one_may_go_back_to_is_not_pruned(site: LiveSite, case: FaultCase) -> None:
    commits = [site.variants.release(f"LABEL kept={number}") for number in range(KEPT_RELEASES + 1)]
    for commit in commits:
        assert site.deploy(commit).returncode == 0
    oldest = f"sha-{commits[1][:12]}"
    case.assert_served(lambda: site.rollback(f"--to={oldest}"), "smoke done")
    assert site.deploy(site.first).returncode == 0


@pytest.mark.fault("F11", "somebody goes back twice")
def test_f11_to_go_back_twice_is_to_go_back_further(site: LiveSite, case: FaultCase) -> None:
    for number in ("1", "2"):
        assert site.deploy(site.variants.release(f"LABEL twice={number}")).returncode == 0
    assert site.rollback().returncode == 0
    case.assert_served(site.rollback, "smoke done")


@pytest.mark.fault("F12", "somebody deploys while another one goes back")
def test_f12_nobody_deploys_while_another_one_goes_back(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL meanwhile=1")
    assert site.deploy(commit).returncode == 0

    def act() -> CommandResult:
        refused: list[CommandResult] = []
        back = site.start("rollback", *ENV)
        output = run_with_event(back, "preview", lambda _: refused.append(site.deploy(commit)))
        assert [each.returncode for each in refused] == [INPUT], refused
        assert "is locked by" in refused[0].stderr
        return output

    case.assert_served(act, "smoke done")


@pytest.mark.fault("F13", "an environment in which nothing has ever run")
def test_f13_the_first_deployment_lays_all_that_it_stands_on(
    site: LiveSite, case: FaultCase
) -> None:
    promote = ("deploy", "--env=production", "--yes", f"--release={site.first}")
    try:
        case.assert_served(lambda: site.yard.invoke(*promote), "smoke done")
    finally:
        remove_stack(site.yard.stack("production"))


@pytest.mark.fault("F14", "a journal that somebody deleted")
def test_f14_without_a_journal_one_can_still_deploy(site: LiveSite, case: FaultCase) -> None:
    forget(site)
    case.assert_served(lambda: site.deploy(site.first), "smoke done")
    assert len(site.history()) == 1


@pytest.mark.fault("F14b", "a journal that somebody deleted, and a deployment that is broken off")
def test_f14b_what_the_engine_remembers_serves_where_the_journal_is_gone(
    site: LiveSite, case: FaultCase
) -> None:
    commit = site.variants.release("LABEL forgotten=1")
    forget(site)

    def act() -> CommandResult:
        output = site.deploy_with_event(commit, "bake", send_signal_after(signal.SIGINT))
        with site.under_traffic_without_failures():
            assert site.deploy(site.first).returncode == 0
        return output

    case.assert_served(act, "there is no previous release", codes={BROKEN_WAY_BACK})


def forget(site: LiveSite) -> None:
    """Delete the journal."""
    parts = f"--filter=label=pipeline.journal.{site.yard.stack('staging')}"
    docker("config", "rm", *docker("config", "ls", parts, "--format={{.Name}}").split())
