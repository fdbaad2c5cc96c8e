"""Each row of the matrix really runs on its Node, with exactly the packages of its lock."""

import json
import os
from pathlib import Path

import pytest

from pipeline import node
from pipeline.errors import CheckFailedError, MissingToolError
from tests.conftest import ROOT

LOCK = '{"name": "project", "lockfileVersion": 3, "packages": {"": {"name": "project"}}}'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "package.json").write_text('{"name": "project"}')
    (folder / "package-lock.json").write_text(LOCK)
    return folder


@pytest.mark.parametrize("major", ["20", "22", "24"])
def test_the_wanted_node_comes_first(
    project: Path, major: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert node.main([f"--directory={project}", major, "node", "--version"]) == 0
    assert capfd.readouterr().out.splitlines()[-1].startswith(f"v{major}.")


def test_a_node_further_down_the_path_will_do_where_npm_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, version in (("first", "v24.1.0"), ("second", "v18.20.0")):
        program = tmp_path / name / "node"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\necho {version}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/first{os.pathsep}{tmp_path}/second")
    assert node.path_with_node("18").split(os.pathsep)[0] == f"{tmp_path}/second"


def test_a_node_that_cannot_be_had_is_an_error_with_a_hint() -> None:
    with pytest.raises(MissingToolError, match="node 19 is not here") as caught:
        node.path_with_node("19")
    assert caught.value.hint.endswith("nvm use 19")


def test_the_node_of_another_session_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / ".nox" / "other" / "bin" / "node"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho v19.1.0\n")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    assert node.path_with_node("19").split(os.pathsep)[0] == str(program.parent)


def test_a_tool_of_the_project_is_run_here_on_the_default_node(
    project: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "pipeline.toml").write_text('[default]\nnode = "24"\n')
    monkeypatch.chdir(tmp_path)
    node.install(project, {})
    tool = project / "node_modules" / ".bin" / "where"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\npwd; node --version\n")
    tool.chmod(0o755)
    assert node.main([f"--directory={project}", "--here", "default", "where"]) == 0
    here, version = capfd.readouterr().out.splitlines()[-2:]
    assert here == str(tmp_path)
    assert version.startswith("v24.")


def test_the_exit_code_is_that_of_the_command(project: Path) -> None:
    command = ["node", "-e", "process.exit(5)"]
    assert node.main([f"--directory={project}", "24", *command]) == 5


def test_packages_are_installed_again_only_when_the_lock_changed(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def installs() -> bool:
        node.install(project, {})
        return "+ npm ci" in capfd.readouterr().err

    assert [installs(), installs()] == [True, False]
    (project / "package-lock.json").write_text(LOCK + "\n")
    assert [installs(), installs()] == [True, False]


def test_a_lock_that_does_not_fit_is_an_error_and_leaves_no_stamp(project: Path) -> None:
    (project / "package.json").write_text('{"name": "project", "dependencies": {"left": "1"}}')
    with pytest.raises(CheckFailedError, match="could not be installed"):
        node.install(project, {})
    assert not (project / "node_modules/.installed-from").exists()


@pytest.mark.usefixtures("offline")
def test_without_a_network_it_says_so_and_leaves_no_stamp(project: Path) -> None:
    (project / "package.json").write_text('{"name": "project", "dependencies": {"ms": "2.1.3"}}')
    package = {"version": "2.1.3", "integrity": f"sha512-{'A' * 86}=="}
    root = {"name": "project", "dependencies": {"ms": "2.1.3"}}
    packages = {"": root, "node_modules/ms": package}
    lock = {"name": "project", "lockfileVersion": 3, "packages": packages}
    (project / "package-lock.json").write_text(json.dumps(lock))
    with pytest.raises(CheckFailedError) as caught:
        node.install(project, {"npm_config_fetch_retries": "0"})
    assert caught.value.hint.startswith("is the network there?")
    assert not (project / "node_modules/.installed-from").exists()
