"""What the files of the checkout hold, known by their stamps: an unchanged file is not read again.

git lists the files, but does not say what they hold: its index takes a file for unchanged that
somebody marked so, and does not see line ends that it would normalise. A session does.
"""

import hashlib
import json
import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.ci import cache_files
from pipeline.git import UNTRACKED_OPTIONS, is_unwatched, split_names

STAT_CACHE_FILE = cache_files.CHECKOUT_CACHE_DIR / "stamps.json"
# ns: a file younger than the coarsest clock of a file system may still change
RACY_WINDOW_NS = 2_000_000_000
GIT_LS_FILES = ("ls-files", "-z", "-t", "-v", "--cached", *UNTRACKED_OPTIONS)


class HashedFile(NamedTuple):
    """A file: what it holds, and the stamp that it had when that was read."""

    content_id: str | None
    stat_signature: str


class WorktreeListing(NamedTuple):
    """The files that git knows of, or would; and those that it was told not to look at."""

    paths: list[str]
    untracked: list[str]
    index_flagged: list[str]


class ScanResult(NamedTuple):
    """What is in the files; and whether all were old enough for their stamps to stand for it."""

    tree: Mapping[str, HashedFile]
    is_stable: bool


StatSignatures = Mapping[str, str]
CachedHashes = Mapping[str, list[Any]]


def list_files() -> WorktreeListing:
    """List the tracked files, and the untracked ones that no .gitignore names.

    Raises:
        InputError: This is no git checkout.
    """
    entries = split_names(*GIT_LS_FILES)
    rows = [(entry[0], entry[2:]) for entry in entries if entry[0] != "H"]  # what is said of it
    return WorktreeListing(
        [*dict.fromkeys(entry[2:] for entry in entries)],
        [path for tag, path in rows if tag == "?"],
        [path for tag, path in rows if is_unwatched(tag, path)],
    )


def stat_signatures(paths: Iterable[str], ignored: Iterable[str] = ()) -> StatSignatures:
    """Return the stamp of each file: another one, if it was written to.

    Args:
        paths: As git lists them; those that are gone are left out.
        ignored: Globs of files that git ignores and sessions read all the same.
    """
    found = {path: _stamp(path) for path in [*paths, *_existing(ignored)]}
    return {path: stamp for path, stamp in found.items() if stamp}


def hash_files(at: StatSignatures) -> ScanResult:
    """Return what is in files that have these stamps.

    Args:
        at: The stamps. What has another one by now holds what nobody knows.
    """
    now = time.time_ns()
    known = _known()
    found = {path: _looked_at(path, stamp, known.get(path)) for path, stamp in at.items()}
    settled = {
        path: file for path, file in found.items() if now - _changed(file[1]) > RACY_WINDOW_NS
    }
    if len(found) != len(known) or any(known.get(path) is not found[path] for path in found):
        cache_files.write_atomically(STAT_CACHE_FILE, json.dumps(settled))
    return ScanResult(
        {path: HashedFile(*file) for path, file in found.items()}, len(settled) == len(found)
    )


def _stamp(path: str) -> str:
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    times = f"{status.st_mtime_ns} {status.st_ctime_ns}"
    return f"{times} {status.st_size} {status.st_ino} {status.st_mode}"


def _changed(stamp: str) -> int:
    """When a file was last changed, in nanoseconds."""
    return int(stamp.split(" ", 2)[1])


def _looked_at(path: str, stamp: str, old: list[Any] | None) -> list[Any]:
    if old and old[1] == stamp:
        return old
    content = _id(path, int(stamp.rpartition(" ")[2]))
    return [content if _stamp(path) == stamp else None, stamp]


def _id(path: str, mode: int) -> str | None:
    """What a file holds, with its kind; None for what cannot be known, such as a submodule."""
    try:
        if stat.S_ISLNK(mode):
            return f"link {Path(path).readlink()}"
        kind = "program" if mode & stat.S_IXUSR else "file"
        if not stat.S_ISREG(mode):
            return None
        with Path(path).open("rb") as file:  # in pieces: it may be larger than the memory
            return f"{kind} {hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError:
        return None


def _known() -> CachedHashes:
    try:
        known: CachedHashes = json.loads(STAT_CACHE_FILE.read_bytes())
        if all(len(entry) == len(HashedFile._fields) for entry in known.values()):
            return known
    except (OSError, ValueError, TypeError, AttributeError):
        pass
    return {}  # it is made anew


def _existing(globs: Iterable[str]) -> Iterator[str]:
    for glob in globs:
        yield from (path.as_posix() for path in sorted(Path().glob(glob)) if path.is_file())
