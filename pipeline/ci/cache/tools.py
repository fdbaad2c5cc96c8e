"""The programs that sessions find on the machine, told apart without starting them."""

import os
import shutil
from pathlib import Path


def tool_fingerprint(name: str) -> str:
    """Return what changes when a program is replaced.

    A program of the checkout's own environments is left to their locks. A shim stands for what
    lies in the folder `versions` beside its own, as https://github.com/pyenv/pyenv lays it out.

    Args:
        name: As it is called.
    """
    found = shutil.which(name)
    if found is None:
        return "not here"
    real = Path(found).resolve()
    if real.is_relative_to(Path.cwd()):
        return "of this checkout"
    return " ".join(map(_stamp, [real, *_versions(real)]))


def _stamp(path: Path) -> str:
    status = os.stat(path)  # noqa: PTH116 - not worth a second name
    return f"{path} {status.st_size} {status.st_mtime_ns}"


def _versions(program: Path) -> list[Path]:
    folder = program.parent.parent / "versions"
    return [folder] if program.parent.name == "shims" and folder.is_dir() else []
