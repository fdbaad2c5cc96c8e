"""A release is live before the cleanup, and stays live if the cleanup fails."""

from collections.abc import Callable
from typing import NoReturn

import pytest

from pipeline.deploy.commands import deploy
from pipeline.deploy.rollout import cleanup, steps
from pipeline.deploy.rollout.candidate import ReleaseCandidate
from pipeline.deploy.state import deploy_lock as locking
from pipeline.deploy.state import journal
from pipeline.deploy.state.deploy_lock import (
    CLEANUP,
    CLEANUP_SECONDS,
    LockedError,
    acquire,
    parse_holder,
    read_lock,
)
from pipeline.deploy.state.journal import KEPT_RELEASES, SUCCEEDED
from pipeline.environments import NOTIFY_URL, Environment
from pipeline.errors import CheckFailedError
from pipeline.images.commands.cosign import Signer
from tests.clock import Clock
from tests.unit.deploy.factories import INSTANT_TIMINGS, make_environment, make_release
from tests.unit.deploy.fake_swarm import FakeSwarm

STAGING = make_environment(timings=INSTANT_TIMINGS, optional_secrets=[NOTIFY_URL])


@pytest.fixture(autouse=True)
def done(engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch, pair: tuple[str, str]) -> list[str]:
    """Signatures and notifications of deployments."""
    del engine  # it answers for every swarm, from now on
    done: list[str] = []

    def candidate(_: Environment, requested: str) -> ReleaseCandidate:
        found = make_release(int(requested))
        return ReleaseCandidate(found.version, found.commit, found.images)

    monkeypatch.setattr(deploy, "resolve_candidate", candidate)
    for name in ("verify_candidate", "tag_digests"):
        monkeypatch.setattr(deploy, name, lambda *_: None)
    monkeypatch.setattr(deploy, "attest_deployment", lambda *_: done.append("signed"))
    monkeypatch.setattr(
        "pipeline.deploy.rollout.notify.post", lambda _, output: done.append(output["outcome"])
    )
    monkeypatch.setattr(steps, "run_smoke_test", lambda *_: None)
    given = {name: f"swordfish-{name}" for name in STAGING.secrets}
    given |= {"DATABASE_URL": "postgres://owner:swordfish@db/ledger", NOTIFY_URL: "https://hook"}
    given |= zip(("TLS_CERTIFICATE", "TLS_KEY"), pair, strict=True)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return done


def run_deploy(number: int) -> None:
    deploy.deploy(STAGING, Signer(), str(number))


def test_all_is_said_and_the_lock_is_another_before_anything_is_removed(
    engine: FakeSwarm,
    done: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seen: list[object] = []

    def look(*_: object) -> None:
        (entry,) = journal.entries(engine, "shop")
        lock = read_lock(engine, "shop")
        assert lock
        serves = f"v1.0.1 serves at {STAGING.url}" in capsys.readouterr().err
        seen.extend((entry.outcome, [*done], parse_holder(lock).what, serves))

    monkeypatch.setattr(cleanup, "prune_releases", look)
    run_deploy(1)
    assert seen == [SUCCEEDED, ["signed", "succeeded"], CLEANUP, True]
    assert read_lock(engine, "shop") is None


def raising(fault: BaseException) -> Callable[..., NoReturn]:
    def prune(*_: object) -> NoReturn:
        raise fault

    return prune


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (CheckFailedError("the engine is full", hint="look"), "the engine is full"),
        (KeyboardInterrupt(), "interrupted"),
        (KeyError("ours"), "'ours'"),
        (LockedError("shop is locked by ada", hint="wait"), "shop is locked by ada"),
    ],
)
def test_a_cleanup_that_fails_or_is_ended_is_a_warning(
    engine: FakeSwarm,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    fault: BaseException,
    why: str,
) -> None:
    monkeypatch.setattr(cleanup, "prune_releases", raising(fault))
    run_deploy(1)
    output = "cleanup incomplete, the next deployment continues it: "
    assert capsys.readouterr().err.endswith(f"{output}{why}\n")
    assert read_lock(engine, "shop") is None
    assert journal.entries(engine, "shop")[-1].outcome == SUCCEEDED


def test_what_an_ended_cleanup_left_the_next_deployment_removes(
    engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as ended:
        ended.setattr(cleanup, "prune_releases", raising(KeyboardInterrupt()))
        for number in range(1, KEPT_RELEASES + 3):
            run_deploy(number)
    assert len(journal.entries(engine, "shop")) == KEPT_RELEASES + 2
    run_deploy(KEPT_RELEASES + 3)
    assert len(journal.entries(engine, "shop")) == KEPT_RELEASES


def test_another_deployment_waits_for_a_cleanup_and_is_not_refused(
    engine: FakeSwarm,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    acquire(engine, "shop", CLEANUP)

    def passes(seconds: float, sleep: Callable[[float], None] = clock.sleep) -> None:
        sleep(seconds)
        if clock.monotonic() >= 3:
            locking.release(engine, "shop")

    monkeypatch.setattr(clock, "sleep", passes)
    assert acquire(engine, "shop", "deploy v2").is_held
    assert clock.monotonic() == 3
    assert capsys.readouterr().err.count("waiting for the cleanup by ") == 1


def test_a_cleanup_is_not_waited_for_for_ever(engine: FakeSwarm, clock: Clock) -> None:
    acquire(engine, "shop", CLEANUP)
    with pytest.raises(LockedError, match=r": cleanup$"):
        acquire(engine, "shop", "deploy v2")
    assert CLEANUP_SECONDS < clock.monotonic() < CLEANUP_SECONDS + 5


@pytest.mark.parametrize(("what", "late"), [("deploy v1", 0), (CLEANUP, 61)])
def test_neither_a_deployment_nor_a_dead_cleanup_is_waited_for(
    engine: FakeSwarm, clock: Clock, what: str, late: float
) -> None:
    acquire(engine, "shop", what)
    engine.late[0] = late
    if what == CLEANUP:
        assert acquire(engine, "shop", "deploy v2").is_held
    else:
        with pytest.raises(LockedError):
            acquire(engine, "shop", "deploy v2")
    assert clock.monotonic() == 0
