"""A release serves before anything is cleaned up, and whatever comes of that it has served."""

from collections.abc import Callable
from typing import NoReturn

import pytest

from pipeline.deploy import journal, operate, pruning, steps
from pipeline.deploy import lock as locking
from pipeline.deploy.journal import GOOD, KEPT
from pipeline.deploy.lock import CLEANUP, CLEANUP_SECONDS, LockedError, current, held_by, take
from pipeline.deploy.prepare import Candidate
from pipeline.environments import NOTIFY_URL, Environment
from pipeline.errors import CheckFailedError
from pipeline.images.cosign import Signer
from tests.clock import Clock
from tests.deploying.engine import Engine
from tests.deploying.examples import AT_ONCE, environment, release

STAGING = environment(timings=AT_ONCE, optional=[NOTIFY_URL])


@pytest.fixture(autouse=True)
def done(engine: Engine, monkeypatch: pytest.MonkeyPatch, pair: tuple[str, str]) -> list[str]:
    """What was signed and told of deployments; images and signatures are given."""
    del engine  # it answers for every swarm, from now on
    done: list[str] = []

    def candidate(_: Environment, asked: str) -> Candidate:
        found = release(int(asked))
        return Candidate(found.version, found.commit, found.images)

    monkeypatch.setattr(operate, "candidate", candidate)
    for name in ("trust", "give"):
        monkeypatch.setattr(operate, name, lambda *_: None)
    monkeypatch.setattr(operate, "vouch", lambda *_: done.append("signed"))
    monkeypatch.setattr("pipeline.deploy.notify.tell", lambda _, said: done.append(said["outcome"]))
    monkeypatch.setattr(steps, "smoke", lambda *_: None)
    given = {name: f"swordfish-{name}" for name in STAGING.secrets}
    given |= {"DATABASE_URL": "postgres://clerk:swordfish@db/ledger", NOTIFY_URL: "https://told"}
    given |= zip(("TLS_CERTIFICATE", "TLS_KEY"), pair, strict=True)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return done


def deploy(number: int) -> None:
    operate.deploy(STAGING, Signer(), str(number))


def test_all_is_said_and_the_lock_is_another_before_anything_is_removed(
    engine: Engine,
    done: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seen: list[object] = []

    def look(*_: object) -> None:
        (entry,) = journal.entries(engine, "shop")
        lock = current(engine, "shop")
        assert lock
        serves = f"v1.0.1 serves at {STAGING.url}" in capsys.readouterr().err
        seen.extend((entry.outcome, [*done], held_by(lock).what, serves))

    monkeypatch.setattr(pruning, "prune", look)
    deploy(1)
    assert seen == [GOOD, ["signed", "succeeded"], CLEANUP, True]
    assert current(engine, "shop") is None


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
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    fault: BaseException,
    why: str,
) -> None:
    monkeypatch.setattr(pruning, "prune", raising(fault))
    deploy(1)
    said = "not all that is old was removed, which the next deployment does: "
    assert capsys.readouterr().err.endswith(f"{said}{why}\n")
    assert current(engine, "shop") is None
    assert journal.entries(engine, "shop")[-1].outcome == GOOD


def test_what_an_ended_cleanup_left_the_next_deployment_removes(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as ended:
        ended.setattr(pruning, "prune", raising(KeyboardInterrupt()))
        for number in range(1, KEPT + 3):
            deploy(number)
    assert len(journal.entries(engine, "shop")) == KEPT + 2
    deploy(KEPT + 3)
    assert len(journal.entries(engine, "shop")) == KEPT


def test_another_deployment_waits_for_a_cleanup_and_is_not_refused(
    engine: Engine,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    take(engine, "shop", CLEANUP)

    def passes(seconds: float, sleep: Callable[[float], None] = clock.sleep) -> None:
        sleep(seconds)
        if clock.monotonic() >= 3:
            locking.release(engine, "shop")

    monkeypatch.setattr(clock, "sleep", passes)
    assert take(engine, "shop", "deploy v2").held
    assert clock.monotonic() == 3
    assert capsys.readouterr().err.count("waiting for the cleanup by ") == 1


def test_a_cleanup_is_not_waited_for_for_ever(engine: Engine, clock: Clock) -> None:
    take(engine, "shop", CLEANUP)
    with pytest.raises(LockedError, match=r": cleanup$"):
        take(engine, "shop", "deploy v2")
    assert CLEANUP_SECONDS < clock.monotonic() < CLEANUP_SECONDS + 5


@pytest.mark.parametrize(("what", "late"), [("deploy v1", 0), (CLEANUP, 61)])
def test_neither_a_deployment_nor_a_dead_cleanup_is_waited_for(
    engine: Engine, clock: Clock, what: str, late: float
) -> None:
    take(engine, "shop", what)
    engine.late[0] = late
    if what == CLEANUP:
        assert take(engine, "shop", "deploy v2").held
    else:
        with pytest.raises(LockedError):
            take(engine, "shop", "deploy v2")
    assert clock.monotonic() == 0
