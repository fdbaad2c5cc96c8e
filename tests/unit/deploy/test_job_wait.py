"""Waiting has an end, and what goes wrong meanwhile ends it at once."""

from dataclasses import replace

import pytest

from pipeline.deploy.cluster.convergence import (
    NotConvergedError,
    Wanted,
    hold,
    wait_until_running,
    watch,
)
from pipeline.errors import CheckFailedError
from tests.clock import Clock
from tests.unit.deploy.factories import IMAGES
from tests.unit.deploy.fake_swarm import Engine

IMAGE = IMAGES["backend"]
WANTED = Wanted("shop_backend", IMAGE, "deploy-1", 2)
TOLD = ["DEPLOY_ID=deploy-1"]


@pytest.fixture
def running(engine: Engine) -> Engine:
    engine.start("shop_backend", IMAGE, TOLD, 2, "running")
    return engine


def test_what_is_there_already_is_not_waited_for(running: Engine, clock: Clock) -> None:
    watch(running, WANTED, 60)
    wait_until_running(running, "shop_backend", 60)
    assert clock.now == 0


def test_what_does_not_come_in_time_is_a_fault_that_says_where_to_look(running: Engine) -> None:
    with pytest.raises(NotConvergedError) as caught:
        watch(running, replace(WANTED, replicas=3), 0.1)
    assert str(caught.value) == "shop_backend: it did not come up within 0 s"
    assert caught.value.hint == "docker service ps --no-trunc shop_backend"


def test_what_went_wrong_for_good_is_not_waited_for(engine: Engine) -> None:
    engine.start("shop_backend", IMAGE, TOLD, 2, "failed")
    with pytest.raises(NotConvergedError, match="shop_backend: a replica failed: started"):
        watch(engine, WANTED, 60)
    with pytest.raises(NotConvergedError, match="shop_web: it is gone"):
        watch(engine, replace(WANTED, service="shop_web"), 60)


def test_what_a_replica_that_went_wrong_said_last_is_told(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.start("shop_backend", IMAGE, TOLD, 2, "failed")
    engine.says[engine.run_of("shop_backend")[0]["ID"]] = "no module named shop"
    with pytest.raises(NotConvergedError):
        watch(engine, WANTED, 60)
    said = capsys.readouterr().err
    assert "the last words of shop_backend:\nno module named shop" in said


def test_what_is_put_back_may_have_failed_before_and_only_has_to_come(running: Engine) -> None:
    former = running.run_of("shop_backend")[0]
    dead = {**former, "DesiredState": "shutdown", "Status": {**former["Status"], "State": "failed"}}
    running.run_of("shop_backend").append(dead)
    with pytest.raises(NotConvergedError):
        watch(running, WANTED, 60)
    watch(running, WANTED, 60, again=True)


def test_what_stays_as_it_is_can_be_held(running: Engine) -> None:
    hold(running, [WANTED], 0.1)


@pytest.mark.parametrize(
    ("state", "desired", "why"),
    [
        ("failed", "shutdown", "a replica failed: started"),
        ("starting", "running", "a replica is not running any more"),
    ],
)
def test_a_replica_that_dies_or_is_replaced_ends_the_hold(
    running: Engine, state: str, desired: str, why: str
) -> None:
    task = running.run_of("shop_backend")[1]
    task["Status"]["State"], task["DesiredState"] = state, desired
    with pytest.raises(NotConvergedError, match=why):
        hold(running, [WANTED], 60)


def test_what_never_runs_is_a_fault_with_its_last_words(engine: Engine) -> None:
    engine.start("shop_edge", IMAGE, [], 1, "starting")
    with pytest.raises(CheckFailedError, match="the last words of shop_edge"):
        wait_until_running(engine, "shop_edge", 0.1)
