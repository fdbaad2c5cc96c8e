"""Check out the previous release, and install the packages of its lock file."""

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
from pipeline.settings import Layout

__all__ = ["CHECK", "checkout_release"]


def checkout_release(commit: str, folder: Path) -> AppVersion | None:
    """Extract the code of a commit with `git archive`; None if the commit has no app.

    Args:
        commit: A commit of this repository.
        folder: An empty folder.

    Raises:
        InconclusiveError: The code or its packages are not available.
    """
    archive = folder / "archive.tar"
    if (output := run_git("archive", f"--output={archive}", commit)).returncode:
        raise InconclusiveError(
            CHECK,
            "git cannot export the previous release",
            detail=f"{commit[:12]}: {last_error_line(output)}",
        )
    with tarfile.open(archive) as files:
        files.extractall(folder / "tree", filter="data")
    tree = folder / "tree"
    app = _app_folder(tree)
    if not (app / "manage.py").exists():
        return None
    # With equal locks the packages of this process are the right ones: no second environment.
    lock, own = _lock(tree, _django(tree)), _lock(Path.cwd(), load().defaults.django)
    if lock.read_bytes() == own.read_bytes():
        return AppVersion(app)
    return AppVersion(app, _python_with(lock, folder / "venv"))


def _app_folder(tree: Path) -> Path:
    """Return the folder of the app in a release; its own pipeline.toml names it.

    A release whose app was in another folder must not look like one without an app.
    """
    try:
        layout = Layout(**read_toml(tree / "pipeline.toml").get("layout", {}))
        return tree / layout.backend
    except (UnreadableFileError, TypeError):
        return tree / load().layout.backend


def _django(tree: Path) -> str:
    """Return the Django version of the previous release.

    The file is read without validation: it may be older than the current schema.
    """
    try:
        found = read_toml(tree / "pipeline.toml")
        table = "defaults" if "defaults" in found else "default"  # the table's former name
        return str(found[table]["django"])
    except (UnreadableFileError, KeyError, TypeError):
        raise InconclusiveError(
            CHECK,
            "the pipeline.toml of the previous release names no Django version",
            hint="git log --patch pipeline.toml",
        ) from None


def _lock(tree: Path, django: str) -> Path:
    return _app_folder(tree) / "requirements" / f"django-{django}.txt"


def _python_with(lock: Path, venv: Path) -> str:
    python = venv / "bin" / "python"
    for command in (
        ("uv", "venv", "--quiet", str(venv)),
        ("uv", "pip", "sync", "--quiet", "--require-hashes", f"--python={python}", str(lock)),
    ):
        if (output := capture(command, env=UV)).returncode:
            if is_unreachable(output):
                raise unreachable_error(CHECK, "for the packages of the previous release")
            raise InconclusiveError(
                CHECK,
                "the packages of the previous release cannot be installed",
                detail=last_error_line(output),
            )
    return str(python)
