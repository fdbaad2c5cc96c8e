"""The browser of the end-to-end tests: which one is used, and the errors if there is none."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import browser, node
from pipeline.errors import CheckFailedError, InconclusiveError, MissingToolError
from tests.conftest import ROOT

CHECK = "e2e-quick"
HOSTS_CHROMIUM = sys.platform == "linux" and os.uname().machine == "x86_64"
locked_only = pytest.mark.skipif(not HOSTS_CHROMIUM, reason="npm has no browser for this machine")
Env = dict[str, str]


@pytest.fixture(scope="module")
def env() -> Env:
    """The Node that the sessions take, and the frontend's packages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        found = {"PATH": node.path_with_node("24")}
        node.install_packages(Path("frontend"), found)
    return found


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One on which no browser is named, and Playwright has none."""
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv(browser.VARIABLE, raising=False)
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "playwright"))
    monkeypatch.setenv("PLAYWRIGHT_DOWNLOAD_HOST", "http://127.0.0.1:9")


@pytest.fixture
def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of requirements/chromium in which nothing is installed."""
    copy = tmp_path / "chromium"
    shutil.copytree(browser.LOCKED_BROWSER, copy, ignore=shutil.ignore_patterns("node_modules"))
    monkeypatch.setattr(browser, "LOCKED_BROWSER", copy)
    return copy


def give_playwright(name: str) -> str:
    """Let Playwright have a browser, as far as one sees; return the name of its folder."""
    listed = json.loads((ROOT / "frontend/node_modules/playwright-core/browsers.json").read_text())
    (revision,) = [each["revision"] for each in listed["browsers"] if each["name"] == name]
    folder = browser.playwright_cache() / f"{name.replace('-', '_')}-{revision}"
    folder.mkdir(parents=True)
    (folder / "INSTALLATION_COMPLETE").touch()
    return folder.name


@locked_only
def test_the_locked_browser_is_brought_and_starts(env: Env) -> None:
    path = Path(browser.find_browser(CHECK, env)[browser.VARIABLE])
    assert path.is_relative_to(ROOT / browser.LOCKED_BROWSER)
    version = subprocess.run([path, "--version"], check=True, capture_output=True, text=True)
    assert version.stdout.startswith("Chromium ")


@locked_only
def test_a_command_finds_the_browser_and_its_exit_code_is_handed_on(
    env: Env,  # noqa: ARG001 - the packages are there
    capfd: pytest.CaptureFixture[str],
) -> None:
    script = f"console.log(process.env.{browser.VARIABLE}); process.exit(5)"
    assert browser.main([CHECK, "24", "node", "-e", script]) == 5
    assert capfd.readouterr().out.splitlines()[-1].endswith("/.chromium/chromium")


def test_a_named_browser_comes_first_then_that_of_playwright(
    env: Env,  # noqa: ARG001 - the packages are there
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(browser, "is_locked", lambda: True)
    assert browser.detect_browser() == "requirements/chromium"
    folder = give_playwright(browser.WITHOUT_WINDOW)
    assert browser.detect_browser() == f"Playwright's {folder}"
    monkeypatch.setenv(browser.VARIABLE, sys.executable)
    assert browser.detect_browser() == sys.executable


def test_where_no_browser_is_made_for_the_machine_there_is_a_hint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(browser, "is_locked", lambda: False)
    with pytest.raises(MissingToolError, match="no browser for") as caught:
        browser.detect_browser()
    assert caught.value.hint == "npx playwright install chromium"


def test_where_no_browser_is_made_for_the_machine_and_none_downloads_nothing_is_judged(
    env: Env, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser, "is_locked", lambda: False)
    with pytest.raises(
        InconclusiveError, match=f"there is no browser for {browser.platform_key()}"
    ) as caught:
        browser.find_browser(CHECK, env)
    assert "npx playwright install chromium" in caught.value.hint


def test_a_window_wants_a_browser_of_playwright(env: Env) -> None:
    with pytest.raises(InconclusiveError, match="there is no browser"):
        browser.find_browser(CHECK, env, windowed=True)


def test_a_named_browser_that_is_no_program_is_refused(
    env: Env, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(browser.VARIABLE, "/missing/chromium")
    with pytest.raises(MissingToolError, match="is not a program: /missing/chromium"):
        browser.find_browser(CHECK, env)


def test_a_named_browser_that_does_not_start_is_refused(
    env: Env, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(browser.VARIABLE, shutil.which("false") or "false")
    with pytest.raises(MissingToolError, match=r"which does not start: .*exitCode=1") as caught:
        browser.find_browser(CHECK, env)
    assert caught.value.hint == "correct it, or unset it to use another"


@locked_only
def test_a_locked_browser_that_differs_from_its_hash_is_refused(env: Env, locked: Path) -> None:
    lock = locked / "package-lock.json"
    content = json.loads(lock.read_text())
    package = content["packages"]["node_modules/@sparticuz/chromium"]
    package["integrity"] = f"sha512-{'A' * 86}=="
    lock.write_text(json.dumps(content))
    with pytest.raises(
        CheckFailedError, match="could not be installed: npm error EINTEGRITY"
    ) as caught:
        browser.find_browser(CHECK, env)
    assert caught.value.hint == f"a package differs from its hash: git checkout {lock}"
    assert not list(locked.glob("node_modules/@sparticuz/chromium"))
    assert not list(locked.glob("node_modules/.*from"))


@locked_only
@pytest.mark.usefixtures("no_network", "locked")
def test_without_a_network_nothing_is_judged(env: Env, tmp_path: Path) -> None:
    quick = {"npm_config_fetch_retries": "0", "npm_config_cache": str(tmp_path / "npm")}
    with pytest.raises(InconclusiveError, match="npm's registry is out of reach") as caught:
        browser.find_browser(CHECK, env | quick)
    assert caught.value.hint == "check the network"


@locked_only
@pytest.mark.usefixtures("locked")
def test_a_cache_of_npm_that_cannot_be_read_is_an_error(env: Env, tmp_path: Path) -> None:
    cache = tmp_path / "npm"
    cache.write_text("in the way")
    with pytest.raises(CheckFailedError, match="could not be installed: npm error E") as caught:
        browser.find_browser(CHECK, env | {"npm_config_cache": str(cache)})
    assert "npm_config_cache" in caught.value.hint


@locked_only
def test_an_unpacked_browser_that_does_not_start_is_not_judged(env: Env, locked: Path) -> None:
    browser.find_browser(CHECK, env)
    program = locked / "node_modules/.chromium/chromium"
    program.write_bytes(program.read_bytes()[:1000])
    with pytest.raises(InconclusiveError, match=r"the browser does not start: .+") as caught:
        browser.find_browser(CHECK, env)
    assert caught.value.hint.startswith(f"rm -r {locked}/node_modules")


@locked_only
def test_a_browser_that_cannot_be_unpacked_leaves_nothing(env: Env, locked: Path) -> None:
    modules = locked / "node_modules"
    node.install_packages(locked, env)
    (modules / "@sparticuz/chromium/bin/chromium.br").write_bytes(b"no brotli")
    with pytest.raises(CheckFailedError, match="could not be unpacked: ") as caught:
        browser.find_browser(CHECK, env)
    assert caught.value.hint.startswith(f"rm -r {locked}/node_modules")
    assert not (modules / ".chromium").exists()
