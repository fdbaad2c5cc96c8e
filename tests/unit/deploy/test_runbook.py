"""What a deployment does when all goes well, and where a fault at each of its steps leaves it.

The engine is a fake one, and the smoke test has tests of its own; here the test sets what
they find.
"""

from collections.abc import Mapping

import pytest

from pipeline.deploy.cluster.client import service_image
from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.cluster.stackfile import render_services
from pipeline.deploy.rollout import health, runbook, steps
from pipeline.deploy.rollout.candidate import new_record
from pipeline.deploy.rollout.context import Deployment
from pipeline.deploy.state import journal
from pipeline.deploy.state.deploy_lock import hold_lock
from pipeline.errors import (
    CheckFailedError,
    DeployAbortedError,
    DeployInterruptedError,
    MigrationError,
    NoRollbackError,
    RollbackFailedError,
    RolledBackError,
)
from tests.clock import Clock
from tests.unit.deploy.edge import Edge
from tests.unit.deploy.factories import IMAGES, INSTANT_TIMINGS, make_environment, make_release
from tests.unit.deploy.fake_swarm import FakeSwarm

STAGING = make_environment(timings=INSTANT_TIMINGS)
OLD, NEW = make_release(1), make_release(2)
TOKEN = "swordfish"
VALUES = {"PREVIEW_TOKEN": TOKEN, "DATABASE_URL": "postgres://owner:swordfish@db/ledger"}


class Site:
    """What the smoke test finds, by release and by whether it is the preview."""

    def __init__(self) -> None:
        self.walks: list[tuple[str, bool]] = []
        self.broken: dict[tuple[str, bool], BaseException] = {}

    def smoke(
        self, _: str, version: str, __: Mapping[str, str], headers: Mapping[str, str], ___: str
    ) -> None:
        walk = (version, headers == {"X-Preview": TOKEN})
        self.walks.append(walk)
        if walk in self.broken:
            raise self.broken[walk]


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    site = Site()
    monkeypatch.setattr(steps, "run_smoke_test", site.smoke)
    return site


def deploy(engine: FakeSwarm, number: int, *, log_out: bool = False, migrate: bool = True) -> None:
    new = make_release(number)
    services = render_services(STAGING, new)
    known = journal.entries(engine, "shop")
    before = journal.last_successful(known)
    with hold_lock(engine, "shop", "run_deployment") as lock:
        deployment = Deployment(DeployTarget(STAGING, engine, VALUES), new, services, before, lock)
        deployment.log_out, deployment.migrates = log_out, migrate
        runbook.run_deployment(deployment, new_record(new, services, known, "run_deployment"))


@pytest.fixture
def live(engine: FakeSwarm, site: Site) -> FakeSwarm:
    """An engine on which the first release serves."""
    deploy(engine, 1)
    site.walks.clear()
    engine.requested.clear()
    return engine


def serving(engine: FakeSwarm) -> dict[str, str]:
    return {name: service_image(it) for name, it in engine.objects("service").items()}


def images(number: int) -> dict[str, str]:
    return {f"shop_{name}": make_release(number).images[name] for name in IMAGES}


def outcome(engine: FakeSwarm) -> str:
    return journal.entries(engine, "shop")[-1].outcome


def test_a_good_release_serves_and_nothing_else_is_left(live: FakeSwarm, site: Site) -> None:
    deploy(live, 2)
    assert serving(live) == images(2)
    assert site.walks == [("v1.0.2", True), ("v1.0.2", False)]
    assert outcome(live) == journal.SUCCEEDED
    assert journal.entries(live, "shop")[-1].images == NEW.images


def test_each_step_is_told_in_its_order(
    live: FakeSwarm, capsys: pytest.CaptureFixture[str]
) -> None:
    deploy(live, 2)
    started = [line for line in capsys.readouterr().err.splitlines() if line.endswith(" …")]
    assert [line[10:-2] for line in started] == [
        "self-check", "dump", "migrate", "assets", "preview", "stop",
        "roll backend", "roll frontend", "bake", "smoke",
    ]  # fmt: skip


@pytest.mark.parametrize("state", ["failed", "rejected"])
def test_a_fault_that_the_new_image_finds_itself_touches_nothing(
    live: FakeSwarm, state: str
) -> None:
    live.ends[NEW.images["backend"]] = state
    with pytest.raises(
        DeployAbortedError, match=r"shop-check: (.|\n)*the running release was not changed"
    ):
        deploy(live, 2)
    assert serving(live) == images(1)
    assert "stack deploy shop" not in live.requested
    assert outcome(live) == "stopped"


@pytest.mark.parametrize("check", [None, ["NONE"]])
def test_what_does_not_tell_how_it_is_is_not_shown_to_anybody(
    live: FakeSwarm, check: list[str] | None
) -> None:
    live.checks[NEW.images["frontend"]] = check
    with pytest.raises(DeployAbortedError, match=f"no HEALTHCHECK in {NEW.images['frontend']}"):
        deploy(live, 2)
    assert serving(live) == images(1)
    assert "stack deploy shop" not in live.requested


def test_a_database_that_refuses_has_an_outcome_of_its_own(
    live: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runbook, "self_check", lambda _: None)
    live.ends[NEW.images["backend"]] = "failed"
    with pytest.raises(MigrationError, match="last log lines of shop-migrate") as caught:
        deploy(live, 2)
    assert serving(live) == images(1)
    assert outcome(live) == "migration failed"
    assert "cannot list its leftovers: shop-leftovers: failed" in str(caught.value)


RUNS = "a migration is still running: process 7, active for 9 s: ALTER TABLE x: SELECT"
INVALID = "the index twin of twins is invalid: DROP INDEX CONCURRENTLY twin"
LEFT = {
    "nothing": ("nothing is left", []),
    "a statement": (f"{RUNS} pg_cancel_backend(7)", [f"{RUNS} pg_cancel_backend(7)"]),
    "more": (f"{RUNS} pg_cancel_backend(7)\n{INVALID}", [f"{RUNS} pg_cancel_backend(7)", INVALID]),
}


@pytest.mark.parametrize("case", LEFT)
def test_what_a_migration_that_failed_has_left_is_told_with_what_ends_it(
    live: FakeSwarm, case: str
) -> None:
    live.message["leftovers"], received = LEFT[case]
    live.ends["shop-migrate"] = "failed"
    with pytest.raises(MigrationError) as caught:
        deploy(live, 2)
    words = "shop-migrate: failed\nlast log lines of shop-migrate"
    assert str(caught.value) == "\n".join([words, *received])
    assert caught.value.hint.startswith(
        "run the statement of each" if received else "fix the migration"
    )
    assert "invoke status" in caught.value.hint


def test_a_migration_that_did_not_begin_is_no_fault_of_the_database(live: FakeSwarm) -> None:
    live.ends["shop-migrate"] = "pending"
    with pytest.raises(DeployAbortedError, match="shop-migrate has not started after") as caught:
        deploy(live, 2)
    assert not isinstance(caught.value, MigrationError)
    assert "docker node ls" in caught.value.hint
    assert outcome(live) == "stopped"


@pytest.mark.parametrize("state", ["pending", "new"])
def test_a_self_check_that_does_not_begin_is_given_up(
    live: FakeSwarm, clock: Clock, state: str
) -> None:
    live.ends["shop-check"] = state
    with pytest.raises(
        DeployAbortedError, match=rf"shop-check has not started after \d+ s: {state}"
    ):
        deploy(live, 2)
    assert serving(live) == images(1)
    assert clock.monotonic() < STAGING.timings.start_timeout + 2


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (CheckFailedError("no", hint="look"), DeployAbortedError),
        (KeyboardInterrupt(), DeployInterruptedError),
    ],
)
def test_a_fault_in_the_preview_touches_nothing_and_takes_it_away(
    live: FakeSwarm, site: Site, fault: BaseException, error: type[DeployAbortedError]
) -> None:
    site.broken["v1.0.2", True] = fault
    with pytest.raises(error, match="the running release was not changed"):
        deploy(live, 2)
    assert serving(live) == images(1)
    assert outcome(live) == error.outcome


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (CheckFailedError("the API answers 500", hint="look"), RolledBackError),
        (KeyboardInterrupt(), DeployInterruptedError),
    ],
)
def test_a_fault_that_users_could_see_puts_the_whole_release_back_and_proves_it(
    live: FakeSwarm, site: Site, fault: BaseException, error: type[DeployAbortedError]
) -> None:
    site.broken["v1.0.2", False] = fault
    with pytest.raises(error, match="the previous release serves again") as caught:
        deploy(live, 2)
    assert serving(live) == images(1)
    assert site.walks[-1] == ("v1.0.1", False)
    assert caught.value.exit_code == error.exit_code
    assert journal.last_successful(journal.entries(live, "shop")).version == "v1.0.1"  # type: ignore[union-attr]
    assert outcome(live) == error.outcome


def test_a_fault_of_the_deployer_itself_is_undone_as_any_other(
    live: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runbook, "bake", lambda _: dict[str, str]()["missing"])
    with pytest.raises(
        RolledBackError, match=r"failed at test_runbook\.py:\d+: KeyError: 'missing'"
    ):
        deploy(live, 2)
    assert serving(live) == images(1)
    assert outcome(live) == "rolled back"


def test_a_page_that_does_not_come_up_takes_the_api_back_with_it(
    live: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runbook, "deploy_preview", lambda _: None)
    monkeypatch.setattr(runbook, "publish_assets", lambda _: None)
    live.ends[NEW.images["frontend"]] = "failed"
    with pytest.raises(RolledBackError, match="shop_frontend: a replica failed"):
        deploy(live, 2)
    assert serving(live) == images(1)


def test_a_release_before_that_does_not_serve_any_more_is_told_as_the_worst(
    live: FakeSwarm, site: Site
) -> None:
    site.broken["v1.0.2", False] = CheckFailedError("the API answers 500", hint="look")
    site.broken["v1.0.1", False] = CheckFailedError("so does the old one", hint="look")
    with pytest.raises(RollbackFailedError) as caught:
        deploy(live, 2)
    assert str(caught.value) == (
        "the API answers 500\nand the rollback failed: so does the old one"
    )
    hint = "act immediately: look; invoke status; then invoke rollback --to=…"
    assert caught.value.hint == hint, "the cause's own command is part of it"
    assert outcome(live) == "rollback failed"


def test_what_the_release_before_stands_on_is_given_time_to_come_back(
    live: FakeSwarm,
    site: Site,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    site.broken["v1.0.2", False] = CheckFailedError("the API answers 500", hint="look")
    site.broken["v1.0.1", False] = CheckFailedError("the database is away", hint="look")
    monkeypatch.setattr(clock, "sleep", lambda _: site.broken.pop(("v1.0.1", False), None))
    with pytest.raises(RolledBackError):
        deploy(live, 2)
    assert "the database is away; trying again" in capsys.readouterr().err
    assert outcome(live) == "rolled back"


def test_a_first_release_that_fails_leaves_nothing_and_says_that_there_is_none(
    engine: FakeSwarm, site: Site
) -> None:
    site.broken["v1.0.1", False] = CheckFailedError("the API answers 500", hint="look")
    with pytest.raises(RollbackFailedError, match="there is no previous release"):
        deploy(engine, 1)
    assert serving(engine) == {}


def test_where_the_journal_is_lost_what_the_engine_remembers_is_not_taken_away(
    live: FakeSwarm, site: Site
) -> None:
    for name in live.names_with_label("config", "label=pipeline.journal.shop"):
        del live.objects("config")[name]
    site.broken["v1.0.2", False] = CheckFailedError("the API answers 500", hint="look")
    with pytest.raises(RollbackFailedError, match="there is no previous release"):
        deploy(live, 2)
    assert serving(live) == images(1)


def test_what_is_not_migrated_is_not_dumped(live: FakeSwarm) -> None:
    live.message["shop-check"] = steps.NO_MIGRATIONS_MARKER
    deploy(live, 2)
    assert "service rm shop-dump" not in live.requested


def test_what_its_host_dumps_is_not_dumped_here(
    live: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    managed = make_environment(timings=INSTANT_TIMINGS, backup_before_migrate=False)
    monkeypatch.setitem(globals(), "STAGING", managed)
    deploy(live, 2)
    assert "service rm shop-dump" not in live.requested
    assert "service rm shop-migrate" in live.requested


def test_what_cannot_be_dumped_is_not_migrated(live: FakeSwarm) -> None:
    live.ends[NEW.images["postgres"]] = "failed"
    with pytest.raises(DeployAbortedError, match="last log lines of shop-dump"):
        deploy(live, 2)
    assert "service rm shop-migrate" not in live.requested
    assert serving(live) == images(1)


DOWN = CheckFailedError("ready: GET /api/v1/health/ready/ answered 502, not 200", hint="look")


def down(engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no replica of the backend run, and users find that."""

    def reach(*_: object) -> None:
        raise DOWN

    monkeypatch.setattr(health, "open_site", reach)
    for each in engine.tasks_of("shop_backend"):
        each["Status"]["State"] = "failed"


def test_a_release_that_does_not_serve_is_told_before_the_roll_and_the_new_one_comes(
    live: FakeSwarm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    down(live, monkeypatch)
    deploy(live, 2)
    assert serving(live) == images(2)
    received = (
        f"live release v1.0.1: 0 of 2 replicas of backend; {DOWN}; this deploy ends an outage"
    )
    assert capsys.readouterr().err.count(received) == 1


def test_what_did_not_serve_before_is_not_put_back(
    live: FakeSwarm, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    down(live, monkeypatch)
    site.broken["v1.0.2", False] = CheckFailedError("the API answers 500", hint="look")
    with pytest.raises(
        NoRollbackError, match=r"answers 500\nv1\.0\.1 did not serve before: 0 of 2"
    ):
        deploy(live, 2)
    assert serving(live) == images(2)
    assert outcome(live) == "rollback failed"


def test_where_half_of_the_replicas_served_half_are_enough_on_the_way_back(
    live: FakeSwarm, site: Site, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    live.tasks_of("shop_backend")[0]["Status"]["State"] = "failed"
    site.broken["v1.0.2", False] = CheckFailedError("the API answers 500", hint="look")
    take = FakeSwarm.deploy_stack

    def half(engine: FakeSwarm, stack: str, document: str) -> None:
        take(engine, stack, document)
        for each in engine.tasks_of("shop_backend")[-1:]:
            if make_release(1).images["backend"] == each["Spec"]["ContainerSpec"]["Image"]:
                each["Status"]["State"] = "starting"

    monkeypatch.setattr(FakeSwarm, "deploy_stack", half)
    began = clock.monotonic()
    with pytest.raises(RolledBackError):
        deploy(live, 2)
    assert serving(live) == images(1)
    assert clock.monotonic() - began < STAGING.rollout_timeout


def test_a_release_that_serves_no_user_is_deprived_of_nothing(
    live: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    down(live, monkeypatch)
    live.message["shop-check"] = 'to be applied: x\ntaken away: ["shop.tag"]\n'
    live.ends[make_release(1).images["backend"]] = "failed"  # it cannot tell what it uses either
    deploy(live, 2)
    assert serving(live) == images(2)


class Sessions:
    """Whether members stay logged in, one way and the other."""

    def __init__(self, *answers: bool | CheckFailedError) -> None:
        self.left = [*answers]
        self.ways: list[tuple[object, object]] = []

    def keeps(self, *given: object) -> bool:
        self.ways.append((given[2], given[3]))
        answer = self.left.pop(0)
        if isinstance(answer, CheckFailedError):
            raise answer
        return answer


PREVIEW = {"X-Preview": TOKEN}


@pytest.mark.parametrize("answers", [(False,), (True, False)])
def test_a_release_that_logs_members_out_is_stopped_before_any_of_them_sees_it(
    live: FakeSwarm, monkeypatch: pytest.MonkeyPatch, answers: tuple[bool, ...]
) -> None:
    sessions = Sessions(*answers)
    monkeypatch.setattr(steps, "keeps_sessions", sessions.keeps)
    with pytest.raises(DeployAbortedError, match="users would be logged out") as caught:
        deploy(live, 2)
    assert sessions.ways == [({}, PREVIEW), (PREVIEW, {})][: len(answers)]
    assert "--log-out" in caught.value.hint
    assert serving(live) == images(1)


def test_where_members_may_be_logged_out_nothing_is_asked(
    live: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = Sessions()
    monkeypatch.setattr(steps, "keeps_sessions", sessions.keeps)
    deploy(live, 2, log_out=True)
    assert serving(live) == images(2)
    down(live, monkeypatch)
    deploy(live, 3)
    assert sessions.ways == [], "in an outage there are none to keep"


def test_a_live_release_without_a_login_does_not_stop_the_one_that_mends_it(
    live: FakeSwarm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sessions = Sessions(CheckFailedError("login: answered 500, not 200", hint="look"))
    monkeypatch.setattr(steps, "keeps_sessions", sessions.keeps)
    deploy(live, 2)
    assert "stay logged in: login: answered 500" in capsys.readouterr().err
    assert serving(live) == images(2)


@pytest.mark.parametrize(
    ("step", "error"),
    [
        ("deploy_preview", DeployAbortedError),
        ("bake", RolledBackError),
        ("final_smoke_test", RolledBackError),
    ],
)
def test_a_release_whose_workers_die_under_a_server_that_lives_does_not_stay(
    live: FakeSwarm, monkeypatch: pytest.MonkeyPatch, step: str, error: type[DeployAbortedError]
) -> None:
    usual = getattr(runbook, step)

    def dies(deployment: Deployment) -> None:
        live.died[NEW.images["backend"]] = 2
        usual(deployment)

    monkeypatch.setattr(runbook, step, dies)
    output = r"2 workers of shop_backend(-next)?\.\d \(container \w{12}\) exited since"
    with pytest.raises(error, match=output) as caught:
        deploy(live, 2)
    assert type(caught.value) is error
    assert serving(live) == images(1)


def test_what_workers_of_the_release_before_died_of_is_not_the_new_one_s(live: FakeSwarm) -> None:
    live.died[OLD.images["backend"]] = 9
    deploy(live, 2)
    assert serving(live) == images(2)


def test_a_release_that_does_not_tell_of_its_workers_is_deployed_and_that_is_said(
    live: FakeSwarm, edge: Edge, capsys: pytest.CaptureFixture[str]
) -> None:
    edge.silent.add(NEW.images["backend"])
    deploy(live, 2)
    assert "0 of 2 replicas of shop_backend report their workers" in capsys.readouterr().err
    assert serving(live) == images(2)


@pytest.mark.parametrize("name", IMAGES)
def test_a_release_that_does_not_hear_that_it_has_to_stop_is_never_rolled(
    live: FakeSwarm, name: str
) -> None:
    live.stops[NEW.images[name]] = (137, 4)
    with pytest.raises(
        DeployAbortedError, match=f"shop_{name}-next: it was killed 2 s after SIGTERM"
    ):
        deploy(live, 2)
    assert serving(live) == images(1)


def test_a_rescue_is_not_kept_by_how_it_stops(
    live: FakeSwarm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    down(live, monkeypatch)
    live.stops[NEW.images["backend"]] = (137, 4)
    deploy(live, 2)
    assert (
        "the shutdown of the preview is not tested: this deploy ends an outage"
        in capsys.readouterr().err
    )
    assert serving(live) == images(2)


def test_what_served_before_is_not_kept_by_how_it_stops(live: FakeSwarm) -> None:
    live.stops[NEW.images["backend"]] = (137, 4)
    deploy(live, 2, migrate=False)
    assert serving(live) == images(2)
