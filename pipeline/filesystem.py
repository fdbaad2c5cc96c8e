"""Files: written whole or not at all, and what is said of one that cannot be used."""

import errno
import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

ERRORS_WITHOUT_PATH = {
    errno.EDQUOT,
    errno.EFBIG,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOENT,
    errno.ENOSPC,
}
"""Errors of files whose name the system may not say."""
HINTS = {
    **dict.fromkeys((errno.EDQUOT, errno.EFBIG, errno.ENOSPC), "make room: df -h {}; ulimit -f"),
    **dict.fromkeys((errno.EEXIST, errno.ENOTDIR), "move what is in the way: ls -ld {}"),
    errno.ENOENT: "git status shows whether it was deleted",
    errno.EROFS: "go on in a checkout that can be written to",
}
"""What to do, where the system's words are not enough."""


def describe_os_error(error: OSError) -> tuple[str, str] | None:
    """Return what is wrong with a file, and a hint; nothing, if an error is about no file.

    Args:
        error: As it was raised; those of connections and processes name no file.
    """
    if isinstance(error, shutil.Error) and isinstance(error.args[0], list):  # of a whole folder
        _, path, why = error.args[0][0]
        return f"`{path}` cannot be written: {why}", HINTS[errno.ENOSPC].format(Path(path).parent)
    if error.errno is None or (error.filename is None and error.errno not in ERRORS_WITHOUT_PATH):
        return None
    if error.filename is None or isinstance(error.filename, int):
        hint = "is there room, and is this folder still there? df -h ."
        return f"a file cannot be used: {error.strerror}", hint
    path = Path(os.fsdecode(error.filename))
    place = next((each for each in (path, *path.parents) if os.path.lexists(each)), path)
    hint = HINTS.get(error.errno, "look who may do that: ls -ld {}")
    return f"`{path}` cannot be used: {error.strerror}", hint.format(place)


def write_files(texts: Mapping[Path, str]) -> None:
    """Write files, all or none of them: each beside its place at first, then all are moved there.

    Args:
        texts: What is to be in them. A folder that is missing is made, a link is followed, and a
            file that is there keeps its rights.

    Raises:
        OSError: One of them cannot be written; it names that one.
    """
    with ExitStack() as stack:
        new = {path: _write_temporary(path, text, stack) for path, text in texts.items()}
        for file, place in new.values():
            file.replace(place)


def remove_path(path: Path) -> None:
    """Remove a file, or a folder with all that is in it.

    Raises:
        OSError: Something of it cannot be removed; it names the path, and some may be gone.
    """
    try:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    except OSError as error:
        error.filename = str(path)
        raise


def _write_temporary(path: Path, text: str, stack: ExitStack) -> tuple[Path, Path]:
    """Write a file in a new folder beside its place, and return both."""
    place = Path(os.path.realpath(path))
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        folder = stack.enter_context(TemporaryDirectory(dir=place.parent, prefix=".new-"))
        new = Path(folder, place.name)
        with new.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if place.exists():
            shutil.copymode(place, new)
    except OSError as error:
        error.filename = str(path)
        raise
    return new, place
