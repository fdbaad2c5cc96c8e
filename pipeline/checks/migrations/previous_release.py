"""The release before: the code of the merge base, with the packages that it was locked to."""

import tarfile
from pathlib import Path

from pipeline.checks.migrations.app_version import CHECK, AppVersion
from pipeline.config import load
from pipeline.dependency_locks import is_unreachable, unreachable_error
from pipeline.errors import InconclusiveError
from pipeline.files import UnreadableFileError, read_toml
from pipeline.git import run_git
from pipeline.home import UV
from pipeline.process import capture, last_error_line

__all__ = ["CHECK", "checkout_release"]


def checkout_release(commit: str, folder: Path) -> AppVersion | None:
    """Lay out the code of a commit, and return it; None if it had no app.

    Args:
        commit: Of this repository.
        folder: An empty one.

    Raises:
        NotJudgedError: Its packages are out of reach.
    """
    archive = folder / "archive.tar"
    if (output := run_git("archive", f"--output={archive}", commit)).returncode:
        raise InconclusiveError(
            CHECK,
            "git cannot hand out the release before",
            detail=f"{commit[:12]}: {last_error_line(output)}",
        )
    with tarfile.open(archive) as files:
        files.extractall(folder / "tree", filter="data")
    tree = folder / "tree"
    if not (tree / "backend/manage.py").exists():
        return None
    lock, own = _lock(tree, _django(tree)), _lock(Path.cwd(), load().defaults.django)
    if lock.read_bytes() == own.read_bytes():
        return AppVersion(tree / "backend")
    return AppVersion(tree / "backend", _python_with(lock, folder / "venv"))


def _django(tree: Path) -> str:
    """Return what the release before runs on; its pipeline.toml may be older than our schema."""
    try:
        found = read_toml(tree / "pipeline.toml")
        table = "defaults" if "defaults" in found else "default"  # as it was called before
        return str(found[table]["django"])
    except (UnreadableFileError, KeyError, TypeError):
        raise InconclusiveError(
            CHECK,
            "the pipeline.toml of the release before names no Django",
            hint="git log --patch pipeline.toml",
        ) from None


def _lock(tree: Path, django: str) -> Path:
    return tree / "backend/requirements" / f"django-{django}.txt"


def _python_with(lock: Path, venv: Path) -> str:
    python = venv / "bin" / "python"
    for command in (
        ("uv", "venv", "--quiet", str(venv)),
        ("uv", "pip", "sync", "--quiet", "--require-hashes", f"--python={python}", str(lock)),
    ):
        if (output := capture(command, env=UV)).returncode:
            if is_unreachable(output):
                raise unreachable_error(CHECK, "for the packages of the release before")
            raise InconclusiveError(
                CHECK,
                "the packages of the release before cannot be had",
                detail=last_error_line(output),
            )
    return str(python)
