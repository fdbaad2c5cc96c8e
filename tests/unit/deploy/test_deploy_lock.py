"""One deployment holds the lock; others name its holder. A lock of a dead holder is taken over."""

import threading
from base64 import b64encode
from datetime import UTC, datetime, timedelta, timezone

import pytest

from pipeline.deploy.cluster.retry import EngineUnavailableError
from pipeline.deploy.state import deploy_lock
from pipeline.deploy.state.deploy_lock import (
    LockedError,
    describe_lock,
    hold_lock,
    is_stale,
    parse_timestamp,
    read_lock,
    send_heartbeats,
)
from pipeline.process import CommandResult
from tests.unit.deploy.fake_swarm import FakeSwarm


@pytest.fixture(autouse=True)
def _clock_that_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime(2026, 11, 23, tzinfo=UTC)
    monkeypatch.setattr("tests.unit.deploy.fake_swarm.clock", lambda: moment)


def test_who_holds_the_lock_keeps_all_others_out_and_they_are_told_who(
    engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTOR", "ada")
    with hold_lock(engine, "shop", "deploy v1"):
        with pytest.raises(
            LockedError, match=r"^shop is locked by ada on .*: deploy v1$"
        ) as caught:
            deploy_lock.acquire(engine, "shop", "deploy v2")
        assert "invoke unlock" in caught.value.hint
        deploy_lock.acquire(engine, "other", "another stack is nobody's concern")
    assert read_lock(engine, "shop") is None
    deploy_lock.acquire(engine, "shop", "deploy v2")


def test_the_lock_is_given_back_whatever_becomes_of_the_deployment(engine: FakeSwarm) -> None:
    with pytest.raises(KeyboardInterrupt), hold_lock(engine, "shop", "deploy v1"):
        raise KeyboardInterrupt
    assert engine.objects("config") == {}


def test_a_lock_without_a_sign_of_life_for_a_minute_is_taken_over(
    engine: FakeSwarm, capsys: pytest.CaptureFixture[str]
) -> None:
    deploy_lock.acquire(engine, "shop", "deploy v1")
    engine.late[0] = 59
    with pytest.raises(LockedError):
        deploy_lock.acquire(engine, "shop", "deploy v2")
    engine.late[0] = 61
    deploy_lock.acquire(engine, "shop", "deploy v2")
    assert "taking over a stale lock of" in capsys.readouterr().err
    assert describe_lock(read_lock(engine, "shop")).endswith(": deploy v2")


def test_a_sign_of_life_keeps_it_and_only_the_newest_one_stays(
    engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deploy_lock, "HEARTBEAT_INTERVAL", 0.01)
    deploy_lock.acquire(engine, "shop", "deploy v1")
    engine.objects("config")["shop-lock"]["CreatedAt"] = "2026-01-01T00:00:00Z"
    assert is_stale(engine, "shop")
    over, signs, renew = threading.Event(), list[str](), deploy_lock.renew_heartbeat

    def renewed(*given: str) -> str:
        signs.append(renew(engine, *given[1:]))
        if len(signs) == 3:
            over.set()
        return signs[-1]

    monkeypatch.setattr(deploy_lock, "renew_heartbeat", renewed)
    send_heartbeats(engine, "shop", over)
    assert not is_stale(engine, "shop")
    assert len({*signs}) == 3
    assert len(engine.objects("config")) == 2


@pytest.mark.parametrize(
    "output", ["Cannot connect to the Docker daemon", "no space left on device"]
)
def test_an_engine_that_takes_no_sign_is_given_the_next_one_and_keeps_the_last(
    engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    deploy_lock.acquire(engine, "shop", "deploy v1")
    last = deploy_lock.renew_heartbeat(engine, "shop", "")
    taken = FakeSwarm.run

    def refused(self: FakeSwarm, *arguments: str, **given: str) -> CommandResult:
        return (
            CommandResult(arguments, 1, "", output)
            if "create" in arguments
            else taken(self, *arguments, **given)
        )

    with monkeypatch.context() as away:
        away.setattr(FakeSwarm, "run", refused)
        assert deploy_lock.renew_heartbeat(engine, "shop", last) == last
    assert last in engine.objects("config")
    assert deploy_lock.renew_heartbeat(engine, "shop", last) != last
    assert len(engine.objects("config")) == 2


def test_an_engine_that_is_away_does_not_end_the_signs_of_life(
    engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deploy_lock, "HEARTBEAT_INTERVAL", 0.01)
    over, tried = threading.Event(), list[str]()

    def renewed(_: object, __: str, last: str) -> str:
        tried.append(last)
        if len(tried) == 3:
            over.set()
        raise EngineUnavailableError("the engine does not answer", hint="docker node ls")

    monkeypatch.setattr(deploy_lock, "renew_heartbeat", renewed)
    send_heartbeats(engine, "shop", over)
    assert len(tried) == 3


def test_who_was_taken_over_does_not_give_back_what_is_another_s(engine: FakeSwarm) -> None:
    with hold_lock(engine, "shop", "deploy v1"):
        engine.late[0] = 61
        deploy_lock.acquire(engine, "shop", "deploy v2")
    assert describe_lock(read_lock(engine, "shop")).endswith(": deploy v2")


def test_who_comes_when_the_holder_has_just_left_is_told_to_try_again(
    engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy_lock.acquire(engine, "shop", "deploy v1")
    monkeypatch.setattr(deploy_lock, "read_lock", lambda *_: None)
    with pytest.raises(LockedError, match="is locked by a process that has just finished"):
        deploy_lock.acquire(engine, "shop", "deploy v2")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T10:00:00.123456789Z", datetime(2026, 11, 23, 10, 0, 0, 123456, UTC)),
        ("2026-11-23T10:00:00.5Z", datetime(2026, 11, 23, 10, 0, 0, 500000, UTC)),
        ("2026-11-23T10:00:00Z", datetime(2026, 11, 23, 10, 0, 0, 0, UTC)),
        (
            "2026-11-23T10:00:00.123456789+01:00",
            datetime(2026, 11, 23, 10, 0, 0, 123456, timezone(timedelta(hours=1))),
        ),
    ],
)
def test_the_engine_s_times_are_read_to_the_microsecond_and_in_its_zone(
    text: str, expected: datetime
) -> None:
    assert parse_timestamp(text) == expected


def test_a_lock_says_who_where_since_when_and_what_for() -> None:
    content = b'{"who": "ada", "where": "laptop, process 7", "what": "deploy v1.2.3"}'
    found = {
        "CreatedAt": "2026-11-23T10:00:00.123456789Z",
        "Spec": {"Name": "shop-lock", "Data": b64encode(content).decode()},
    }
    output = "ada on laptop, process 7, since 2026-11-23T10:00:00Z: deploy v1.2.3"
    assert describe_lock(found) == output
    assert describe_lock(None) == "a process that has just finished"
