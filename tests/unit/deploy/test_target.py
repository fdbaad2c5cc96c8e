"""An engine that is too old is reported in one sentence, before any command."""

import pytest

from pipeline.deploy import target
from pipeline.deploy.cluster.client import SwarmClient
from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.target import connect, outdated_components
from pipeline.errors import InputError, MissingToolError
from pipeline.process import CommandResult
from pipeline.services import free_port
from tests.unit.deploy.factories import make_environment
from tests.unit.deploy.fake_swarm import FakeSwarm

STAGING = make_environment()


def answer(monkeypatch: pytest.MonkeyPatch, text: str, code: int = 0) -> None:
    output = CommandResult((), code, text, "Cannot connect to the Docker daemon")
    monkeypatch.setattr(SwarmClient, "require_manager", lambda _: None)
    monkeypatch.setattr(SwarmClient, "run", lambda *_: output)


def test_what_is_new_enough_is_taken(engine: FakeSwarm) -> None:
    del engine
    assert connect(STAGING) == DeployTarget(STAGING, SwarmClient())


@pytest.mark.parametrize(
    ("versions", "fault"),
    [
        ("25.0.3 26.1.5", "the docker here is 25.0.3, too old: 26.0 or newer is required"),
        (
            "28.2.2 19.03.15",
            "the engine of this machine is 19.03.15, too old: 20.10 or newer is required",
        ),
    ],
)
def test_what_is_too_old_is_named_with_the_least(
    monkeypatch: pytest.MonkeyPatch, versions: str, fault: str
) -> None:
    answer(monkeypatch, versions)
    with pytest.raises(MissingToolError) as caught:
        connect(STAGING)
    assert str(caught.value) == fault
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    "versions", ["26.0.0 20.10.0", "master-dockerproject-2026 dev", "29.1 29.1"]
)
def test_the_least_and_what_has_no_number_are_taken(
    monkeypatch: pytest.MonkeyPatch, versions: str
) -> None:
    answer(monkeypatch, versions)
    assert outdated_components(SwarmClient()) == []


def test_one_that_does_not_answer_is_not_taken_for_new(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "28.2.2 ", code=1)
    with pytest.raises(InputError, match="this machine does not answer"):
        target.outdated_components(SwarmClient())


def test_a_host_out_of_reach_is_named_once_with_what_to_correct() -> None:
    host = f"ssh://deploy@127.0.0.1:{free_port()}"
    with pytest.raises(InputError) as caught:
        connect(make_environment(host=host, known_hosts=["127.0.0.1 ssh-ed25519 AAAA"]))
    assert str(caught.value).startswith(f"{host} cannot be reached: ")
    assert str(caught.value).count(host) == 1
    assert caught.value.hint.startswith("check `host` and `known_hosts`")
