"""The status of an environment: the smoke test, and its services."""

from pathlib import Path

import pytest

from pipeline.deploy.cluster.stackfile import render_services
from pipeline.deploy.commands import status
from pipeline.deploy.commands.maintenance import config_name
from pipeline.deploy.rollout.candidate import new_record
from pipeline.deploy.state import journal
from pipeline.deploy.state.audit_log import record
from tests.unit.deploy.factories import INSTANT_TIMINGS, make_environment, make_release
from tests.unit.deploy.fake_swarm import FakeSwarm

STAGING = make_environment(timings=INSTANT_TIMINGS)


class Walks:
    """The calls of the smoke test."""

    def __init__(self) -> None:
        self.given: list[tuple[object, ...]] = []

    def walk(
        self, url: str, version: str | None, values: dict[str, str], headers: object, trusted: str
    ) -> None:
        self.given.append((url, version, sorted(values), headers, trusted))


@pytest.fixture
def walks(engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch) -> Walks:
    del engine
    for secret in STAGING.secrets:
        monkeypatch.setenv(secret, "swordfish")
    walks = Walks()
    monkeypatch.setattr(status, "walk", walks.walk)
    return walks


def deployed(engine: FakeSwarm) -> None:
    entry = new_record(make_release(1), render_services(STAGING, make_release(1)), [], "deploy")
    journal.record_start(engine, "shop", entry)
    journal.record_end(engine, "shop", entry, journal.SUCCEEDED)


def test_a_walk_expects_the_release_that_the_journal_names(engine: FakeSwarm, walks: Walks) -> None:
    deployed(engine)
    status.smoke_test(STAGING)
    assert walks.given == [(STAGING.url, "v1.0.1", sorted(STAGING.secrets), {}, "")]


def test_a_walk_expects_no_release_where_none_was_deployed(walks: Walks) -> None:
    status.smoke_test(STAGING)
    assert walks.given[0][1] is None


def test_a_walk_trusts_the_certificate_of_a_site_on_this_machine_alone(walks: Walks) -> None:
    for place in (make_environment(url="https://localhost:8443"), STAGING):
        status.smoke_test(place)
    assert [trusted for *_, trusted in walks.given] == ["swordfish", ""]


def test_a_walk_is_let_in_where_the_site_is_closed(engine: FakeSwarm, walks: Walks) -> None:
    engine.create_config(config_name("shop"), '{"by": "ada", "since": "now"}', {})
    status.smoke_test(STAGING)
    assert walks.given[0][3] == {"X-Insider": "swordfish"}


def test_history_tells_deployments_and_all_else_in_the_order_of_their_times(
    engine: FakeSwarm, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed(engine)
    record(engine, "shop", "exec", "backend: ls", "exit code 0")
    status.history(STAGING)
    lines = capsys.readouterr().out.splitlines()
    assert [line[33:44].strip() for line in lines] == ["deploy", "exec"]


def test_a_history_of_nothing_says_so_and_has_no_lines(
    engine: FakeSwarm, capsys: pytest.CaptureFixture[str]
) -> None:
    del engine
    status.history(STAGING)
    received = capsys.readouterr()
    assert received.out == ""
    assert "staging has no history yet" in received.err


def test_logs_are_those_of_the_service_and_so_is_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\necho "docker $@"\nexit 7\n')
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    assert status.follow_logs(STAGING, "backend") == 7
    assert capfd.readouterr().out == "docker service logs --follow --tail=100 shop_backend\n"
