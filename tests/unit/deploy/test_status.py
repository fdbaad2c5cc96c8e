"""What is told of an environment: a walk through it, and what its services say."""

from pathlib import Path

import pytest

from pipeline.deploy.cluster.stackfile import render
from pipeline.deploy.commands import status
from pipeline.deploy.commands.maintenance import name
from pipeline.deploy.rollout.candidate import entry_of
from pipeline.deploy.state import journal
from pipeline.deploy.state.audit_log import note
from tests.unit.deploy.factories import AT_ONCE, environment, release
from tests.unit.deploy.fake_swarm import Engine

STAGING = environment(timings=AT_ONCE)


class Walks:
    """What the smoke test is asked to do."""

    def __init__(self) -> None:
        self.given: list[tuple[object, ...]] = []

    def walk(
        self, url: str, version: str | None, values: dict[str, str], headers: object, trusted: str
    ) -> None:
        self.given.append((url, version, sorted(values), headers, trusted))


@pytest.fixture
def walks(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Walks:
    del engine
    for secret in STAGING.secrets:
        monkeypatch.setenv(secret, "swordfish")
    walks = Walks()
    monkeypatch.setattr(status, "walk", walks.walk)
    return walks


def deployed(engine: Engine) -> None:
    entry = entry_of(release(1), render(STAGING, release(1)), [], "deploy")
    journal.begin(engine, "shop", entry)
    journal.end(engine, "shop", entry, journal.GOOD)


def test_a_walk_expects_the_release_that_the_journal_names(engine: Engine, walks: Walks) -> None:
    deployed(engine)
    status.smoke(STAGING)
    assert walks.given == [(STAGING.url, "v1.0.1", sorted(STAGING.secrets), {}, "")]


def test_a_walk_expects_no_release_where_none_was_deployed(walks: Walks) -> None:
    status.smoke(STAGING)
    assert walks.given[0][1] is None


def test_a_walk_trusts_the_certificate_of_a_site_on_this_machine_alone(walks: Walks) -> None:
    for place in (environment(url="https://localhost:8443"), STAGING):
        status.smoke(place)
    assert [trusted for *_, trusted in walks.given] == ["swordfish", ""]


def test_a_walk_is_let_in_where_the_site_is_closed(engine: Engine, walks: Walks) -> None:
    engine.create_config(name("shop"), '{"by": "ada", "since": "now"}', {})
    status.smoke(STAGING)
    assert walks.given[0][3] == {"X-Insider": "swordfish"}


def test_history_tells_deployments_and_all_else_in_the_order_of_their_times(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed(engine)
    note(engine, "shop", "exec", "backend: ls", "exit code 0")
    status.history(STAGING)
    lines = capsys.readouterr().out.splitlines()
    assert [line[33:44].strip() for line in lines] == ["deploy", "exec"]


def test_a_history_of_nothing_says_so_and_has_no_lines(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    del engine
    status.history(STAGING)
    told = capsys.readouterr()
    assert told.out == ""
    assert "nothing was done in staging yet" in told.err


def test_logs_are_those_of_the_service_and_so_is_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\necho "docker $@"\nexit 7\n')
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    assert status.logs(STAGING, "backend") == 7
    assert capfd.readouterr().out == "docker service logs --follow --tail=100 shop_backend\n"
