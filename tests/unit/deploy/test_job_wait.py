"""A wait has a time limit, and a failure ends it at once."""

from dataclasses import replace

import pytest

from pipeline.deploy.cluster.convergence import (
    ExpectedState,
    NotConvergedError,
    wait_for_convergence,
    wait_until_running,
    watch_stability,
)
from pipeline.errors import CheckFailedError
from tests.clock import Clock
from tests.unit.deploy.factories import IMAGES
from tests.unit.deploy.fake_swarm import FakeSwarm

IMAGE = IMAGES["backend"]
WANTED = ExpectedState("shop_backend", IMAGE, "deploy-1", 2)
RECEIVED = ["DEPLOY_ID=deploy-1"]


@pytest.fixture
def running(engine: FakeSwarm) -> FakeSwarm:
    engine.start_service("shop_backend", IMAGE, RECEIVED, 2, "running")
    return engine


def test_what_is_there_already_is_not_waited_for(running: FakeSwarm, clock: Clock) -> None:
    wait_for_convergence(running, WANTED, 60)
    wait_until_running(running, "shop_backend", 60)
    assert clock.now == 0


def test_what_does_not_come_in_time_is_a_fault_that_says_where_to_look(running: FakeSwarm) -> None:
    with pytest.raises(NotConvergedError) as caught:
        wait_for_convergence(running, replace(WANTED, replicas=3), 0.1)
    assert str(caught.value) == "shop_backend: it did not start within 0 s"
    assert caught.value.hint == "docker service ps --no-trunc shop_backend"


def test_what_went_wrong_for_good_is_not_waited_for(engine: FakeSwarm) -> None:
    engine.start_service("shop_backend", IMAGE, RECEIVED, 2, "failed")
    with pytest.raises(NotConvergedError, match="shop_backend: a replica failed: started"):
        wait_for_convergence(engine, WANTED, 60)
    with pytest.raises(NotConvergedError, match="shop_web: the service was removed"):
        wait_for_convergence(engine, replace(WANTED, service="shop_web"), 60)


def test_what_a_replica_that_went_wrong_said_last_is_told(
    engine: FakeSwarm, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.start_service("shop_backend", IMAGE, RECEIVED, 2, "failed")
    engine.message[engine.tasks_of("shop_backend")[0]["ID"]] = "no module named shop"
    with pytest.raises(NotConvergedError):
        wait_for_convergence(engine, WANTED, 60)
    output = capsys.readouterr().err
    assert "last log lines of shop_backend:\nno module named shop" in output


def test_what_is_put_back_may_have_failed_before_and_only_has_to_come(running: FakeSwarm) -> None:
    former = running.tasks_of("shop_backend")[0]
    dead = {**former, "DesiredState": "shutdown", "Status": {**former["Status"], "State": "failed"}}
    running.tasks_of("shop_backend").append(dead)
    with pytest.raises(NotConvergedError):
        wait_for_convergence(running, WANTED, 60)
    wait_for_convergence(running, WANTED, 60, again=True)


def test_what_stays_as_it_is_can_be_held(running: FakeSwarm) -> None:
    watch_stability(running, [WANTED], 0.1)


@pytest.mark.parametrize(
    ("state", "desired", "why"),
    [
        ("failed", "shutdown", "a replica failed: started"),
        ("starting", "running", "a replica is not running any more"),
    ],
)
def test_a_replica_that_dies_or_is_replaced_ends_the_hold(
    running: FakeSwarm, state: str, desired: str, why: str
) -> None:
    task = running.tasks_of("shop_backend")[1]
    task["Status"]["State"], task["DesiredState"] = state, desired
    with pytest.raises(NotConvergedError, match=why):
        watch_stability(running, [WANTED], 60)


def test_what_never_runs_is_a_fault_with_its_last_words(engine: FakeSwarm) -> None:
    engine.start_service("shop_edge", IMAGE, [], 1, "starting")
    with pytest.raises(CheckFailedError, match="last log lines of shop_edge"):
        wait_until_running(engine, "shop_edge", 0.1)
