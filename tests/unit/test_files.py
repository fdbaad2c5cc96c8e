"""A file that people write is read in one place, and what is wrong with it is one sentence."""

import ast
import shutil
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from pipeline import config, dependency_locks, files, waivers, yaml
from pipeline.checks import licenses, shipped_packages
from pipeline.deploy import environment_secrets
from pipeline.deploy.cluster import one_shot_jobs, stackfile
from pipeline.docs import links, tables
from pipeline.docs_commands.command_blocks import parse_blocks
from pipeline.doctor import programs
from pipeline.errors import InputError
from pipeline.fault_injection import catalog
from pipeline.files import UnreadableFileError
from pipeline.github import loader
from pipeline.images import build, pin
from pipeline.parity.repository import parse_action
from tests import settings
from tests.conftest import ROOT, Run

READERS: dict[str, Callable[[Path], object]] = {**files.READERS, ".yml": yaml.read_yaml}


AS_ANOTHER = """\
import os
from pipeline.errors import handle_errors
from pipeline.files import main
if os.geteuid() == 0:  # who is root may read everything
    os.setuid(65534)
with handle_errors():
    main(["pipeline.toml"])
"""


def read(path: Path) -> object:
    return READERS.get(path.suffix, files.read_text)(path)


@pytest.mark.parametrize(
    ("name", "content", "output"),
    [
        ("a.txt", b"\xef\xbb\xbf3.12\n", "a.txt:1: the file begins with a byte order mark"),
        ("a.txt", b"one\ntw\xf6\n", "a.txt:2: the file is not UTF-8"),
        ("a.txt", "3.12\n".encode("utf-16"), "a.txt:1: the file is not UTF-8"),
        ("a.txt", b"a\n<<<<<<< HEAD\nb\n", "a.txt:2: a merge conflict is not resolved"),
        ("a.txt", b"a\r\nb\r\n>>>>>>> x\r\n", "a.txt:3: a merge conflict is not resolved"),
        ("a.toml", b"[a]\nb = \n", "a.toml:2: not TOML: invalid value"),
        ("a.toml", b"a = 1\na = 2\n", "a.toml:2: not TOML: cannot overwrite a value"),
        ("a.toml", b"a = 2026-02-30\n", "a.toml:1: not TOML: invalid date or datetime"),
        ("a.toml", b"[a]\nb = [\n", "a.toml:3: not TOML: invalid value"),
        ("a.toml", b"a = " + b"[" * 9000, "a.toml: not TOML: maximum recursion depth exceeded"),
        ("a.json", b"", "a.json:1: not JSON: expecting value"),
        ("a.json", b'{"a": 1,\n"b" 2}', "a.json:2: not JSON: expecting ':' delimiter"),
        ("a.json", b'{"a": {"b": 1,\n"b": 2}}', "a.json: not JSON: the key `b` is used twice"),
        ("a.json", b"[" * 100000, "a.json: not JSON: maximum recursion depth exceeded"),
        ("a.yml", b"a: 1\n\tb: 2\n", "a.yml:2: not YAML: "),
        ("a.yml", b"a: 1\na: 2\n", "a.yml:2: not YAML: found duplicate key"),
        ("a.yml", b"a: \x00", "a.yml:1: not YAML: "),
        ("a.yml", b"[" * 1000, "a.yml:1: not YAML: maximum recursion depth exceeded"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, output: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(content)
    with pytest.raises(UnreadableFileError) as caught:
        read(Path(name))
    assert str(caught.value).startswith(output)
    assert "\n" not in str(caught.value)
    assert name in caught.value.hint or "save it as UTF-8" in caught.value.hint


@pytest.mark.parametrize("name", ["a.txt", "a.toml", "a.json", "a.yml"])
def test_what_cannot_be_opened_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path(name).mkdir()
    Path("loop").symlink_to("loop")
    output = {name: "is a directory", f"gone/{name}": "no such file", f"file/{name}": "not a dir"}
    for path, why in output.items():
        with pytest.raises(UnreadableFileError, match=rf"{path}: {why}"):
            read(Path(path))
    with pytest.raises(UnreadableFileError, match="loop: too many levels of symbolic links"):
        files.read_text(Path("loop"))


def test_a_file_of_another_user_is_one_sentence(run: Run, checkout: Path) -> None:
    (checkout / "pipeline.toml").chmod(0)
    for folder in [checkout, *checkout.parents][:4]:
        folder.chmod(0o755)
    result = run(sys.executable, "-c", AS_ANOTHER)
    assert (
        result.stderr == "error: pipeline.toml: permission denied\n\nhint: ls -ld pipeline.toml\n"
    )
    assert result.returncode == 2


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_a_text_is_the_same_whatever_its_line_ends(tmp_path: Path, ends: str) -> None:
    (tmp_path / "a").write_bytes(ends.join(["größe", "b", ""]).encode())
    assert files.read_text(tmp_path / "a") == "größe\nb\n"


def test_a_text_is_utf_8_in_whatever_locale(run: Run, checkout: Path) -> None:
    (checkout / "a.txt").write_bytes(b"gr\xf6\xdfe")
    latin = ["env", "PYTHONUTF8=0", "PYTHONCOERCECLOCALE=0", "LC_ALL=C"]
    result = run(*latin, sys.executable, "-m", "pipeline.files", "a.txt", "README.md")
    assert result.stderr.startswith("error: a.txt:1: the file is not UTF-8\n")


def test_all_files_are_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.toml").write_text("a = ")
    Path("c.toml").write_text("c = 1")
    with pytest.raises(InputError) as caught:
        files.main(["a.toml", "b.json", "c.toml"])
    assert str(caught.value) == (
        "a.toml:1: not TOML: invalid value\nb.json: no such file or directory"
    )


WRITTEN: dict[str, Callable[[Path], object]] = {
    ".env.staging": environment_secrets.parse_env_file,
    ".github/actions/a/action.yml": parse_action,
    ".github/workflows/ci.yml": lambda path: loader.load_workflow(path.name),
    ".python-version": lambda _: config.python_versions(),
    "a.md": lambda path: [*parse_blocks(path)],
    "b.md": lambda path: [*links.link_addresses(path)],
    "backend/Dockerfile": lambda _: build.base_images("backend"),
    "backend/requirements/production.txt": lambda _: shipped_packages.shipped_packages(),
    "deploy/dump.sh": lambda path: one_shot_jobs.script_command(path.name),
    "deploy/edge.yml": stackfile.services_of_file,
    "docker-compose.yml": lambda _: pin.pin_base_images(dry_run=True),
    "docs/times.json": lambda _: tables.change_timings_table(),
    "faults/a.toml": lambda path: catalog.load_catalog(path.parent),
    "requirements/a.txt": dependency_locks.recorded_command,
    "requirements/dev.txt": lambda _: [*programs.required_programs(settings.settings())],
    "security/exceptions.toml": lambda _: waivers.load_waivers(date(2026, 11, 23)),
    "security/licences.toml": lambda _: licenses.read_rules(),
}
"""What people write, and who in the engine reads it."""


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("content", [b"a: \xf6\n", b"\xef\xbb\xbfa: 1\n", b"<<<<<<< HEAD\n", None])
def test_every_reader_says_so_and_has_one_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes | None
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "pipeline.toml", "pipeline.toml")
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700) if content is None else path.write_bytes(content)
    path.chmod(0o700)
    with pytest.raises(InputError) as caught:
        WRITTEN[name](path)
    assert caught.value.exit_code == 2
    assert str(caught.value).startswith((f"{name}:", f"{path.name}:"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        (".python-version", "\ufeff3.12\n"),
        (".python-version", "<<<<<<< HEAD\n3.12\n"),
        ("pipeline.toml", "<<<<<<< HEAD\n"),
        ("pyproject.toml", None),
    ],
)
def test_nox_says_so_too(run: Run, checkout: Path, file: str, content: str | None) -> None:
    (checkout / file).unlink()
    if content is not None:
        (checkout / file).write_text(content)
    result = run("nox", "--list")
    assert result.stderr.startswith(f"error: {file}:")
    assert "\nhint: " in result.stderr
    assert "Traceback" not in result.stderr
    assert result.returncode == 2


OTHERS = {
    "pipeline/browser.py": "Playwright's own list",
    "pipeline/ci/estimate.py": "a guess, without which nothing is missing",
    "pipeline/ci/report/html_report.py": "a part of this package",
    "pipeline/deploy/cluster/stackfile.py": "it writes YAML",
    "pipeline/errors.py": "it is imported here, and wrote the file itself",
    "pipeline/files.py": "the reader",
    "pipeline/checks/migrations/worker.py": "the engine wrote it",
    "pipeline/checks/secret_scan.py": "a tool's report",
    "pipeline/github/actions.py": "GitHub's runner wrote it",
    "pipeline/home.py": "a tool's own file, of which only some lines count",
    "pipeline/images/records.py": "it wrote this itself",
    "pipeline/images/push.py": "it wrote this itself",
    "pipeline/node.py": "it wrote this itself",
    "pipeline/fault_injection/edit.py": "it edits a copy",
    "pipeline/fault_injection/catalog_check.py": "it would edit a copy",
    "pipeline/fault_injection/executor.py": "it edits a copy",
    "pipeline/rehearsal/cluster.py": "a log",
    "pipeline/rehearsal/scenario.py": "it edits a copy",
    "pipeline/rehearsal/workspace.py": "it edits a copy",
    "pipeline/toml.py": "the reader of a text that pipeline/files.py has read",
    "pipeline/yaml.py": "the reader",
}
"""The only modules that read text by themselves, and why."""


def test_nothing_else_reads_what_people_write() -> None:
    assert {path for path in modules() if reads(path)} == {*OTHERS}


def modules() -> list[str]:
    """The modules that run in the engine's own processes."""
    paths = (path.relative_to(ROOT) for path in (ROOT / "pipeline").rglob("*.py"))
    return [path.as_posix() for path in paths if "django_runner" not in path.parts]


def reads(module: str) -> bool:
    """Whether a module reads text, or what is in it, by other means than those of the readers."""
    tree = ast.parse((ROOT / module).read_text())
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    return bool({"read_text", "readlines"} & names or {"tomllib", "YAML"} & imported)
