"""What people ask of an environment, on an engine that obeys; images and signatures are given."""

import re
import sys
from typing import Any

import pytest

from pipeline.deploy.cluster.client import service_image
from pipeline.deploy.commands import deploy, recover, site, status
from pipeline.deploy.rollout import health, runbook, steps
from pipeline.deploy.rollout.candidate import ReleaseCandidate
from pipeline.deploy.state import journal
from pipeline.deploy.state.deploy_lock import LockedError, acquire
from pipeline.environments import Environment
from pipeline.errors import (
    CheckFailedError,
    InputError,
    MigrationError,
    NoRollbackError,
    OutageError,
    RolledBackError,
)
from pipeline.images.commands.cosign import Signer
from tests.unit.deploy.factories import INSTANT_TIMINGS, make_environment, make_release
from tests.unit.deploy.fake_swarm import FakeSwarm

STAGING = make_environment(timings=INSTANT_TIMINGS)
CHANGES = re.compile(r" (create|rm|update|deploy|scale) ")


class Wire:
    """What would go over the network: the smoke test, and what is signed."""

    def __init__(self) -> None:
        self.broken = ""
        self.vouched: list[str] = []
        self.versions: dict[str, str] = {}

    def candidate(self, _: Environment, requested: str | None) -> ReleaseCandidate:
        found = make_release(int(requested or "1"))
        return ReleaseCandidate(found.version, found.commit, found.images)

    def verify_stub(self, _: Environment, found: ReleaseCandidate, __: Signer) -> None:
        self.vouched.append(found.version)

    def smoke(self, _: str, version: str, __: object, headers: dict[str, str], ___: str) -> None:
        if version == self.broken and not headers:
            raise CheckFailedError("the API answers 500", hint="look")


@pytest.fixture(autouse=True)
def wire(engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch, pair: tuple[str, str]) -> Wire:
    del engine  # it answers for every swarm, from now on
    wire = Wire()
    replaced = {
        "resolve_candidate": wire.candidate,
        "verify_candidate": lambda *_: None,
        "tag_digests": wire.versions.update,
        "attest_deployment": wire.verify_stub,
    }
    for name, stand_in in replaced.items():
        monkeypatch.setattr(deploy, name, stand_in)
    monkeypatch.setattr(steps, "run_smoke_test", wire.smoke)
    for name in STAGING.secrets:
        monkeypatch.setenv(name, f"swordfish-{name}")
    monkeypatch.setenv("DATABASE_URL", "postgres://owner:swordfish-1@db/ledger")
    for name, value in zip(("TLS_CERTIFICATE", "TLS_KEY"), pair, strict=True):
        monkeypatch.setenv(name, value)
    return wire


def run_deploy(number: int, **options: Any) -> None:  # noqa: ANN401 - flags of the command line
    deploy.deploy(STAGING, Signer(), str(number), **options)


def unreachable(*_: object) -> None:
    raise CheckFailedError("ready: answered 503, not 200", hint="look")


def live(engine: FakeSwarm) -> str:
    return service_image(engine.objects("service")["shop_backend"])


def test_a_deployment_brings_what_it_stands_on_and_gives_the_lock_back(
    engine: FakeSwarm, wire: Wire
) -> None:
    run_deploy(1)
    assert set(engine.objects("service")) == {"shop_edge", "shop_backend", "shop_frontend"}
    assert wire.vouched == ["v1.0.1"]
    assert "shop-lock" not in engine.objects("config")


def test_an_address_that_no_dump_could_use_is_refused_before_the_engine_is_asked(
    engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgres://owner:{'swordfish' * 200}@db/ledger")
    before = len(engine.requested)
    with pytest.raises(InputError, match="its password is longer"):
        run_deploy(1)
    assert len(engine.requested) == before
    bare = make_environment(timings=INSTANT_TIMINGS, backup_before_migrate=False)
    deploy.deploy(bare, Signer(), "1")
    assert live(engine) == make_release(1).images["backend"]


def test_a_version_is_given_to_the_digests_that_were_verified(wire: Wire) -> None:
    run_deploy(1)
    image, _, digest = make_release(1).images["backend"].partition("@")
    assert wire.versions[f"{image}:v1.0.1"] == digest


def test_an_older_release_that_was_asked_for_is_a_rollback_and_says_so(
    engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_deploy(2)
    monkeypatch.setattr(deploy, "is_ancestor", lambda *_: True)
    run_deploy(1)
    assert "v1.0.1 is older than the live release v1.0.2: this is a rollback" in (
        capsys.readouterr().err
    )
    assert journal.entries(engine, "shop")[-1].kind == "rollback"
    assert live(engine) == make_release(1).images["backend"]


def test_a_run_of_main_does_not_take_a_newer_release_back(
    engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_deploy(1)
    monkeypatch.setattr(deploy, "is_ancestor", lambda *_: True)
    with pytest.raises(InputError, match=r"the live release v1\.0\.1 is newer than v1\.0\.1"):
        deploy.deployment_kind(
            ReleaseCandidate("v1.0.1", "0" * 40, {}),
            journal.entries(engine, "shop")[-1],
            named=False,
        )


def test_what_is_live_already_is_not_deployed_again(
    engine: FakeSwarm, capsys: pytest.CaptureFixture[str]
) -> None:
    run_deploy(1)
    run_deploy(1)
    assert "v1.0.1 is already live" in capsys.readouterr().err
    assert len(journal.entries(engine, "shop")) == 1


def test_a_changed_secret_is_reason_enough_to_deploy_the_same_release(
    engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_deploy(1)
    monkeypatch.setenv("DATABASE_URL", "postgres://owner:swordfish-2@db/ledger")
    run_deploy(1)
    assert len(journal.entries(engine, "shop")) == 2


def test_to_look_first_prints_the_stack_and_touches_nothing(
    engine: FakeSwarm, capsys: pytest.CaptureFixture[str]
) -> None:
    run_deploy(1, dry_run=True)
    printed = capsys.readouterr().out
    assert make_release(1).images["backend"] in printed
    assert "swordfish" not in printed
    assert engine.requested == ["version", "node ls", "config ls"], "of the journal"


def test_no_secret_s_value_is_told_to_anybody_but_the_engine_s_secrets(
    engine: FakeSwarm, capsys: pytest.CaptureFixture[str]
) -> None:
    run_deploy(1)
    assert "swordfish" not in "".join(capsys.readouterr())
    assert "swordfish" not in str(engine.objects("service"))
    assert all("swordfish" not in content for content in engine.configs("").values())


def test_two_deployments_at_once_are_one_too_many(engine: FakeSwarm) -> None:
    acquire(engine, "shop", "deploy v1.0.1")
    with pytest.raises(LockedError, match=r"deploy v1\.0\.1$"):
        run_deploy(2)
    assert engine.objects("service") == {}


def test_going_back_takes_the_release_before_or_the_one_that_is_named(engine: FakeSwarm) -> None:
    for number in (1, 2, 3):
        run_deploy(number)
    engine.requested.clear()
    deploy.rollback(STAGING, None)
    assert "service rm shop-check" in engine.requested
    assert "service rm shop-migrate" not in engine.requested, "the database stays as it is"
    assert live(engine) == make_release(2).images["backend"]
    deploy.rollback(STAGING, "v1.0.1")
    assert live(engine) == make_release(1).images["backend"]
    assert journal.entries(engine, "shop")[-1].kind == "rollback"
    assert status.status(STAGING) == 0


def test_a_dry_rollback_prints_what_would_serve_and_changes_nothing(
    engine: FakeSwarm, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (1, 2):
        run_deploy(number)
    engine.requested.clear()
    capsys.readouterr()
    deploy.rollback(STAGING, None, dry_run=True)
    assert make_release(1).images["backend"] in capsys.readouterr().out
    assert not [line for line in engine.requested if CHANGES.search(line)]
    assert live(engine) == make_release(2).images["backend"]
    with pytest.raises(InputError, match="no good release"):
        deploy.rollback(STAGING, "v9", dry_run=True)


def die_in_the_bake(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    with monkeypatch.context() as death:
        death.setattr(runbook, "bake", lambda _: sys.exit())
        with pytest.raises(SystemExit):
            run_deploy(number)


def test_a_deployment_whose_deployer_died_is_undone_before_the_next_one(
    engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_deploy(1)
    die_in_the_bake(monkeypatch, 2)
    assert live(engine) == make_release(2).images["backend"]
    assert journal.unfinished(journal.entries(engine, "shop"))
    recover.recover(STAGING)
    assert journal.entries(engine, "shop")[-1].outcome == "abandoned"
    assert live(engine) == make_release(1).images["backend"]
    with pytest.raises(InputError, match="there is no unfinished deployment"):
        recover.recover(STAGING)


def test_history_and_status_tell_what_happened(
    engine: FakeSwarm, wire: Wire, capsys: pytest.CaptureFixture[str]
) -> None:
    wire.broken = "v1.0.2"
    run_deploy(1)
    with pytest.raises(RolledBackError):
        run_deploy(2)
    status.history(STAGING)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [(line[3], " ".join(line[4:-1])) for line in lines] == [
        ("v1.0.1", "succeeded"),
        ("v1.0.2", "rolled back"),
    ]
    assert status.status(STAGING) == 0
    assert "healthy   every replica runs the live release" in capsys.readouterr().out
    engine.remove_services("shop_frontend")
    engine.tasks_of("shop_backend").pop()
    assert status.status(STAGING) == 1
    received = capsys.readouterr().out
    assert "drift     backend has 1 of 2 replicas\n  drift     frontend is missing" in received


def test_status_tells_what_a_migration_that_failed_has_left(
    engine: FakeSwarm, capsys: pytest.CaptureFixture[str]
) -> None:
    run_deploy(1)
    engine.ends["shop-migrate"] = "failed"
    with pytest.raises(MigrationError):
        run_deploy(2)
    capsys.readouterr()
    engine.message["leftovers"] = "the index twin of twins is invalid: DROP INDEX CONCURRENTLY twin"
    assert status.status(STAGING) == 0
    assert "  database  the index twin of twins is invalid: DROP" in capsys.readouterr().out
    engine.message["leftovers"] = "nothing is left"
    status.status(STAGING)
    assert (
        "  database  the migration of v1.0.2 failed, and left nothing behind"
        in capsys.readouterr().out
    )
    engine.ends.clear()
    run_deploy(2)
    capsys.readouterr()
    status.status(STAGING)
    assert "database" not in capsys.readouterr().out


def test_a_secret_that_was_removed_is_made_anew_for_the_way_back(engine: FakeSwarm) -> None:
    run_deploy(1)
    run_deploy(2)
    for name in [name for name in engine.objects("secret") if "database_url" in name]:
        del engine.objects("secret")[name]
    deploy.rollback(STAGING, None)
    assert live(engine) == make_release(1).images["backend"]
    assert [name for name in engine.objects("secret") if "database_url" in name]


def test_a_secret_whose_value_is_not_known_any_more_is_named_before_anything_is_touched(
    engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_deploy(1)
    (gone,) = [name for name in engine.objects("secret") if "database_url" in name]
    monkeypatch.setenv("DATABASE_URL", "postgres://owner:swordfish-2@db/ledger")
    run_deploy(2)
    del engine.objects("secret")[gone]
    with pytest.raises(InputError, match=rf"v1\.0\.1 reads .*: DATABASE_URL \({gone}\)$") as caught:
        deploy.rollback(STAGING, None)
    assert caught.value.hint == "invoke deploy --env=staging --release=v1.0.1 uses current ones"
    assert live(engine) == make_release(2).images["backend"]
    run_deploy(1)  # as in the hint
    assert live(engine) == make_release(1).images["backend"]


def test_a_live_release_whose_image_is_dead_does_not_bar_the_way_back(
    engine: FakeSwarm, capsys: pytest.CaptureFixture[str]
) -> None:
    run_deploy(1)
    run_deploy(2)
    engine.message["barrier"] = '["shop.0002_adds"]'
    engine.ends[make_release(2).images["backend"]] = "rejected"
    engine.errors[make_release(2).images["backend"]] = "starting container failed"
    deploy.rollback(STAGING, None)
    assert live(engine) == make_release(1).images["backend"]
    assert (
        "inconclusive: whether older code is compatible with shop.0002_adds"
        in capsys.readouterr().err
    )


def test_status_tells_what_keeps_users_from_the_site(
    engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_deploy(1)
    assert status.status(STAGING) == 0
    received = capsys.readouterr().out
    assert "  edge      runs\n  users     https://shop.example.com opens\n" in received
    engine.tasks_of("shop_edge").clear()
    monkeypatch.setattr(site, "open_site", unreachable)
    assert status.status(STAGING) == OutageError.exit_code
    received = capsys.readouterr().out
    assert "  outage    edge has 0 of 1 replicas\n" in received
    assert "  outage    users cannot open the site: ready: answered 503, not 200\n" in received


def test_status_tells_which_replicas_have_lost_workers(
    engine: FakeSwarm, capsys: pytest.CaptureFixture[str]
) -> None:
    run_deploy(1)
    assert status.status(STAGING) == 0
    well = "  workers   no worker exited since its server started; 2 of 2 replicas report\n"
    assert well in capsys.readouterr().out
    engine.died[make_release(1).images["backend"]] = 3
    assert status.status(STAGING) == 0, "they were replaced"
    received = capsys.readouterr().out
    assert re.search(r"  workers   3 workers of shop_backend\.[12] .*; 3 workers of .*\n", received)


def test_status_tells_what_others_changed_past_the_deployer(
    engine: FakeSwarm, capsys: pytest.CaptureFixture[str]
) -> None:
    run_deploy(1)
    backend = engine.objects("service")["shop_backend"]
    backend["UpdateStatus"] = {"State": "rollback_paused"}
    spec = backend["Spec"]["TaskTemplate"]["ContainerSpec"]
    spec["Args"] = ["python", "-c", "exit()"]
    spec["Env"] = [*spec["Env"], "DEBUG=swordfish"]
    assert status.status(STAGING) == 1
    received = capsys.readouterr().out
    assert "drift     backend has an update that did not complete: rollback paused\n" in received
    assert "drift     backend runs another command\n" in received
    assert "drift     backend has other values of DEBUG\n" in received
    assert "swordfish" not in received


def test_only_a_dead_holder_s_lock_can_be_taken_away(engine: FakeSwarm) -> None:
    acquire(engine, "shop", "deploy v1")
    with pytest.raises(InputError, match="which is alive"):
        recover.unlock(STAGING)
    engine.late[0] = 61
    recover.unlock(STAGING)
    assert engine.objects("config") == {}


def test_a_deployment_to_a_closed_site_is_let_in_by_the_edge(
    engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, str]] = []
    monkeypatch.setattr(steps, "run_smoke_test", lambda *given: seen.append(given[3]))
    engine.create_config("shop-closed", '{"by": "ada", "since": "now"}', {})
    run_deploy(1)
    assert [sorted(headers) for headers in seen] == [["X-Insider", "X-Preview"], ["X-Insider"]]


@pytest.fixture
def dead(engine: FakeSwarm) -> FakeSwarm:
    """An engine whose third release serves no user any more."""
    for number in (1, 2, 3):
        run_deploy(number)
    for name in ("shop_backend", "shop_frontend"):
        for each in engine.tasks_of(name):
            each["Status"]["State"] = "failed"
    return engine


def test_a_rollback_gets_a_site_out_of_an_outage(dead: FakeSwarm) -> None:
    deploy.rollback(STAGING, None)
    assert live(dead) == make_release(2).images["backend"]
    assert status.status(STAGING) == 0


def test_a_fix_that_fails_in_an_outage_makes_way_for_the_last_release_that_served(
    dead: FakeSwarm, wire: Wire
) -> None:
    wire.broken = "v1.0.4"
    output = r"v1\.0\.3 did not serve before(.|\n)*v1\.0\.2 serves instead"
    with pytest.raises(RolledBackError, match=output):
        run_deploy(4)
    assert live(dead) == make_release(2).images["backend"]
    outcomes = [entry.outcome for entry in journal.entries(dead, "shop")]
    assert outcomes[-2:] == ["rollback failed", journal.SUCCEEDED]


def test_a_rollback_that_fails_in_an_outage_goes_further_back(dead: FakeSwarm, wire: Wire) -> None:
    wire.broken = "v1.0.2"
    with pytest.raises(RolledBackError, match=r"v1\.0\.1 serves instead"):
        deploy.rollback(STAGING, None)
    assert live(dead) == make_release(1).images["backend"]


def test_where_no_other_release_served_the_fix_stays(engine: FakeSwarm, wire: Wire) -> None:
    run_deploy(1)
    for each in engine.tasks_of("shop_backend"):
        each["Status"]["State"] = "failed"
    wire.broken = "v1.0.2"
    with pytest.raises(NoRollbackError, match=r"v1\.0\.1 did not serve before"):
        run_deploy(2)
    assert live(engine) == make_release(2).images["backend"]


def test_a_release_that_users_cannot_reach_is_not_live_already(
    engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_deploy(1)

    with monkeypatch.context() as redis_is_away:
        redis_is_away.setattr(health, "open_site", unreachable)
        run_deploy(1)
    assert len(journal.entries(engine, "shop")) == 2


def test_a_dead_release_of_a_deployer_who_died_does_not_stop_the_next_one(
    engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_deploy(1)
    die_in_the_bake(monkeypatch, 2)
    engine.ends[make_release(1).images["backend"]] = "failed"
    monkeypatch.setattr(deploy, "is_ancestor", lambda old, new: old < new)
    run_deploy(3)
    assert live(engine) == make_release(3).images["backend"]
    assert "cannot roll back to v1.0.1" in capsys.readouterr().err
