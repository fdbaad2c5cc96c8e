"""Each row of the matrix really runs on its Node, with exactly the packages of its lock."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import node
from pipeline.errors import CheckFailedError, MissingToolError
from tests import settings
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
    with pytest.raises(MissingToolError, match="node 19 is missing") as caught:
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
    (tmp_path / "pipeline.toml").write_text(settings.text())
    monkeypatch.chdir(tmp_path)
    node.install_packages(project, {})
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
        node.install_packages(project, {})
        return "+ npm ci" in capfd.readouterr().err

    assert [installs(), installs()] == [True, False]
    (project / "package-lock.json").write_text(LOCK + "\n")
    assert [installs(), installs()] == [True, False]


SETTINGS = {
    "NODE_ENV": {"NODE_ENV": "production"},
    "omit": {".npmrc": "omit=dev"},
    "omit in a variable": {"NPM_CONFIG_OMIT": "dev"},
    "dry-run": {".npmrc": "dry-run=true"},
    "links": {".npmrc": "bin-links=false"},
    "age": {".npmrc": "min-release-age=9999"},
    "scripts": {".npmrc": "ignore-scripts=true"},
    "global": {".npmrc": "location=global"},
}


def received(setting: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Live in a home and a shell with a setting."""
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for name, value in SETTINGS[setting].items():
        if name == ".npmrc":
            (home / name).write_text(f"{value}\n")
        else:
            monkeypatch.setenv(name, value)


def make_tools(project: Path) -> Path:
    """Make a project whose tests are run by a tool of its own, after something else."""
    tool = project / "tool"
    tool.mkdir(parents=True)
    (tool / "package.json").write_text('{"name": "tool", "version": "1.0.0", "bin": "tool.js"}')
    (tool / "tool.js").write_text("#!/usr/bin/env node\nconsole.log(process.env.NODE_ENV)\n")
    root = {"name": "project", "devDependencies": {"tool": "file:tool"}}
    scripts = {"pretest": "echo before", "test": "tool"}
    (project / "package.json").write_text(json.dumps({**root, "scripts": scripts}))
    packages = {
        "": root,
        "node_modules/tool": {"resolved": "tool", "link": True},
        "tool": {"version": "1.0.0", "dev": True, "bin": {"tool": "tool.js"}},
    }
    lock = {"name": "project", "lockfileVersion": 3, "packages": packages}
    (project / "package-lock.json").write_text(json.dumps(lock))
    return project


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    return make_tools(tmp_path / "tools")


@pytest.fixture(scope="module")
def installed_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = make_tools(tmp_path_factory.mktemp("once") / "tools")
    node.install_packages(made, {})
    return made


@pytest.fixture
def installed(installed_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(installed_once, tmp_path / "tools", symlinks=True))


@pytest.mark.parametrize("setting", SETTINGS)
def test_all_tools_are_installed_whatever_a_home_or_a_shell_says(
    tools: Path, tmp_path: Path, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    received(setting, tmp_path, monkeypatch)
    node.install_packages(tools, {})
    assert (tools / "node_modules/.bin/tool").exists()


@pytest.mark.parametrize("setting", ["omit", "scripts"])
def test_scripts_run_as_they_are_written_whatever_a_home_says(
    tools: Path,
    tmp_path: Path,
    setting: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    received(setting, tmp_path, monkeypatch)
    assert node.main([f"--directory={tools}", "24", "npm", "test", "--silent"]) == 0
    assert capfd.readouterr().out.splitlines()[-2:] == ["before", "undefined"]


CHANGES: dict[str, Callable[[Path], object]] = {
    "a package is gone": lambda modules: (modules / "tool").unlink(),
    "npm took one away": lambda modules: npm(modules, "prune", "--omit=dev"),
    "npm added one": lambda modules: npm(modules, "install", "--no-save", "./other"),
    "all is gone": shutil.rmtree,
    "npm's list is damaged": lambda modules: (modules / ".package-lock.json").write_text("{"),
    "another way to install": lambda modules: (modules / ".installed-from").write_text("0" * 64),
}


def npm(modules: Path, *arguments: str) -> None:
    """Do something by hand."""
    other = modules.parent / "other"
    other.mkdir(exist_ok=True)
    (other / "package.json").write_text('{"name": "other", "version": "1.0.0"}')
    command = ["npm", *arguments, "--silent"]
    subprocess.run(command, cwd=modules.parent, check=True)


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_changed_by_hand_is_made_anew_and_said(
    installed: Path, change: str, capfd: pytest.CaptureFixture[str]
) -> None:
    CHANGES[change](installed / "node_modules")
    capfd.readouterr()
    node.install_packages(installed, {})
    output = capfd.readouterr().err
    assert re.search(r"\+ npm ci .+: (nothing is|it was|node_modules was) ", output)
    assert (installed / "node_modules/.bin/tool").exists()
    assert not (installed / "node_modules/other").exists()
    node.install_packages(installed, {})
    assert capfd.readouterr().err == ""


def test_what_npm_leaves_out_is_an_error_and_leaves_no_stamp(tools: Path) -> None:
    (tools / ".npmrc").write_text("dry-run=true\n")  # of the project: nothing overrules it
    with pytest.raises(CheckFailedError, match="npm left out 2 packages, such as ") as caught:
        node.install_packages(tools, {})
    assert caught.value.hint.startswith(f"npm --prefix {tools} config list")
    assert not (tools / node.STAMP).exists()


def test_a_lock_that_does_not_fit_is_an_error_and_leaves_no_stamp(project: Path) -> None:
    (project / "package.json").write_text('{"name": "project", "dependencies": {"left": "1"}}')
    with pytest.raises(CheckFailedError, match="could not be installed"):
        node.install_packages(project, {})
    assert not (project / "node_modules/.installed-from").exists()


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("cut_off", ["false", "true"])
def test_without_a_network_it_says_so_and_leaves_no_stamp(project: Path, cut_off: str) -> None:
    (project / "package.json").write_text('{"name": "project", "dependencies": {"ms": "2.1.3"}}')
    package = {"version": "2.1.3", "integrity": f"sha512-{'A' * 86}=="}
    root = {"name": "project", "dependencies": {"ms": "2.1.3"}}
    packages = {"": root, "node_modules/ms": package}
    lock = {"name": "project", "lockfileVersion": 3, "packages": packages}
    (project / "package-lock.json").write_text(json.dumps(lock))
    cut = {"npm_config_fetch_retries": "0", "npm_config_offline": cut_off}
    with pytest.raises(node.UnreachableError) as caught:
        node.install_packages(project, cut)
    assert caught.value.hint.startswith("check the network")
    assert not (project / "node_modules/.installed-from").exists()
