"""Other actions than deploys are recorded with their user, for a limited time."""

import pytest

from pipeline.deploy.state.audit_log import MAX_ENTRIES, entries, record
from pipeline.errors import CheckFailedError
from tests.unit.deploy.fake_swarm import FakeSwarm


def test_it_says_who_did_what_and_what_became_of_it(
    engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTOR", "ada")
    record(engine, "shop", "exec", "backend: ls", "exit code 0")
    record(engine, "other", "exec", "backend: ls", "exit code 0")
    (act,) = entries(engine, "shop")
    assert (act.by, act.kind) == ("ada", "exec")
    assert (act.what, act.outcome) == ("backend: ls", "exit code 0")


def test_what_is_long_ago_is_forgotten(engine: FakeSwarm) -> None:
    for number in range(MAX_ENTRIES + 3):
        record(engine, "shop", "exec", f"{number}", "started")
    assert [act.what for act in entries(engine, "shop")] == [
        f"{n}" for n in range(3, MAX_ENTRIES + 3)
    ]


def test_what_cannot_be_written_down_is_a_fault(
    engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeSwarm, "create_object", lambda *_: None)
    with pytest.raises(CheckFailedError, match="the journal of shop cannot be written"):
        record(engine, "shop", "exec", "backend: ls", "started")
