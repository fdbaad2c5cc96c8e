"""Locks say exactly what is installed, agree with each other, and name no address."""

import itertools
import json
import re
from pathlib import Path

import pytest

from pipeline import dependency_locks
from pipeline.errors import CheckFailedError, InconclusiveError, InputError
from tests.conftest import ROOT

PIN = re.compile(r"^([\w.-]+)==([\w.]+)", re.MULTILINE)
TINY = "# made by\n#    uv pip compile --generate-hashes --output-file=tiny.txt tiny.in\n"


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(dependency_locks, "lock_folders", lambda: (Path("requirements"),))
    Path("requirements").mkdir()
    Path("requirements/tiny.in").write_text("")
    lock = Path("requirements/tiny.txt")
    lock.write_text(TINY)
    dependency_locks.compile_lock(lock)
    return lock


@pytest.mark.parametrize("lock", dependency_locks.python_locks(), ids=str)
def test_every_package_has_its_hash(lock: Path) -> None:
    text = (ROOT / lock).read_text()
    assert len(PIN.findall(text)) == len(re.findall(r"^\S.*\\\n    --hash=", text, re.MULTILINE))


@pytest.mark.parametrize(
    "lock", [*dependency_locks.python_locks(), *dependency_locks.node_locks()], ids=str
)
def test_no_lock_names_an_address(lock: Path) -> None:
    text = (ROOT / lock).read_text()
    assert '"resolved"' not in text
    assert not re.search(r"(index-url|find-links|file:|git\+)", text)
    if lock.suffix == ".txt":
        assert "://" not in text


@pytest.mark.parametrize("lock", dependency_locks.node_locks(), ids=str)
def test_every_node_package_has_its_hash(lock: Path) -> None:
    packages = json.loads((ROOT / lock).read_text())["packages"]
    assert all("integrity" in package for name, package in packages.items() if name)


def test_one_package_has_one_version_in_all_locks() -> None:
    """Each lock is renewed for itself; only the matrix of Djangos may differ."""
    matrix = [
        ROOT / lock for lock in dependency_locks.python_locks() if "django-5.2" not in lock.name
    ]
    pins = {
        pin
        for lock in matrix
        if not lock.name.startswith("django-")
        for pin in PIN.findall(lock.read_text())
    }
    versions = [name for name, _ in sorted(pins)]
    assert [name for name, same in itertools.groupby(versions) if len([*same]) > 1] == []


def test_a_lock_records_the_command_that_made_it() -> None:
    for lock in dependency_locks.python_locks():
        *command, output, source = dependency_locks.recorded_command(ROOT / lock)
        assert command[:3] == ["uv", "pip", "compile"]
        assert {"--universal", "--generate-hashes", "--no-annotate"} <= {*command}
        assert output == f"--output-file={lock.name}"
        assert source == lock.with_suffix(".in").name


def test_a_fresh_lock_is_fine(tiny: Path) -> None:
    before = tiny.read_text()
    dependency_locks.main(["--check"])
    assert tiny.read_text() == before


def test_a_stale_lock_is_named_and_left_alone(tiny: Path) -> None:
    tiny.with_suffix(".in").write_text("six==1.16.0\n")
    before = tiny.read_text()
    with pytest.raises(CheckFailedError, match=r"locks are stale: requirements/tiny\.txt"):
        dependency_locks.main(["--check"])
    assert tiny.read_text() == before


def test_renewing_takes_what_the_input_says_and_keeps_the_command(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dependency_locks, "node_locks", list)
    tiny.with_suffix(".in").write_text("six==1.16.0\n")
    dependency_locks.main(["--upgrade"])
    assert PIN.findall(tiny.read_text()) == [("six", "1.16.0")]
    assert "--upgrade" not in tiny.read_text()
    dependency_locks.main(["--check"])


@pytest.mark.parametrize("text", ["six==1.16.0\n", "# made\n# but don't ask how\n", ""])
def test_a_lock_without_its_command_is_an_error(tiny: Path, text: str) -> None:
    tiny.write_text(text)
    with pytest.raises(InputError, match="does not record its command"):
        dependency_locks.main(["--check"])


def test_an_input_that_cannot_be_resolved_is_an_error(tiny: Path) -> None:
    tiny.with_suffix(".in").write_text("six==99\n")
    with pytest.raises(InputError, match="no version of six"):
        dependency_locks.main(["--check"])


def test_an_input_may_name_files_from_anywhere(tiny: Path) -> None:
    Path("constraints.txt").write_text("six<1.17\n")
    Path("more").mkdir()
    Path("more/base.in").write_text("six\n")
    tiny.with_suffix(".in").write_text("-c ../constraints.txt\n-r ../more/base.in\n")
    dependency_locks.compile_lock(tiny)
    assert PIN.findall(tiny.read_text()) == [("six", "1.16.0")]
    dependency_locks.main(["--check"])
    Path("constraints.txt").write_text("six<1.16\n")
    with pytest.raises(CheckFailedError, match="locks are stale"):
        dependency_locks.main(["--check"])


@pytest.mark.parametrize(
    "command",
    [
        "uv pip compile --output-file tiny.txt tiny.in",
        "uv pip compile -o tiny.txt tiny.in",
        "uv pip compile tiny.in -otiny.txt --python-version=3.11",
        "uv pip compile '--output-file=tiny.txt' \"tiny.in\"",
    ],
)
def test_the_command_stays_as_it_is_written(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("UV_CUSTOM_COMPILE_COMMAND", "make locks")
    tiny.write_text(f"# made by\n#    {command}\n")
    dependency_locks.compile_lock(tiny)
    assert tiny.read_text().splitlines()[1] == f"#    {command}"
    dependency_locks.main(["--check"])


def test_without_the_index_by_choice_nothing_is_judged(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tiny.with_suffix(".in").write_text("six\n")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    with pytest.raises(InconclusiveError):
        dependency_locks.main(["--check"])


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("cut_off", ["0", "1"])
def test_without_a_network_nothing_is_judged(
    tiny: Path, cut_off: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_OFFLINE", cut_off)
    tiny.with_suffix(".in").write_text("six\n")
    with pytest.raises(InconclusiveError, match="the package index is out of reach"):
        dependency_locks.main(["--check"])


def test_the_index_that_a_variable_names_is_asked(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/")
    tiny.with_suffix(".in").write_text("six\n")
    with pytest.raises(InconclusiveError):
        dependency_locks.main(["--check"])


@pytest.mark.parametrize("named", [False, True], ids=["in the home", "by a variable"])
@pytest.mark.parametrize(
    "setting",
    [
        'exclude-newer = "2016-01-01T00:00:00Z"\n',
        "[pip]\nemit-index-url = true\n",
        "[pip]\ngenerate-hashes = false\n",
        '[pip]\nresolution = "lowest"\n',
    ],
)
def test_a_setting_of_uv_makes_no_difference(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, *, named: bool
) -> None:
    tiny.with_suffix(".in").write_text("six\n")
    dependency_locks.compile_lock(tiny, ["--upgrade"])
    before = tiny.read_text()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    file = tmp_path / "config" / "uv" / "uv.toml"
    file.parent.mkdir(parents=True)
    file.write_text(setting)
    if named:
        monkeypatch.setenv("UV_CONFIG_FILE", str(file))
    dependency_locks.main(["--check"])
    dependency_locks.compile_lock(tiny, ["--upgrade"])
    assert tiny.read_text() == before
