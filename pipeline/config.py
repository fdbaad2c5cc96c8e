"""pipeline.toml, read."""

import tomllib
from pathlib import Path
from typing import Any

FILE = Path("pipeline.toml")


def load() -> dict[str, Any]:
    """Read the team's one file."""
    return tomllib.loads(FILE.read_text())


def pythons() -> list[str]:
    """Return the versions of Python that are tested, the default one first."""
    return Path(".python-version").read_text().split()
