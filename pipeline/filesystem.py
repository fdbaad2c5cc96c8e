"""Write files atomically, and explain errors of the file system."""

import errno
import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

_ERRORS_WITHOUT_PATH = {
    errno.EDQUOT,
    errno.EFBIG,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOENT,
    errno.ENOSPC,
}
"""Errors that may not name a file."""
_HINTS = {
    **dict.fromkeys(
        (errno.EDQUOT, errno.EFBIG, errno.ENOSPC), "free some space: df -h {}; ulimit -f"
    ),
    **dict.fromkeys((errno.EEXIST, errno.ENOTDIR), "move the existing file: ls -ld {}"),
    errno.ENOENT: "git status shows whether it was deleted",
    errno.EROFS: "use a writable checkout",
}
"""Hints, where the system's message is not enough."""


def describe_os_error(error: OSError) -> tuple[str, str] | None:
    """Return the message and the hint for an error of a file; None for other errors.

    Args:
        error: The error; those of connections and processes name no file.
    """
    if isinstance(error, shutil.Error) and isinstance(error.args[0], list):  # of shutil.copytree
        _, path, why = error.args[0][0]
        return f"`{path}` cannot be written: {why}", _HINTS[errno.ENOSPC].format(Path(path).parent)
    if error.errno is None or (error.filename is None and error.errno not in _ERRORS_WITHOUT_PATH):
        return None
    if error.filename is None or isinstance(error.filename, int):
        hint = "check the free space, and that this folder exists: df -h ."
        return f"a file cannot be used: {error.strerror}", hint
    path = Path(os.fsdecode(error.filename))
    place = next((each for each in (path, *path.parents) if os.path.lexists(each)), path)
    hint = _HINTS.get(error.errno, "check the permissions: ls -ld {}")
    return f"`{path}` cannot be used: {error.strerror}", hint.format(place)


def write_files(texts: Mapping[Path, str]) -> None:
    """Write all of some files, or none of them.

    Each is written to a temporary file in the same folder, and then all are renamed.

    Args:
        texts: The content of each file. Missing folders are created, symbolic links are followed,
            and file modes are kept.

    Raises:
        OSError: One of them cannot be written; it names that one.
    """
    with ExitStack() as stack:
        new = {path: _write_temporary(path, text, stack) for path, text in texts.items()}
        for file, place in new.values():
            file.replace(place)


def remove_path(path: Path) -> None:
    """Remove a file, or a folder with its content.

    Raises:
        OSError: It cannot be removed completely; names the path.
    """
    try:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    except OSError as error:
        error.filename = str(path)
        raise


def _write_temporary(path: Path, text: str, stack: ExitStack) -> tuple[Path, Path]:
    """Write a temporary file next to its target, and return both paths."""
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
