"""One run at a time on an environment: a lock that the system takes back when its holders die."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from pipeline.ci import cache_files

NO_LOCK = -1  # where no lock can be kept


def try_acquire(name: str) -> int | None:
    """Take a lock; a child that inherits it holds it as well, even when we are gone.

    Args:
        name: What must not be used twice at once.

    Returns:
        The open file that is the lock; None, if somebody else has it.
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
    """Let go of a lock.

    Args:
        file: As it was taken.
    """
    with suppress(OSError):
        os.close(file)
