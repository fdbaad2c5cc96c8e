"""Steps of a deployment that run in parallel, and steps that the self-check makes unnecessary."""

from collections.abc import Callable

import pytest

from pipeline.deploy.cluster.client import service_image
from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.cluster.stackfile import render_services
from pipeline.deploy.rollout import steps
from pipeline.deploy.rollout.candidate import new_record
from pipeline.deploy.rollout.context import Deployment
from pipeline.deploy.rollout.runbook import run_deployment as make_live
from pipeline.deploy.rollout.steps import NO_MIGRATIONS_MARKER, SETTLED
from pipeline.deploy.state import journal
from pipeline.deploy.state.deploy_lock import hold_lock
from pipeline.errors import DeployAbortedError, MigrationError
from tests.clock import Clock
from tests.unit.deploy.factories import INSTANT_TIMINGS, make_environment, make_release
from tests.unit.deploy.fake_swarm import FakeSwarm

STAGING = make_environment(timings=INSTANT_TIMINGS)
VALUES = {"PREVIEW_TOKEN": "swordfish", "DATABASE_URL": "postgres://db/ledger"}
SERVING = {"shop_backend", "shop_frontend"}
PREVIEW = {"shop_backend-next", "shop_frontend-next"}


def deploy(engine: FakeSwarm, number: int, *, migrates: bool = True) -> None:
    new = make_release(number)
    services = render_services(STAGING, new)
    known = journal.entries(engine, "shop")
    with hold_lock(engine, "shop", "deploy") as lock:
        deployment = Deployment(
            DeployTarget(STAGING, engine, VALUES),
            new,
            services,
            journal.last_successful(known),
            lock,
            migrates=migrates,
        )
        make_live(deployment, new_record(new, services, known, "deploy"))


@pytest.fixture
def live(engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch) -> FakeSwarm:
    """An engine on which the first release serves."""
    monkeypatch.setattr(steps, "run_smoke_test", lambda *_: None)
    deploy(engine, 1)
    engine.requested.clear()
    engine.options.clear()
    return engine


@pytest.mark.parametrize(
    ("output", "migrated"),
    [
        (f"{NO_MIGRATIONS_MARKER}\n{SETTLED}", False),
        pytest.param(NO_MIGRATIONS_MARKER, True, id="of a release before, or cut off"),
        (f"{NO_MIGRATIONS_MARKER}\nfor migrate: the user of SMOKE_USER_EMAIL", True),
        pytest.param(SETTLED, True, id="without its first line"),
        ("to be applied: shop.0002_more", True),
        ("", True),
    ],
)
def test_migrate_runs_unless_the_self_check_proved_that_it_would_change_nothing(
    live: FakeSwarm,
    output: str,
    migrated: bool,  # noqa: FBT001 - the case
) -> None:
    live.message["shop-check"] = output
    deploy(live, 2)
    assert ("shop-migrate" in live.options) is migrated
    assert ("shop-dump" in live.options) is (NO_MIGRATIONS_MARKER not in output)
    assert {*live.objects("service")} == SERVING


def end_later(engine: FakeSwarm, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a job of a deployer who died, which ends after a while."""
    engine.start_service("shop-migrate", "old", [], 1, "running")
    (task,) = engine.tasks_of("shop-migrate")

    def passes(seconds: float, sleep: Callable[[float], None] = clock.sleep) -> None:
        sleep(seconds)
        if clock.monotonic() > 3:
            task["Status"]["State"] = "complete"

    monkeypatch.setattr(clock, "sleep", passes)


def test_the_migration_of_a_dead_deployer_is_let_end_though_nothing_is_to_be_migrated(
    live: FakeSwarm, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.message["shop-check"] = f"{NO_MIGRATIONS_MARKER}\n{SETTLED}"
    end_later(live, clock, monkeypatch)
    deploy(live, 2)
    assert clock.monotonic() > 3
    assert {*live.objects("service")} == SERVING


def test_nothing_is_rolled_out_beside_a_migration_that_does_not_end(live: FakeSwarm) -> None:
    live.message["shop-check"] = f"{NO_MIGRATIONS_MARKER}\n{SETTLED}"
    live.start_service("shop-migrate", "old", [], 1, "running")
    with pytest.raises(MigrationError, match="still runs"):
        deploy(live, 2)
    assert (
        service_image(live.objects("service")["shop_backend"]) == make_release(1).images["backend"]
    )


@pytest.mark.parametrize(
    ("migrates", "next_to"), [(True, {"shop-assets"}), (False, {"shop-assets", *PREVIEW})]
)
def test_files_are_laid_beside_the_self_check_and_a_preview_only_where_nothing_is_migrated(
    live: FakeSwarm,
    monkeypatch: pytest.MonkeyPatch,
    migrates: bool,  # noqa: FBT001 - the case
    next_to: set[str],
) -> None:
    seen: list[set[str]] = []
    start = FakeSwarm.start_service

    def watched(engine: FakeSwarm, name: str, *given: object) -> None:
        if name == "shop-check":
            seen.append({*engine.objects("service")} - SERVING)
        start(engine, name, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(FakeSwarm, "start_service", watched)
    deploy(live, 2, migrates=migrates)
    assert seen == [next_to]
    assert {*live.objects("service")} == SERVING


@pytest.mark.parametrize("migrates", [True, False])
def test_what_was_begun_beside_a_self_check_that_fails_is_withdrawn(
    live: FakeSwarm,
    migrates: bool,  # noqa: FBT001 - the case
) -> None:
    live.ends[make_release(2).images["backend"]] = "failed"
    with pytest.raises(DeployAbortedError, match=r"^shop-check: failed"):
        deploy(live, 2, migrates=migrates)
    assert {*live.objects("service")} == SERVING
    assert (
        service_image(live.objects("service")["shop_backend"]) == make_release(1).images["backend"]
    )


def test_files_that_a_node_cannot_lay_stop_a_release_before_its_preview(live: FakeSwarm) -> None:
    live.ends[make_release(2).images["frontend"]] = "rejected"
    with pytest.raises(
        DeployAbortedError, match=r"^shop-assets: rejected(.|\n)*the running release"
    ):
        deploy(live, 2)
    assert "stack deploy shop" not in live.requested
    assert {*live.objects("service")} == SERVING


def test_a_job_of_a_dead_deployer_does_not_remove_the_files_that_are_laid(live: FakeSwarm) -> None:
    live.start_service("shop-prune", "old", [], 1, "running")
    deploy(live, 2)
    assert {*live.objects("service")} == SERVING
