"""Of a home folder tools read where packages come from, and nothing that changes a result."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.home import USERCONFIG, npm_environment
from pipeline.images.commands import syft
from pipeline.process import capture
from tests.conftest import ROOT

WHERE_FROM = [
    "registry=https://npm.example.com/",
    "@acme:registry = https://npm.example.com/acme/",
    "//npm.example.com/:_authToken=${NPM_TOKEN}",
    "cafile=/etc/ssl/example.pem",
    "ca[]=one",
    "https-proxy=http://proxy.example.com",
    "strict-ssl=false",
    "cache=/var/cache/npm",
    "fetch-retries=5",
    "offline=true",
]
OTHERS = [
    "omit=dev",
    "omit[]=optional",
    "production=true",
    "ignore-scripts=true",
    "node-options=--require=/tmp/x.js",
    "if-present=true",
    "cache-min=1",
    "keys=1",
    "; registry=https://other.example.com/",
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in (USERCONFIG, USERCONFIG.upper()):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def kept() -> str:
    """Return what npm reads of the user's settings."""
    (file,) = {*npm_environment().values()}
    return Path(file).read_text()


def test_npm_gets_where_packages_come_from_and_nothing_else(home: Path) -> None:
    (home / ".npmrc").write_text("\n".join([*OTHERS, *WHERE_FROM, *OTHERS]) + "\n")
    assert kept().splitlines() == WHERE_FROM


def test_what_npm_gets_is_for_the_user_alone_and_is_whole(home: Path) -> None:
    (home / ".npmrc").write_text(WHERE_FROM[2])
    assert kept() == kept() == WHERE_FROM[2]
    (file,) = home.glob(".cache/dev-npm/*")
    assert stat.S_IMODE(file.stat().st_mode) == stat.S_IRUSR | stat.S_IWUSR


@pytest.mark.parametrize("text", [None, "", "omit=dev\n"])
def test_where_nothing_is_left_npm_gets_nothing_and_nothing_is_kept(
    home: Path, text: str | None
) -> None:
    (home / ".npmrc").write_text(WHERE_FROM[2])
    npm_environment()
    (home / ".npmrc").unlink()
    if text is not None:
        (home / ".npmrc").write_text(text)
    assert {*npm_environment().values()} == {os.devnull}
    assert not [*home.glob(".cache/dev-npm/*")]


def test_a_cache_that_is_no_folder_is_an_error_with_a_hint(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".npmrc").write_text("offline=true\n")
    (home / "cache").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    with pytest.raises(InputError, match=f"{home}/cache/dev-npm: Not a directory") as caught:
        npm_environment()
    assert caught.value.hint == "set XDG_CACHE_HOME to a folder of yours"


def test_a_file_that_a_variable_names_is_read_instead_and_again_by_a_program_within(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".npmrc").write_text("offline=true\n")
    (home / "other").write_text("registry=https://npm.example.com/\nomit=dev\n")
    monkeypatch.setenv("NPM_CONFIG_USERCONFIG", str(home / "other"))
    first = npm_environment()
    for name, value in first.items():
        monkeypatch.setenv(name, value)
    assert npm_environment() == first
    assert kept() == "registry=https://npm.example.com/\n"


@pytest.mark.parametrize("name", [".syft.yaml", ".config/syft/config.yaml"])
def test_syft_lists_what_a_home_would_leave_out(home: Path, name: str) -> None:
    (home / name).parent.mkdir(parents=True, exist_ok=True)
    (home / name).write_text('exclude: ["./**"]\n')
    folder = home / "listed"
    folder.mkdir()
    shutil.copy(ROOT / "requirements/node-20/package-lock.json", folder)
    command = ["syft", "scan", f"dir:{folder}", "--quiet", "--output=syft-json"]
    assert '"name":"node-20"' not in capture(command, cwd=folder).stdout
    command.append(f"--config={syft.CONFIGURATION}")
    assert '"name":"node-20"' in capture(command, cwd=folder).stdout
