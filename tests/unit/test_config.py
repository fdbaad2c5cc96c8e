"""All errors of pipeline.toml are reported at once, each with its line."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pipeline.config import CONFIG_FILE, load
from pipeline.errors import InputError
from pipeline.settings import Settings
from tests import settings
from tests.conftest import ROOT

TABLE = ROOT / "tests/unit/config"
WHOLE = (TABLE / "whole.toml").read_text()
MANY = (
    "a version that is a number",
    "a text for a list",
    "a misspelt area",
    "an area as a text",
    "a misspelt key",
    "a port in quotes",
    "fewer reviews than none",
    "a budget in quotes",
    "runners as a text",
    "a Python that is not tested",
)
NAME = "lower-case letters, digits and single hyphens, like acme-shop"
CASES = tomllib.loads((TABLE / "broken.toml").read_text())


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def faults(content: bytes) -> list[str]:
    """Return what is wrong with a file, each with its line."""
    CONFIG_FILE.write_bytes(content)
    return output()


def output() -> list[str]:
    """Return what is wrong with the file that is here."""
    with pytest.raises(InputError) as caught:
        load()
    assert caught.value.hint
    return str(caught.value).splitlines()


def place(beginning: str, text: str) -> str:
    """Return the file, and the number of the line that begins so."""
    before = f"\n{text}".partition(f"\n{beginning}")[0]
    return f"{CONFIG_FILE}:{before.count(chr(10)) + 1}"


def test_the_repository_s_own_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert load().name


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_whole_one_is_read(ends: str) -> None:
    CONFIG_FILE.write_bytes(WHOLE.replace("\n", ends).encode())
    assert load().ci.variables.passthrough == ("HOME", "PATH")
    assert load().environments["production"].stack == "shop-production"


def test_the_least_that_there_must_be_is_read() -> None:
    CONFIG_FILE.write_text(settings.text())
    assert load().ci.main_only == {}


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("name", CASES)
def test_each_fault_is_said_with_its_line_and_nothing_else_is(name: str, ends: str) -> None:
    case = CASES[name]
    text = WHOLE.replace(case["find"], case["put"], 1)
    assert text != WHOLE
    found = faults(text.replace("\n", ends).encode())
    for line, (beginning, message) in zip(found, case["errors"], strict=True):
        assert line.startswith(f"{place(beginning, text)}: {message}"), found


def test_there_is_no_file(tmp_path: Path) -> None:
    assert output() == ["pipeline.toml: no such file or directory"]
    CONFIG_FILE.symlink_to(tmp_path / "missing")
    assert output() == ["pipeline.toml: no such file or directory"]


def test_a_folder_is_in_its_place() -> None:
    CONFIG_FILE.mkdir()
    assert output() == ["pipeline.toml: is a directory"]


def test_it_is_empty() -> None:
    assert faults(b"") == [
        f"pipeline.toml:1: `{key}` is missing; it must be {wanted}"
        for key in sorted(Settings.KEYS.keys() - Settings.DEFAULTS.keys())
        for wanted in [NAME if key == "name" else "a table"]
    ]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_it_is_in_another_encoding(encoding: str) -> None:
    text = WHOLE.replace("it comes", "später")
    line = 1 if encoding == "utf-16" else text[: text.index("ä")].count("\n") + 1
    assert faults(text.encode(encoding)) == [f"pipeline.toml:{line}: the file is not UTF-8"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("[" * 5_000, "it is nested too deeply"),
        ("9" * 5_000, "exceeds the limit "),
        ("'\0'", "found invalid character "),
        ("{ a = 1, a = 2 }", "duplicate inline table key "),
    ],
)
def test_a_value_is_beyond_what_toml_or_python_reads(value: str, message: str) -> None:
    (fault,) = faults(WHOLE.replace("tests = 12", f"tests = {value}").encode())
    assert fault.startswith(f"{place('tests', WHOLE)}: {message}")


@pytest.mark.parametrize(
    "content", [b"<html>\n" * 3, b"\0" * 9, b'{"name": "shop"}', b"name: shop\n"]
)
def test_it_is_something_else(content: bytes) -> None:
    assert faults(content)[0].startswith("pipeline.toml:1: ")


def test_a_password_is_not_shown() -> None:
    for find in ('"https://example.com"', '"ssh://deploy@example.com"', '"ghcr.io"', '"0.1.0"'):
        found = faults(WHOLE.replace(find, '["https://ada:swordfish@example.com"]').encode())
        found += faults(WHOLE.replace(find, '"https://ada:swordfish@example.com "').encode())
        assert "swordfish" not in str(found)


def test_faults_of_all_tables_are_said_at_once() -> None:
    cases = [CASES[name] for name in MANY]
    text = WHOLE
    for case in cases:
        text = text.replace(case["find"], case["put"], 1)
    wanted = [(place(case["errors"][0][0], text), case["errors"][0][1]) for case in cases]
    assert faults(text.encode()) == [f"{where}: {message}" for where, message in wanted]


def test_it_takes_nothing_but_the_standard_library() -> None:
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import pipeline.config"
    subprocess.run([sys.executable, "-I", "-S", "-c", program], check=True)
