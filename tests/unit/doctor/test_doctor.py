"""`invoke doctor` lists installed and missing programs, with the sessions that need them."""

import json
import re
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from pipeline import config, nox_sessions
from pipeline.doctor import programs, report, systems
from pipeline.doctor.programs import EVERYTHING, Program
from pipeline.errors import MissingToolError
from tests.conftest import ROOT

INSTALL = systems.install_commands("https://example.com/tool", "tool", macos="tool")


def program(version: str | None = "2.0.1", **given: str) -> Program:
    return Program("tool", ["lint", "sbom"], partial(looked, version), INSTALL, **given)


def looked(version: str | None) -> str:
    if version is None:
        raise MissingToolError("no such program: `tool`", hint="install it")
    return version


@pytest.mark.parametrize(
    ("wanted", "state"),
    [
        (program(), "ok"),
        (program(minimum="2.0"), "ok"),
        (program(minimum="10.0"), "too old"),
        (program(ci_version="2.0.1"), "ok"),
        (program(ci_version="2.1.0"), "different"),
        (program(None), "missing"),
    ],
)
def test_a_version_is_compared_with_the_wanted_one(wanted: Program, state: str) -> None:
    assert [each.state for each in report.check_programs([wanted], [])] == [state]


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Callable[[Program], None]:
    """Let one program be all that is looked for, on a Debian."""

    def look_for(only: Program) -> None:
        monkeypatch.setattr(report, "required_programs", lambda _: [only])
        monkeypatch.setattr(report, "detect_system", lambda: "debian")

    return look_for


def test_what_plain_nox_needs_and_is_not_here_is_an_error_with_the_command_to_install_it(
    here: Callable[[Program], None],
) -> None:
    here(program(None))
    with pytest.raises(MissingToolError, match="plain `nox` needs tool") as caught:
        report.doctor()
    assert caught.value.hint == "sudo apt-get install tool"
    assert caught.value.exit_code == 3


def test_a_task_of_the_name_of_a_session_is_not_that_session(
    here: Callable[[Program], None], capsys: pytest.CaptureFixture[str]
) -> None:
    assert "backend-check" in {session.name for session in nox_sessions.list_selected_sessions()}
    here(Program("tool", ["invoke build"], partial(looked, None), INSTALL))
    report.doctor()
    assert capsys.readouterr().out.endswith("\ncannot run here: invoke build\n")


def test_what_only_some_tasks_need_is_listed(
    here: Callable[[Program], None], capsys: pytest.CaptureFixture[str]
) -> None:
    here(Program("tool", ["sbom", "scan"], partial(looked, None), INSTALL))
    report.doctor()
    out = capsys.readouterr().out
    assert "hint: sudo apt-get install tool" in out
    assert out.endswith("\ncannot run here: sbom, scan\n")


def test_what_there_is_a_way_round_is_no_error(
    here: Callable[[Program], None], capsys: pytest.CaptureFixture[str]
) -> None:
    here(program(None, fallback="it is brought"))
    report.doctor()
    out = capsys.readouterr().out
    assert "without it: it is brought" in out
    assert "every session and task can run" in out


def test_it_says_the_same_as_json(
    here: Callable[[Program], None], capsys: pytest.CaptureFixture[str]
) -> None:
    here(program("1.9", minimum="2.0", fallback="it is slow"))
    report.doctor(as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["system"] == "debian"
    assert found["programs"] == [
        {
            "name": "tool",
            "state": "too old",
            "installed": "1.9",
            "minimum": "2.0",
            "ci": "",
            "needed_by": ["lint", "sbom"],
            "needed": True,
            "fallback": "it is slow",
            "install": "sudo apt-get install tool",
        }
    ]


def test_programs_serve_sessions_and_tasks_that_exist() -> None:
    listed = ["invoke", "--list", "--list-format=json"]
    answer = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    known = {f"invoke {task['name']}" for task in json.loads(answer)["tasks"]}
    known |= {session.name for session in nox_sessions.list_sessions()}
    for each in programs.required_programs(config.load()):
        assert {*each.needed_by} <= known | {EVERYTHING}, each.name


def test_every_program_that_code_requires_is_looked_for() -> None:
    required = re.compile(r"\brequire_tools\(([^)]*)\)")
    names = {
        name
        for file in (ROOT / "pipeline").rglob("*.py")
        for call in required.findall(file.read_text())
        for name in re.findall(r'"([a-z]+)"', call)
    }
    assert names
    assert names <= {each.name for each in programs.required_programs(config.load())}


def test_a_program_is_asked_for_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\necho tool version v1.22.333-beta\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert programs.version("tool", "--version")() == "1.22.333"
    tool.write_text("#!/bin/sh\necho broken >&2; exit 4\n")
    with pytest.raises(MissingToolError, match="broken"):
        programs.version("tool", "--version")()


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ({"ID": "debian"}, "debian"),
        ({"ID": "linuxmint", "ID_LIKE": "ubuntu debian"}, "ubuntu"),
        ({"ID": "fedora"}, "other"),
    ],
)
def test_the_system_is_that_from_which_this_one_is_made(
    monkeypatch: pytest.MonkeyPatch, release: dict[str, str], expected: str
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("platform.freedesktop_os_release", lambda: release)
    assert systems.detect_system() == expected


def test_macos_and_systems_that_do_not_say_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    assert systems.detect_system() == "macos"
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("platform.freedesktop_os_release", partial(refuse, OSError))
    assert systems.detect_system() == "other"
    assert INSTALL["macos"] == "brew install tool"
    assert INSTALL["other"] == INSTALL["ubuntu"] == "https://example.com/tool"


def refuse(error: type[Exception]) -> None:
    raise error
