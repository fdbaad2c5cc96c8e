"""What was done besides deploying is written down by name, and not for ever."""

import pytest

from pipeline.deploy.state.audit_log import KEPT, acts, note
from pipeline.errors import CheckFailedError
from tests.unit.deploy.fake_swarm import Engine


def test_it_says_who_did_what_and_what_became_of_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTOR", "ada")
    note(engine, "shop", "exec", "backend: ls", "exit code 0")
    note(engine, "other", "exec", "backend: ls", "exit code 0")
    (act,) = acts(engine, "shop")
    assert (act.by, act.kind) == ("ada", "exec")
    assert (act.what, act.outcome) == ("backend: ls", "exit code 0")


def test_what_is_long_ago_is_forgotten(engine: Engine) -> None:
    for number in range(KEPT + 3):
        note(engine, "shop", "exec", f"{number}", "begun")
    assert [act.what for act in acts(engine, "shop")] == [f"{n}" for n in range(3, KEPT + 3)]


def test_what_cannot_be_written_down_is_a_fault(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Engine, "create", lambda *_: None)
    with pytest.raises(CheckFailedError, match="the journal of shop cannot be written"):
        note(engine, "shop", "exec", "backend: ls", "begun")
