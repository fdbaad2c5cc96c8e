"""The docker CLI connects to the right engine, and its errors become one sentence.

Docker is a double here: a script that records its arguments, and can fail.
"""

from pathlib import Path

import pytest

from pipeline.deploy.cluster.client import SwarmClient
from pipeline.deploy.cluster.retry import EngineUnavailableError
from pipeline.deploy.cluster.ssh import SSHTunnel
from pipeline.errors import CheckFailedError, InputError

DOCKER = """#!/bin/sh
echo "$DOCKER_HOST|$*" >> calls
cat >> given
[ ! -e fails ] || { cat fails >&2; exit 1; }
"""


class Far(SSHTunnel):
    """A way to another machine, which has tests of its own."""

    def __init__(self, *, lost: bool = False) -> None:
        super().__init__("ssh://far", Path(), has_key=False)
        self.__dict__["lost"] = lost

    def ensure_open(self) -> str:
        if self.__dict__["lost"]:
            raise InputError("ssh://far is lost", hint="look at the network")
        return "unix:///far"


@pytest.fixture(autouse=True)
def _docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    Path("docker").write_text(DOCKER)
    Path("docker").chmod(0o755)


def test_the_host_of_the_environment_is_asked_or_this_machine() -> None:
    SwarmClient(Far()).require_manager()
    SwarmClient().require_manager()
    requested = "node ls --format={{.ID}}"
    assert Path("calls").read_text() == f"unix:///far|{requested}\n|{requested}\n"


def test_a_host_that_is_lost_is_away_and_one_that_never_was_there_is_refused() -> None:
    lost = SwarmClient(Far(lost=True))
    with pytest.raises(
        EngineUnavailableError, match="the engine does not answer: ssh://far is lost"
    ):
        lost.tasks("shop_backend")
    with pytest.raises(InputError, match="ssh://far is lost"):
        lost.require_manager()


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("", "this machine is not a swarm manager: no output"),
        ("warning\nError: not a swarm manager\n", "manager: Error: not a swarm manager"),
    ],
)  # fmt: skip
def test_an_engine_that_is_no_manager_is_refused_with_its_last_words(
    output: str, sentence: str
) -> None:
    Path("fails").write_text(output)
    with pytest.raises(InputError, match=sentence) as caught:
        SwarmClient().require_manager()
    assert "docker swarm init" in caught.value.hint


@pytest.mark.parametrize(
    ("output", "sentence"), [("", "no output"), ("a\nno space left\n", "no space left")]
)
def test_what_the_engine_does_not_do_is_a_fault_without_what_it_was_given(
    output: str, sentence: str
) -> None:
    Path("fails").write_text(output)
    with pytest.raises(CheckFailedError) as caught:
        SwarmClient().check_output(
            "secret", "create", "--label=a=b", "name", "-", stdin="swordfish"
        )
    assert str(caught.value) == f"`docker secret create` failed: {sentence}"


def test_a_secret_s_value_is_read_by_docker_and_is_on_no_command_line() -> None:
    SwarmClient().ensure_secrets({"shop-key-01234567": "swordfish"}, "pipeline.stack=shop")
    assert "swordfish" not in Path("calls").read_text()
    assert Path("given").read_text() == "swordfish"


def test_what_is_not_there_has_no_tasks_and_is_no_service() -> None:
    assert SwarmClient().service("shop_backend") is None
    assert SwarmClient().tasks("shop_backend") == []
