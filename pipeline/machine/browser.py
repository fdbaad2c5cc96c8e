"""The browser that the browser tests start: the one chosen, Playwright's own, or the system's.

The order is that of frontend/e2e/browser.ts.
"""

import os
import shutil
import sys
from pathlib import Path

from pipeline.errors import MissingToolError

NAMES = ("chromium", "chromium-browser", "google-chrome")


def browser() -> str:
    """Return which browser would be started.

    Raises:
        MissingToolError: There is none.
    """
    if chosen := os.environ.get("E2E_CHROMIUM"):
        return chosen
    if own := sorted(cache().glob("chromium-*")):
        return f"Playwright's {own[-1].name}"
    if found := next(filter(None, map(shutil.which, NAMES)), None):
        return found
    raise MissingToolError("no browser is here", hint="npx playwright install chromium")


def cache() -> Path:
    """Return where Playwright keeps its browsers: https://playwright.dev/docs/browsers."""
    if given := os.environ.get("PLAYWRIGHT_BROWSERS_PATH"):
        return Path(given)
    caches = "Library/Caches" if sys.platform == "darwin" else ".cache"
    return Path.home() / caches / "ms-playwright"
