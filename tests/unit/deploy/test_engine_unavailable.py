"""An engine that does not answer does not count as one without services."""

from dataclasses import dataclass, field

import pytest

from pipeline.deploy.cluster.convergence import ExpectedState, wait_for_convergence, watch_stability
from pipeline.deploy.cluster.retry import EngineUnavailableError, raise_if_unavailable
from pipeline.process import CommandResult
from tests.unit.deploy.factories import IMAGES
from tests.unit.deploy.fake_swarm import FakeSwarm

WANTED = ExpectedState("shop_backend", IMAGES["backend"], "deploy-1", 2)


@dataclass(frozen=True)
class Away(FakeSwarm):
    """An engine whose line is cut for the next questions."""

    cut: list[str] = field(default_factory=list)

    def run(self, *arguments: str, stdin: str = "", **_: object) -> CommandResult:
        if self.cut:
            return CommandResult(arguments, 1, "", self.cut.pop())
        return super().run(*arguments, stdin=stdin)


@pytest.fixture
def away() -> Away:
    engine = Away()
    engine.start_service("shop_backend", WANTED.image, ["DEPLOY_ID=deploy-1"], 2, "running")
    return engine


def test_it_is_asked_again_until_it_answers(away: Away, capsys: pytest.CaptureFixture[str]) -> None:
    away.cut.extend(["Cannot connect to the Docker daemon"] * 2)
    wait_for_convergence(away, WANTED, 60)
    away.cut.append("no answer within 60 s")
    watch_stability(away, [WANTED], 0.1)
    assert capsys.readouterr().err.count("retrying") == 3


def test_one_that_stays_away_is_a_fault_of_its_own(
    away: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.deploy.cluster.retry.RETRY_TIMEOUT", 0)
    away.cut.extend(["ssh: connect to host example.com: Connection refused"] * 9)
    with pytest.raises(
        EngineUnavailableError, match="does not answer: ssh: connect to host"
    ) as caught:
        wait_for_convergence(away, WANTED, 0.1)
    assert caught.value.hint == "docker node ls"


@pytest.mark.parametrize(
    "output",
    [
        "Error response from daemon: service shop_backend not found",
        "Error response from daemon: task 0123abc not found",
        "no such service: shop_backend",
    ],
)
def test_what_it_says_is_not_there_is_not_there(output: str) -> None:
    raise_if_unavailable(CommandResult((), 1, "", output))


@pytest.mark.parametrize(
    "output", ["ssh: Could not resolve hostname x: no such host", "sh: docker: not found", ""]
)
def test_what_somebody_else_says_is_no_answer(output: str) -> None:
    with pytest.raises(EngineUnavailableError):
        raise_if_unavailable(CommandResult((), 1, "", output))
