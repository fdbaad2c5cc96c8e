"""Run a command of the page with a browser for end-to-end tests.

python -m pipeline.browser e2e-quick 24 npm run test:e2e

The browser is the first of: E2E_CHROMIUM; the one that Playwright has installed; the one of
requirements/chromium, which npm installs by hash; for other processors, Playwright's download. If
none is available, the check is inconclusive.
"""

import json
import os
import platform
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from filelock import FileLock

from pipeline import node
from pipeline.config import load
from pipeline.errors import (
    CheckFailedError,
    InconclusiveError,
    MissingToolError,
    clear_inconclusive,
    handle_errors,
)
from pipeline.home import npm_environment
from pipeline.process import capture, last_error_line, run

LOCKED_BROWSER = Path("requirements", "chromium")
VARIABLE = "E2E_CHROMIUM"  # read by the browser tests
_DOWNLOAD = ("npx", "playwright", "install", "chromium")
_WITH_WINDOW, WITHOUT_WINDOW = (
    "chromium",
    "chromium-headless-shell",
)  # in Playwright's browsers.json
_WINDOWED = {"--debug", "--headed", "--ui"}  # options of Playwright
_CORRECT_HINT = "correct it, or unset it to use another"
_OVERRIDE_HINT = f"{VARIABLE}=/path/to/chromium selects one"


def main(arguments: Sequence[str]) -> int:
    """Run the command line, and return the exit code of its command.

    Raises:
        MissingToolError: E2E_CHROMIUM is not a browser that starts.
        InconclusiveError: No browser is available, or it does not start.
        CheckFailedError: npm could not install a lock, and the network is not the reason.
    """
    check, major, *command = arguments
    env = {"PATH": node.path_with_node(major), **npm_environment()}
    node.install_packages(_frontend(), env)
    windowed = not _WINDOWED.isdisjoint(command)
    env |= find_browser(check, env, windowed=windowed)
    clear_inconclusive(check)
    return run(command, cwd=_frontend(), env=env)


def _frontend() -> Path:
    return Path(load().layout.frontend)


def find_browser(
    check: str, env: Mapping[str, str], *, windowed: bool = False
) -> Mapping[str, str]:
    """Find or install a browser that starts, and return the variables for the tests.

    Args:
        check: The session that needs it.
        env: Environment variables for Node.
        windowed: Whether it must open a window, which that of requirements/chromium cannot.
    """
    if os.environ.get(VARIABLE):
        path = _named()
        if why := _launch_error({**env, VARIABLE: path}):
            raise MissingToolError(
                f"{VARIABLE} names {path}, which does not start: {why}", hint=_CORRECT_HINT
            )
        return {VARIABLE: path}
    name = _WITH_WINDOW if windowed else WITHOUT_WINDOW
    if not _playwright_browser_dir(name) and is_locked() and not windowed:
        env = {**env, VARIABLE: _install_locked_browser(check, env)}
    elif not _playwright_browser_dir(name) and not _download_browser(name, env):
        hint = f"{_OVERRIDE_HINT}; or: {' '.join(_DOWNLOAD)}"
        raise InconclusiveError(check, f"there is no browser for {platform_key()}", hint=hint)
    if why := _launch_error(env):
        raise InconclusiveError(check, f"the browser does not start: {why}", hint=_repair_hint())
    return {VARIABLE: env[VARIABLE]} if VARIABLE in env else {}


def detect_browser() -> str:
    """Return the browser that the tests would start, without installing or starting one.

    Raises:
        MissingToolError: There is none, or E2E_CHROMIUM is not a program.
    """
    if os.environ.get(VARIABLE):
        return _named()
    if installed := _playwright_browser_dir(WITHOUT_WINDOW):
        return f"Playwright's {installed}"
    if is_locked():
        return str(LOCKED_BROWSER)
    raise MissingToolError(f"no browser for {platform_key()}", hint=" ".join(_DOWNLOAD))


def _named() -> str:
    """Return the browser of E2E_CHROMIUM.

    Raises:
        MissingToolError: It is not a program.
    """
    path = os.environ[VARIABLE]
    if (found := shutil.which(path)) is None:
        raise MissingToolError(f"{VARIABLE} is not a program: {path}", hint=_CORRECT_HINT)
    return str(Path(found).absolute())


def _playwright_browser_dir(name: str) -> str:
    """Return the folder of an installed browser of Playwright's locked version, or an empty text.

    Playwright marks a complete installation: https://playwright.dev/docs/browsers

    Args:
        name: Its name in Playwright's browsers.json.
    """
    try:
        listed = json.loads(
            (_frontend() / "node_modules/playwright-core/browsers.json").read_text()
        )
    except OSError:
        return ""
    revision = next(each["revision"] for each in listed["browsers"] if each["name"] == name)
    folder = f"{name.replace('-', '_')}-{revision}"
    return folder if (playwright_cache() / folder / "INSTALLATION_COMPLETE").exists() else ""


def playwright_cache() -> Path:
    """Return the folder of the browsers that Playwright installs."""
    configured = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    if configured == "0":
        return _frontend() / "node_modules/playwright-core/.local-browsers"
    caches = "Library/Caches" if sys.platform == "darwin" else ".cache"
    return Path(configured) if configured else Path.home() / caches / "ms-playwright"


def is_locked() -> bool:
    """Return whether requirements/chromium has a browser for this machine."""
    return sys.platform == "linux" and platform.machine() == "x86_64"


def _install_locked_browser(check: str, env: Mapping[str, str]) -> str:
    """Install the browser of requirements/chromium, and return its path.

    Args:
        check: The session that needs it.
        env: Environment variables for Node.

    Raises:
        InconclusiveError: npm's registry is out of reach.
        CheckFailedError: npm could not install it for another reason, or unpacking failed.
    """
    try:
        node.install_packages(LOCKED_BROWSER, env)
    except node.UnreachableError as error:
        reason = "there is no browser, and npm's registry is out of reach"
        raise InconclusiveError(check, reason, hint=error.hint) from None
    with FileLock(LOCKED_BROWSER / ".node_modules.lock"):
        output = capture(["node", "unpack.mjs"], cwd=LOCKED_BROWSER, env=env)
    if output.returncode != 0:
        raise CheckFailedError(
            f"{LOCKED_BROWSER} could not be unpacked: {last_error_line(output)}",
            hint=_repair_hint(),
        )
    return output.stdout.strip()


def _download_browser(name: str, env: Mapping[str, str]) -> bool:
    """Download a browser with Playwright, and return whether it is installed now.

    Args:
        name: Its name in Playwright's browsers.json.
        env: Environment variables for Node.
    """
    # Playwright tries five times; without a network this must not take minutes.
    limit = {"PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": "5000"}
    capture(_DOWNLOAD, cwd=_frontend(), env=limit | dict(env))
    return bool(_playwright_browser_dir(name))


def _launch_error(env: Mapping[str, str]) -> str:
    """Start the browser as the tests do, and return the error; an empty text, if it starts.

    Args:
        env: Environment variables for Node.
    """
    output = capture(["node", "e2e/start-browser.ts"], cwd=_frontend(), env=env)
    return "" if output.returncode == 0 else last_error_line(output)


def _repair_hint() -> str:
    """Return a hint for a browser that is installed and does not start."""
    library = "npx playwright install-deps chromium"
    return f"rm -r {LOCKED_BROWSER}/node_modules; if a library is missing: {library}"


def platform_key() -> str:
    """Return the operating system and the processor of this machine."""
    return f"{sys.platform} on {platform.machine()}"


if __name__ == "__main__":
    with handle_errors():
        sys.exit(main(sys.argv[1:]))
