"""A file lock (`flock`) for each session: two runs never use the same nox environment.

The kernel releases the lock when the last process that holds it exits, so a killed run leaves no
stale lock.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from pipeline.ci import cache_files

NO_LOCK = -1  # the lock file cannot be created, for example on a full disk


def try_acquire(name: str) -> int | None:
    """Acquire a lock without waiting.

    A child process that inherits the file descriptor holds the lock as well: a session that
    outlives a killed run still keeps the next run out of its environment.

    Args:
        name: The name of the lock file.

    Returns:
        The file descriptor that holds the lock; None if another process holds the lock.
    """
    path = Path(cache_files.CHECKOUT_CACHE_DIR, "locks", name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT)
    except OSError:
        return NO_LOCK
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return None
    return file


def release(file: int) -> None:
    with suppress(OSError):
        os.close(file)
