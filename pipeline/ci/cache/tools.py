"""Fingerprints of the programs on the PATH, from their file metadata: no program is started."""

import os
import shutil
from pathlib import Path


def tool_fingerprint(name: str) -> str:
    """Return a text that changes when a program is replaced: path, size and modification time.

    A program inside the checkout is covered by the lock files, so its metadata is left out. A shim
    of pyenv never changes itself, so the folder `versions` next to `shims` is included as well:
    https://github.com/pyenv/pyenv#understanding-shims

    Args:
        name: The name of the program, as on the command line.
    """
    found = shutil.which(name)
    if found is None:
        return "not found"
    real = Path(found).resolve()
    if real.is_relative_to(Path.cwd()):
        return "part of this checkout"
    return " ".join(map(_file_signature, [real, *_versions(real)]))


def _file_signature(path: Path) -> str:
    status = os.stat(path)  # noqa: PTH116 - same style as in worktree.py
    return f"{path} {status.st_size} {status.st_mtime_ns}"


def _versions(program: Path) -> list[Path]:
    folder = program.parent.parent / "versions"
    return [folder] if program.parent.name == "shims" and folder.is_dir() else []
