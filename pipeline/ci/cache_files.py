"""The folders of the caches of `invoke ci`, and an atomic write that tolerates a full disk."""

import os
import sys
from pathlib import Path

from pipeline import filesystem

CHECKOUT_CACHE_DIR = Path(".cache", "ci")  # caches that hold for this checkout only


def user_cache_dir(product: str) -> Path:
    """Return the folder of results that every clone of a product shares.

    Args:
        product: The `name` in pipeline.toml.
    """
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, product, "ci")


def write_atomically(path: Path, text: str) -> None:
    """Write a file by rename, so that no reader sees a partial file.

    A failed write is reported on stderr and does not end the run: a cache only saves time.
    """
    try:
        filesystem.write_files({path: text})
    except OSError as error:
        print(f"ci: cannot write the cache in {path.parent}: {error.strerror}", file=sys.stderr)
