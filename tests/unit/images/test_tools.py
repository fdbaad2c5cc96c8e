"""Commands are printed or run in order, and only if their tools exist."""

from pathlib import Path

import pytest

from pipeline.errors import CheckFailedError, MissingToolError
from pipeline.images.tools import (
    INSTALL_ENGINE,
    INSTALL_HINTS,
    START_ENGINE,
    command_output,
    is_engine_available,
    no_engine_error,
    require_tools,
    run_commands,
)
from tests.unit.images.conftest import Calls, CopyProject, set_engine_state

pytestmark = pytest.mark.usefixtures("project")


def test_a_dry_run_prints_what_a_shell_would_take_and_runs_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run_commands([("no-such-tool", "--name=a b"), ("other", "$HOME")], dry_run=True)
    assert capsys.readouterr().out == "no-such-tool '--name=a b'\nother '$HOME'\n"


def test_what_follows_a_failure_is_not_run(put: CopyProject, calls: Calls) -> None:
    put("docker")
    commands = [
        ("docker", "version"),
        ("docker", "explode", "now", "please"),
        ("docker", "version"),
    ]
    with pytest.raises(CheckFailedError, match="`docker explode now …` failed with 1"):
        run_commands(commands)
    assert calls() == ["docker version", "docker explode now please"]


def test_commands_are_shown_while_they_run(
    put: CopyProject, capsys: pytest.CaptureFixture[str]
) -> None:
    put("docker")
    run_commands([("docker", "version")])
    assert capsys.readouterr().err == "+ docker version\n"


def test_a_question_that_fails_says_why_and_how_to_ask_it(put: CopyProject) -> None:
    put("docker")
    with pytest.raises(CheckFailedError, match=r"failed: Error .*: No such image: 'a'") as caught:
        command_output(("docker", "image", "inspect", "'a'"))
    assert caught.value.hint == """docker image inspect ''"'"'a'"'"''"""


def test_a_question_that_fails_in_silence_says_so() -> None:
    with pytest.raises(CheckFailedError, match="`sh -c exit 3 …` failed: no output"):
        command_output(("sh", "-c", "exit 3"))


def test_all_missing_tools_are_named_at_once_with_where_they_are_to_be_had() -> None:
    with pytest.raises(
        MissingToolError, match="missing tools: docker, syft, trivy, cosign"
    ) as caught:
        require_tools("docker", "syft", "trivy", "cosign")
    assert all(place in caught.value.hint for place in INSTALL_HINTS.values())


def test_docker_is_missing_while_its_engine_is_down(put: CopyProject, tmp_path: Path) -> None:
    assert not is_engine_available()
    put("docker")
    set_engine_state(tmp_path, on=True)
    assert is_engine_available()
    require_tools("docker")
    set_engine_state(tmp_path, on=False)
    with pytest.raises(MissingToolError, match="no Docker Engine answers"):
        require_tools("docker")


def test_an_engine_is_started_where_its_client_is_and_installed_where_it_is_not(
    project: Path,
) -> None:
    assert no_engine_error("image").hint == INSTALL_ENGINE
    client = project.parent / "bin" / "docker"
    client.write_text("#!/bin/sh\n")
    client.chmod(0o755)
    assert no_engine_error("image").hint == START_ENGINE
    client.write_text('#!/bin/sh\ntest "$1" != compose\n')
    assert no_engine_error("image").hint == INSTALL_ENGINE
