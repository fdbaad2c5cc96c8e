"""Run a command of the frontend with the browser that the end-to-end tests start.

python -m pipeline.browser e2e-quick 24 npm run test:e2e

It is the browser that E2E_CHROMIUM names; else the one that Playwright has; else the one of
requirements/chromium, which npm installs by its hash, or, where that has none for this processor,
Playwright's download. Where none can be had, the check is inconclusive.
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
from pipeline.errors import (
    CheckFailedError,
    InconclusiveError,
    MissingToolError,
    clear_inconclusive,
    handle_errors,
)
from pipeline.home import npm_environment
from pipeline.process import capture, last_error_line, run

FRONTEND = Path("frontend")
LOCKED_BROWSER = Path("requirements", "chromium")
VARIABLE = "E2E_CHROMIUM"  # frontend/e2e/browser.ts starts what it names
DOWNLOAD = ("npx", "playwright", "install", "chromium")
WITH_WINDOW, WITHOUT_WINDOW = "chromium", "chromium-headless-shell"  # in Playwright's browsers.json
WINDOWED = {"--debug", "--headed", "--ui"}  # options of Playwright
CORRECT_HINT = "correct it, or unset it to use another"
OVERRIDE_HINT = f"{VARIABLE}=/path/to/chromium names one"


def main(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code of its command.

    Raises:
        MissingToolError: E2E_CHROMIUM names no browser that starts.
        NotJudgedError: No browser can be had here, or the one that can be had does not start.
        CheckFailedError: npm could not install a lock, for another reason than the network.
    """
    check, major, *command = arguments
    env = {"PATH": node.path_with_node(major), **npm_environment()}
    node.install_packages(FRONTEND, env)
    windowed = not WINDOWED.isdisjoint(command)
    env |= find_browser(check, env, windowed=windowed)
    clear_inconclusive(check)
    return run(command, cwd=FRONTEND, env=env)


def find_browser(
    check: str, env: Mapping[str, str], *, windowed: bool = False
) -> Mapping[str, str]:
    """Have a browser that starts, and return the variables by which the tests find it.

    Args:
        check: The session that wants it.
        env: Variables to run Node with.
        windowed: Whether it opens a window, which that of requirements/chromium cannot.
    """
    if os.environ.get(VARIABLE):
        path = named()
        if why := launch_error({**env, VARIABLE: path}):
            raise MissingToolError(
                f"{VARIABLE} names {path}, which does not start: {why}", hint=CORRECT_HINT
            )
        return {VARIABLE: path}
    name = WITH_WINDOW if windowed else WITHOUT_WINDOW
    if not playwright_browser_dir(name) and is_locked() and not windowed:
        env = {**env, VARIABLE: install_locked_browser(check, env)}
    elif not playwright_browser_dir(name) and not download_browser(name, env):
        hint = f"{OVERRIDE_HINT}; or: {' '.join(DOWNLOAD)}"
        raise InconclusiveError(check, f"there is no browser for {platform_key()}", hint=hint)
    if why := launch_error(env):
        raise InconclusiveError(check, f"the browser does not start: {why}", hint=repair_hint())
    return {VARIABLE: env[VARIABLE]} if VARIABLE in env else {}


def detect_browser() -> str:
    """Return which browser the tests would start, without installing or starting any.

    Raises:
        MissingToolError: There is none, or the one that is named is no program.
    """
    if os.environ.get(VARIABLE):
        return named()
    if own := playwright_browser_dir(WITHOUT_WINDOW):
        return f"Playwright's {own}"
    if is_locked():
        return str(LOCKED_BROWSER)
    raise MissingToolError(f"no browser for {platform_key()}", hint=" ".join(DOWNLOAD))


def named() -> str:
    """Return the browser that the user names.

    Raises:
        MissingToolError: It is no program.
    """
    path = os.environ[VARIABLE]
    if (found := shutil.which(path)) is None:
        raise MissingToolError(f"{VARIABLE} names no program: {path}", hint=CORRECT_HINT)
    return str(Path(found).absolute())


def playwright_browser_dir(name: str) -> str:
    """Return the folder of a browser that Playwright has in the version of its lock, or nothing.

    It is here once Playwright has marked it as complete: https://playwright.dev/docs/browsers

    Args:
        name: As in Playwright's browsers.json.
    """
    try:
        listed = json.loads((FRONTEND / "node_modules/playwright-core/browsers.json").read_text())
    except OSError:
        return ""
    revision = next(each["revision"] for each in listed["browsers"] if each["name"] == name)
    folder = f"{name.replace('-', '_')}-{revision}"
    return folder if (playwright_cache() / folder / "INSTALLATION_COMPLETE").exists() else ""


def playwright_cache() -> Path:
    """Return where Playwright keeps its browsers."""
    given = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    if given == "0":
        return FRONTEND / "node_modules/playwright-core/.local-browsers"
    caches = "Library/Caches" if sys.platform == "darwin" else ".cache"
    return Path(given) if given else Path.home() / caches / "ms-playwright"


def is_locked() -> bool:
    """Say whether requirements/chromium has a browser for this machine."""
    return sys.platform == "linux" and platform.machine() == "x86_64"


def install_locked_browser(check: str, env: Mapping[str, str]) -> str:
    """Install the browser of requirements/chromium, and return its path.

    Args:
        check: The session that wants it.
        env: Variables to run Node with.

    Raises:
        NotJudgedError: npm's registry is out of reach.
        CheckFailedError: npm could not install it for another reason, or it cannot be unpacked.
    """
    try:
        node.install_packages(LOCKED_BROWSER, env)
    except node.UnreachableError as error:
        reason = "no browser is here, and npm's registry is out of reach"
        raise InconclusiveError(check, reason, hint=error.hint) from None
    with FileLock(LOCKED_BROWSER / ".node_modules.lock"):
        output = capture(["node", "unpack.mjs"], cwd=LOCKED_BROWSER, env=env)
    if output.returncode != 0:
        raise CheckFailedError(
            f"{LOCKED_BROWSER} is not unpacked: {last_error_line(output)}", hint=repair_hint()
        )
    return output.stdout.strip()


def download_browser(name: str, env: Mapping[str, str]) -> bool:
    """Let Playwright download its browser, and say whether it has it now.

    Args:
        name: As in Playwright's browsers.json.
        env: Variables to run Node with.
    """
    # There are five attempts: without an answer from the network, they shall not take minutes.
    limit = {"PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": "5000"}
    capture(DOWNLOAD, cwd=FRONTEND, env=limit | dict(env))
    return bool(playwright_browser_dir(name))


def launch_error(env: Mapping[str, str]) -> str:
    """Start the browser as the tests do, and return why it does not start; nothing, if it does.

    Args:
        env: Variables to run Node with, E2E_CHROMIUM among them if that names it.
    """
    output = capture(["node", "e2e/start-browser.ts"], cwd=FRONTEND, env=env)
    return "" if output.returncode == 0 else last_error_line(output)


def repair_hint() -> str:
    """Return what to do about a browser that is here and does not start."""
    library = "npx playwright install-deps chromium"
    return f"rm -r {LOCKED_BROWSER}/node_modules; if a library is missing: {library}"


def platform_key() -> str:
    """Return what this machine is, as far as a browser is made for it."""
    return f"{sys.platform} on {platform.machine()}"


if __name__ == "__main__":
    with handle_errors():
        sys.exit(main(sys.argv[1:]))
