"""What the files of the checkout hold, known by their stamps: an unchanged file is not read again.

git lists the files, but does not say what they hold: its index takes a file for unchanged that
somebody marked so, and does not see line ends that it would normalise. A session does.
"""

import hashlib
import json
import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.ci import store
from pipeline.errors import InputError
from pipeline.run import read

STAMPS = store.HERE / "stamps.json"
RACY = 2_000_000_000  # ns: a file younger than the coarsest clock of a file system may still change
LIST = ("git", "ls-files", "-z", "-t", "-v", "--cached", "--others", "--exclude-standard")


class File(NamedTuple):
    """A file: what it holds, and the stamp that it had when that was read."""

    id: str | None
    stamp: Sequence[int]


class Listed(NamedTuple):
    """The files that git knows of, or would; and those that it was told not to look at."""

    paths: list[str]
    untracked: list[str]
    unwatched: list[str]


Tree = Mapping[str, File]
Known = Mapping[str, list[Any]]


def listed() -> Listed:
    """List the tracked files, and the untracked ones that are not ignored.

    Raises:
        InputError: This is no git checkout.
    """
    answer = read(LIST)
    if answer.returncode:
        raise InputError(
            f"git cannot list the files: {answer.stderr.strip()}", hint="run this in a git checkout"
        )
    rows = [(entry[0], entry[2:]) for entry in answer.stdout.split("\0") if entry]
    return Listed(
        [*dict.fromkeys(path for _, path in rows)],
        [path for tag, path in rows if tag == "?"],
        [path for tag, path in rows if tag.islower() or (tag == "S" and os.path.lexists(path))],
    )


def snapshot(paths: Iterable[str], ignored: Iterable[str] = ()) -> Tree:
    """Return what is in the files now.

    Args:
        paths: As git lists them; those that are gone are left out.
        ignored: Globs of files that git ignores and sessions read all the same.
    """
    known = _stamps()
    now = time.time_ns()
    found = dict(_looked_at([*paths, *_existing(ignored)], known))
    if len(found) != len(known) or any(known.get(path) is not found[path] for path in found):
        settled = {path: file for path, file in found.items() if now - file[1][1] > RACY}
        store.write(STAMPS, json.dumps(settled))
    return {path: File(*file) for path, file in found.items()}


def _looked_at(paths: Iterable[str], known: Known) -> Iterator[tuple[str, Any]]:
    for path in paths:
        try:
            status = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        stamp = [
            status.st_mtime_ns,
            status.st_ctime_ns,
            status.st_size,
            status.st_ino,
            status.st_mode,
        ]
        old = known.get(path)
        yield path, old if old and old[1] == stamp else [_id(path, status.st_mode), stamp]


def _id(path: str, mode: int) -> str | None:
    """What a file holds, with its kind; None for what cannot be known, such as a submodule."""
    try:
        if stat.S_ISLNK(mode):
            return f"link {Path(path).readlink()}"
        kind = "program" if mode & stat.S_IXUSR else "file"
        content = Path(path).read_bytes() if stat.S_ISREG(mode) else None
    except OSError:
        return None
    return None if content is None else f"{kind} {hashlib.sha256(content).hexdigest()}"


def _stamps() -> Known:
    try:
        known: Known = json.loads(STAMPS.read_bytes())
        if all(len(entry) == len(File._fields) for entry in known.values()):
            return known
    except (OSError, ValueError, TypeError, AttributeError):
        pass
    return {}  # it is made anew


def _existing(globs: Iterable[str]) -> Iterator[str]:
    for glob in globs:
        yield from (path.as_posix() for path in sorted(Path().glob(glob)) if path.is_file())
