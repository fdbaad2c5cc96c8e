"""noxfile.py is the table of contents of CI, and answers bad input in one sentence."""

import ast
import json
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, Run
from tests.unit.ci.test_session_environment import DROPPED, MIRROR

TREE = ast.parse((ROOT / "noxfile.py").read_text())
SESSIONS = [
    node
    for node in ast.walk(TREE)
    if isinstance(node, ast.FunctionDef)
    and any("nox.session" in ast.unparse(decorator) for decorator in node.decorator_list)
]


def body_lines(function: ast.FunctionDef) -> int:
    first = function.body[1] if len(function.body) > 1 else function.body[0]
    return (function.end_lineno or 0) - first.lineno + 1


def test_sessions_are_short() -> None:
    lengths = [body_lines(session) for session in SESSIONS]
    assert statistics.median(lengths) <= 6
    assert max(lengths) <= 15


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.name)
def test_every_session_says_in_one_line_what_it_does(session: ast.FunctionDef) -> None:
    line = ast.get_docstring(session)
    assert line
    assert "\n" not in line
    assert len(line) < 72


def test_it_imports_only_the_standard_library_nox_and_what_reads_the_settings() -> None:
    imported = {
        alias.name
        for node in ast.walk(TREE)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert imported - {"nox"} <= sys.stdlib_module_names
    taken = {node.module for node in ast.walk(TREE) if isinstance(node, ast.ImportFrom)}
    ours = {"pipeline.config", "pipeline.errors", "pipeline.files"}  # of the standard library
    assert taken == {"pathlib", *ours}


def test_settings_that_are_wrong_are_an_error_with_their_lines(checkout: Path, run: Run) -> None:
    settings = checkout / "pipeline.toml"
    settings.write_text(settings.read_text().replace("third_party =", "party ="))
    result = run("nox", "-l")
    assert result.returncode == 2
    assert re.match(r"error: pipeline\.toml:\d+: images\.party: there is no", result.stderr)
    assert "Traceback" not in result.stderr


def listed(run: Run, *options: str) -> list[str]:
    result = run("nox", "--list", "--json", *options)
    return [row["session"] for row in json.loads(result.stdout)]


def test_a_python_selects_exactly_the_djangos_that_it_runs(run: Run) -> None:
    assert listed(run, "-s", "tests-3.12") == [
        "tests-3.12(django='5.1')",
        "tests-3.12(django='5.2')",
        "tests-3.12(django='6.1')",
    ]
    assert listed(run, "-s", "tests-3.11") == [
        "tests-3.11(django='5.1')",
        "tests-3.11(django='5.2')",
    ]


def test_one_row_is_selected_by_its_signature(run: Run) -> None:
    row = "tests-3.12(django='5.2')"
    assert listed(run, "-s", row) == [row]


@pytest.mark.parametrize("name", ["tests-3.11(django='6.1')", "lintt"])
def test_a_session_that_does_not_exist_is_an_error_with_a_hint(run: Run, name: str) -> None:
    result = run("nox", "-s", name)
    assert result.returncode == 3
    assert f"Sessions not found: {name}" in result.stderr
    assert result.stderr.rstrip().endswith("hint: nox -l lists every session")


def test_it_runs_by_itself_and_hints_once(run: Run) -> None:
    result = run(sys.executable, "noxfile.py", "-s", "lintt")
    assert result.returncode == 3
    assert result.stderr.count("hint: nox -l lists every session") == 1


def test_a_missing_interpreter_is_an_error_with_a_hint(checkout: Path, run: Run) -> None:
    (checkout / ".python-version").write_text("3.99\n")
    result = run("nox", "-s", "lint", "--download-python=never")
    assert result.returncode == 1
    assert "Python interpreter 3.99 not found" in result.stderr
    assert "hint: uv python install 3.99" in result.stderr


def test_a_red_session_is_annotated_on_github(
    checkout: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    (checkout / "backend/requirements/django-5.2.txt").unlink()
    result = run("nox", "-s", "tests-3.12(django='5.2')")
    row = "tests-3.12(django='5.2')"
    assert f'::error::{row} aborted; run it again with: nox -s "{row}"\n' in result.stdout


def test_a_missing_lock_is_an_error_with_a_hint(checkout: Path, run: Run) -> None:
    (checkout / "requirements/lint.txt").unlink()
    result = run("nox", "-s", "lint")
    assert result.returncode == 1
    assert "no such lock: requirements/lint.txt" in result.stderr
    assert "hint: git checkout requirements/lint.txt" in result.stderr


def test_a_tampered_hash_is_an_error_with_a_hint(checkout: Path, run: Run) -> None:
    wrong = "ruamel-yaml==0.19.1 --hash=sha256:" + "0" * 64
    (checkout / "requirements/parity.txt").write_text(f"{wrong}\n")
    result = run("nox", "-s", "plan")
    assert result.returncode == 1
    assert "Hash mismatch" in result.stdout
    assert "hint: check the network; if a hash differs: git checkout" in result.stderr


SHOW = """

@nox.session(venv_backend="none")
def show(session: nox.Session) -> None:
    session.run("env", external=True)
"""


def test_a_session_sees_of_the_variables_of_tools_only_what_is_declared(
    checkout: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (checkout / "noxfile.py").open("a") as noxfile:
        noxfile.write(SHOW)
    for name in (*MIRROR, *DROPPED, "DATABASE_URL", "NODE_IMAGE"):
        monkeypatch.setenv(name, "x")
    # a script in a path with a space begins in sh, which drops names that it could not assign to
    lines = run("python", "-m", "nox", "-s", "show").stdout.splitlines()
    assert {f"{name}=x" for name in (*MIRROR, "DATABASE_URL", "NODE_IMAGE")} <= {*lines}
    assert {f"{name}=x" for name in DROPPED}.isdisjoint(lines)
    assert "UV_CONFIG_FILE=/dev/null" in lines


TOOL = """

@nox.session(python=PYTHON)
def tool(session: nox.Session) -> None:
    sync(session, "requirements/docs.txt")
    session.run("cog", "-d", "where.txt")
"""


def test_a_checkout_that_was_copied_or_moved_runs_its_own_tools(checkout: Path, run: Run) -> None:
    with (checkout / "noxfile.py").open("a") as noxfile:
        noxfile.write(TOOL)
    (checkout / "where.txt").write_text("[[[cog import sys; cog.outl(sys.prefix)]]]\n[[[end]]]\n")
    assert f"{checkout}/.nox/tool\n" in run("nox", "-s", "tool").stdout
    copied, moved = (checkout.with_name(name) for name in ("copied", "moved"))
    shutil.copytree(checkout, copied, symlinks=True)
    checkout.rename(moved)
    for place in (copied, moved):
        command = ["nox", f"--noxfile={place}/noxfile.py", "-s", "tool"]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert f"{place}/.nox/tool\n" in result.stdout, result.stderr


@pytest.mark.usefixtures("no_network")
def test_no_network_is_an_error_with_a_hint(run: Run) -> None:
    result = run("nox", "-s", "plan")
    assert result.returncode == 1
    assert "requirements/parity.txt could not be installed" in result.stderr
    assert "hint: check the network" in result.stderr
