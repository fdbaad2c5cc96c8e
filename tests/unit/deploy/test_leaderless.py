"""While managers elect a leader, commands are retried; a command is not applied twice."""

from dataclasses import dataclass, field

import pytest

from pipeline.deploy.cluster.client import SwarmClient
from pipeline.deploy.cluster.one_shot_jobs import Job, running_job
from pipeline.deploy.state.deploy_lock import LockedError, hold_lock
from pipeline.errors import CheckFailedError
from pipeline.process import CommandResult
from tests.unit.deploy.fake_swarm import FakeSwarm

GONE = "Error: rpc error: code = Unknown desc = The swarm does not have a leader."
LATE = "Error: rpc error: code = DeadlineExceeded desc = context deadline exceeded"
JOB = Job("shop-migrate", "backend@sha256:1", ["true"], {})


@dataclass(frozen=True)
class Choosing(SwarmClient):
    """Managers of which one is lost: some words are answered with that, done or not.

    Attributes:
        engine: What they stand for.
        left_out: What they say, and do not do.
        unsaid: What they say instead of the answer to a command that makes something.
    """

    engine: FakeSwarm = field(default_factory=FakeSwarm)
    left_out: list[str] = field(default_factory=list)
    unsaid: list[str] = field(default_factory=list)

    def run_once(self, *arguments: str, stdin: str, seconds: float) -> CommandResult:
        del seconds
        if self.left_out:
            return CommandResult(arguments, 1, "", self.left_out.pop())
        answer = self.engine.run(*arguments, stdin=stdin)
        if "create" in arguments and self.unsaid:
            return CommandResult(arguments, 1, "", self.unsaid.pop())
        return answer


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.deploy.cluster.retry.POLL_INTERVAL", 0)


def test_they_are_asked_again_until_they_have_another_leader(
    capsys: pytest.CaptureFixture[str],
) -> None:
    swarm = Choosing(left_out=[GONE, LATE, LATE])
    assert swarm.create_config("note", "text", {"of": "shop"}) == "config-0"
    assert capsys.readouterr().err.count("the swarm has no leader; retrying") == 3


def test_they_are_not_asked_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.deploy.cluster.retry.LEADER_ELECTION_TIMEOUT", 0)
    with pytest.raises(CheckFailedError, match="does not have a leader"):
        Choosing(left_out=[GONE] * 9).check_output("stack", "deploy", "shop")


def test_what_they_made_without_a_word_is_found_and_not_made_again() -> None:
    swarm = Choosing(unsaid=[LATE])
    with hold_lock(swarm, "shop", "deploy v1") as lock:
        assert lock.is_held
    swarm.unsaid.append(LATE)
    swarm.ensure_secrets({"shop-key-1": "swordfish"}, "of=shop")
    swarm.unsaid.append(LATE)
    swarm.ensure_network("shop-app")
    swarm.unsaid.append(LATE)
    with running_job(swarm, "shop", JOB):
        assert [*swarm.engine.objects("service")] == ["shop-migrate"]
    assert [*swarm.engine.objects("secret"), *swarm.engine.objects("network")] == [
        "shop-key-1",
        "shop-app",
    ]


def test_the_lock_of_somebody_else_is_not_taken_for_ours() -> None:
    swarm = Choosing()
    with hold_lock(swarm, "shop", "deploy v1"):
        swarm.unsaid.append(LATE)
        with pytest.raises(LockedError), hold_lock(swarm, "shop", "deploy v1"):
            pytest.fail("two have it")


def test_a_job_of_before_that_stays_is_not_taken_for_a_new_one() -> None:
    class Keeping(FakeSwarm):
        def remove_all(self, kind: str, names: list[str]) -> str | None:
            return super().remove_all(kind, names) if kind != "service" else None

    engine = Keeping()
    with running_job(engine, "shop", JOB):
        pass
    with (
        pytest.raises(CheckFailedError, match="shop-migrate cannot be removed"),
        running_job(engine, "shop", JOB),
    ):
        pytest.fail("it was started")
