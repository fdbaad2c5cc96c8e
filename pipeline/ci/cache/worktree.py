"""Content hashes of the files of the checkout, cached by the stat metadata of each file.

git lists the files, but its index is not used for their content: it reports a file as unchanged if
the file is marked `assume-unchanged`, and ignores line endings that git would normalise. A session
reads the real content.
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
# nanoseconds: FAT timestamps have a resolution of 2 s, so a file that changed within this window
# may change again without a new timestamp; git's index has the same problem:
# https://git-scm.com/docs/racy-git
RACY_WINDOW_NS = 2_000_000_000
_GIT_LS_FILES = ("ls-files", "-z", "-t", "-v", "--cached", *UNTRACKED_OPTIONS)


class HashedFile(NamedTuple):
    """The content hash of a file, and its stat metadata when the content was read."""

    content_id: str | None
    stat_signature: str


class WorktreeListing(NamedTuple):
    """The files of a checkout.

    `paths` holds every tracked and untracked file, `index_flagged` those that git does not compare:
    they are marked `assume-unchanged` or `skip-worktree`.
    """

    paths: list[str]
    untracked: list[str]
    index_flagged: list[str]


class ScanResult(NamedTuple):
    """The hashed files, and whether all of them are older than the racy window."""

    tree: Mapping[str, HashedFile]
    is_stable: bool


StatSignatures = Mapping[str, str]
_CachedHashes = Mapping[str, list[Any]]


def list_files() -> WorktreeListing:
    """List the tracked files, and the untracked files that no .gitignore of the repository names.

    Raises:
        InputError: The working directory is not in a git checkout.
    """
    entries = split_names(*_GIT_LS_FILES)
    # `git ls-files -t -v` prefixes each path with a status letter: H is a normal tracked file,
    # ? an untracked one, a lower-case letter or S one that git does not compare
    rows = [(entry[0], entry[2:]) for entry in entries if entry[0] != "H"]
    return WorktreeListing(
        [*dict.fromkeys(entry[2:] for entry in entries)],
        [path for tag, path in rows if tag == "?"],
        [path for tag, path in rows if is_unwatched(tag, path)],
    )


def stat_signatures(paths: Iterable[str], ignored: Iterable[str] = ()) -> StatSignatures:
    """Return a text for each file that changes with every write to the file.

    Args:
        paths: The files. A file that does not exist is left out.
        ignored: Globs of files that git ignores but sessions read, such as `.env`.
    """
    found = {path: _stat_signature(path) for path in [*paths, *_existing(ignored)]}
    return {path: signature for path, signature in found.items() if signature}


def hash_files(at: StatSignatures) -> ScanResult:
    """Return the content hash of each file.

    Args:
        at: The stat signatures by path. A file whose signature differs by now gets no hash, since
            its content belongs to another moment than the signatures of the other files.
    """
    now = time.time_ns()
    cached = _cached_hashes()
    found = {path: _hash_file(path, signature, cached.get(path)) for path, signature in at.items()}
    settled = {
        path: file for path, file in found.items() if now - _change_time(file[1]) > RACY_WINDOW_NS
    }
    if len(found) != len(cached) or any(cached.get(path) is not found[path] for path in found):
        cache_files.write_atomically(STAT_CACHE_FILE, json.dumps(settled))
    return ScanResult(
        {path: HashedFile(*file) for path, file in found.items()}, len(settled) == len(found)
    )


def _stat_signature(path: str) -> str:
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    # the change time too: `touch -d` and restored backups set an old modification time, but no
    # program can set the change time
    times = f"{status.st_mtime_ns} {status.st_ctime_ns}"
    return f"{times} {status.st_size} {status.st_ino} {status.st_mode}"


def _change_time(signature: str) -> int:
    """Return the change time in a stat signature, in nanoseconds."""
    return int(signature.split(" ", 2)[1])


def _hash_file(path: str, signature: str, old: list[Any] | None) -> list[Any]:
    if old and old[1] == signature:
        return old
    content = _content_id(path, int(signature.rpartition(" ")[2]))
    # compared again after the read: the file may have been written to in between
    return [content if _stat_signature(path) == signature else None, signature]


def _content_id(path: str, mode: int) -> str | None:
    """Return the kind and hash of a file; None for a directory, such as a submodule."""
    try:
        if stat.S_ISLNK(mode):
            return f"link {Path(path).readlink()}"
        kind = "program" if mode & stat.S_IXUSR else "file"
        if not stat.S_ISREG(mode):
            return None
        with Path(path).open("rb") as file:  # in chunks: the file may be larger than the memory
            return f"{kind} {hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError:
        return None


def _cached_hashes() -> _CachedHashes:
    try:
        cached: _CachedHashes = json.loads(STAT_CACHE_FILE.read_bytes())
        if all(len(entry) == len(HashedFile._fields) for entry in cached.values()):
            return cached
    except (OSError, ValueError, TypeError, AttributeError):
        pass
    return {}  # a missing or corrupt cache file: every file is hashed again


def _existing(globs: Iterable[str]) -> Iterator[str]:
    for glob in globs:
        yield from (path.as_posix() for path in sorted(Path().glob(glob)) if path.is_file())
