"""Who was taken for dead and comes back touches nothing more: another one deploys by now."""

import threading
from collections.abc import Callable

import pytest

from pipeline.deploy.cluster.client import service_image
from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.cluster.retry import EngineUnavailableError
from pipeline.deploy.cluster.stackfile import PREVIEW_SUFFIX, render_services
from pipeline.deploy.rollout import runbook, steps
from pipeline.deploy.rollout.candidate import new_record
from pipeline.deploy.rollout.context import Deployment
from pipeline.deploy.state import deploy_lock, journal
from pipeline.deploy.state.deploy_lock import Lock, hold_lock
from pipeline.errors import CheckFailedError, DeployAbortedError, LockLostError
from tests.unit.deploy.factories import INSTANT_TIMINGS, make_environment, make_release
from tests.unit.deploy.fake_swarm import FakeSwarm

STAGING = make_environment(timings=INSTANT_TIMINGS)
VALUES = {"PREVIEW_TOKEN": "swordfish", "DATABASE_URL": "postgres://db/ledger"}


def deploy(engine: FakeSwarm, number: int, held: Lock) -> None:
    new = make_release(number)
    services = render_services(STAGING, new)
    known = journal.entries(engine, "shop")
    target, before = DeployTarget(STAGING, engine, VALUES), journal.last_successful(known)
    deployment = Deployment(target, new, services, before, held)
    runbook.run_deployment(deployment, new_record(new, services, known, "run_deployment"))


def taken_over(engine: FakeSwarm) -> None:
    engine.late[0] = 61
    deploy_lock.acquire(engine, "shop", "deploy by another")


@pytest.fixture
def live(engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch) -> FakeSwarm:
    monkeypatch.setattr(steps, "run_smoke_test", lambda *_: None)
    with hold_lock(engine, "shop", "run_deployment") as held:
        deploy(engine, 1, held)
    engine.requested.clear()
    return engine


def during(monkeypatch: pytest.MonkeyPatch, step: str, action: Callable[[], None]) -> None:
    monkeypatch.setattr(runbook, step, lambda _: action())


def test_it_stops_before_its_next_step_and_undoes_nothing(
    live: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    during(monkeypatch, "deploy_preview", lambda: taken_over(live))
    output = r"was taken over by .*: deploy by another$"
    with (
        pytest.raises(LockLostError, match=output) as caught,
        hold_lock(live, "shop", "run_deployment") as held,
    ):
        deploy(live, 2, held)
    assert caught.value.exit_code == 10
    assert (
        service_image(live.objects("service")["shop_backend"]) == make_release(1).images["backend"]
    )
    assert journal.unfinished(journal.entries(live, "shop")), "its end is another's to write"
    assert f"service rm shop_backend{PREVIEW_SUFFIX}" not in live.requested, (
        "it may be the other's preview"
    )
    assert "shop-lock" in live.objects("config")


def test_what_goes_wrong_meanwhile_is_not_undone_since_the_other_may_have_done_it(
    live: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed_by_another() -> None:
        taken_over(live)
        raise CheckFailedError("the engine rolled back to the previous release", hint="")

    during(monkeypatch, "bake", changed_by_another)
    with pytest.raises(LockLostError), hold_lock(live, "shop", "run_deployment") as held:
        deploy(live, 2, held)
    assert (
        service_image(live.objects("service")["shop_backend"]) == make_release(2).images["backend"]
    )


def test_a_lock_that_somebody_took_away_is_lost_as_well(live: FakeSwarm) -> None:
    with hold_lock(live, "shop", "run_deployment") as held:
        live.run("config", "rm", "shop-lock")
        with pytest.raises(LockLostError, match="taken over by a process that has just finished"):
            held.require_held()


def test_signs_of_life_that_fail_are_no_reason_to_stop_while_nobody_else_came(
    live: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deploy_lock, "send_heartbeats", lambda _, __, over: over.wait())
    before = {*threading.enumerate()}
    with hold_lock(live, "shop", "run_deployment") as held:
        live.late[0] = 3600
        deploy(live, 2, held)
    assert {*threading.enumerate()} <= before


def test_an_engine_that_is_away_in_the_middle_of_a_fault_does_not_hide_the_fault(
    live: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: Lock) -> None:
        raise EngineUnavailableError("no answer", hint="")

    def fault() -> None:
        monkeypatch.setattr(Lock, "require_held", away)
        raise CheckFailedError("no", hint="")

    during(monkeypatch, "deploy_preview", fault)
    with (
        pytest.raises(DeployAbortedError, match=r"^no\nthe running release was not changed"),
        hold_lock(live, "shop", "run_deployment") as held,
    ):
        deploy(live, 2, held)
