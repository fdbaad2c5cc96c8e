"""Where `invoke ci` keeps what it knows, and how: whole files or none."""

import os
import sys
from pathlib import Path

from pipeline import filesystem

CHECKOUT_CACHE_DIR = Path(".cache", "ci")  # what is true of this checkout only


def user_cache_dir(product: str) -> Path:
    """Return the folder of what is true of equal files, in whichever clone they are.

    Args:
        product: The name in pipeline.toml.
    """
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, product, "ci")


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that nobody ever sees half of it; where that cannot be, say so and go on.

    Args:
        path: The file; its folder is made.
        text: What is to be in it.
    """
    try:
        filesystem.write_files({path: text})
    except OSError as error:
        print(f"ci: nothing is remembered in {path.parent}: {error.strerror}", file=sys.stderr)
