"""The previous release is installed with the packages of its lock."""

import sys
from pathlib import Path

import pytest

from pipeline import git
from pipeline.checks.migrations import previous_release
from pipeline.errors import InconclusiveError
from pipeline.process import capture
from tests.support.django_project import FILES, Project

ADDED = "operations = []"


def test_its_code_is_laid_out_beside(project: Project, tmp_path: Path) -> None:
    project.migration("0002_next", ADDED)
    code = previous_release.checkout_release(git.head().sha, tmp_path)
    assert code is not None
    assert code.python == sys.executable
    assert not (code.folder / "shop/migrations/0002_next.py").exists()


def test_before_there_was_an_app_there_is_nothing(project: Project, tmp_path: Path) -> None:
    project.git("rm", "-r", "backend")
    project.release()
    assert previous_release.checkout_release(git.head().sha, tmp_path) is None


def test_app_of_the_previous_release_in_another_folder(project: Project, tmp_path: Path) -> None:
    settings = (project.root / "pipeline.toml").read_text()
    project.git("mv", "backend", "server")
    project.write("pipeline.toml", f'{settings}\n[layout]\nbackend = "server"\n')
    project.release()
    project.git("mv", "server", "backend")
    project.write("pipeline.toml", settings)
    code = previous_release.checkout_release(git.head().sha, tmp_path)
    assert code is not None
    assert code.folder == tmp_path / "tree/server"


def test_it_gets_the_packages_that_it_was_locked_to(project: Project, tmp_path: Path) -> None:
    project.write("backend/requirements/django-5.2.txt", "# another lock\n")
    code = previous_release.checkout_release(git.head().sha, tmp_path)
    assert code is not None
    assert code.python == str(tmp_path / "venv/bin/python")
    assert capture([code.python, "-c", "import django"]).returncode != 0, "its lock was empty"


@pytest.mark.usefixtures("no_network")
def test_packages_out_of_reach_are_not_judged(project: Project, tmp_path: Path) -> None:
    lock = "backend/requirements/django-5.2.txt"
    project.write(lock, f"django==5.2.1 --hash=sha256:{'0' * 64}\n")
    project.release()
    project.write(lock, FILES[lock])
    with pytest.raises(InconclusiveError, match="the package index is out of reach: for the"):
        previous_release.checkout_release(git.head().sha, tmp_path)


@pytest.mark.parametrize("text", [None, "[defaults\n", "[defaults]\n", 'defaults = "5.2"\n'])
def test_settings_of_another_shape_are_not_judged(
    project: Project, tmp_path: Path, text: str | None
) -> None:
    settings = (project.root / "pipeline.toml").read_text()
    if text is None:
        project.git("rm", "--quiet", "pipeline.toml")
    else:
        project.write("pipeline.toml", text)
    project.release()
    project.write("pipeline.toml", settings)
    with pytest.raises(InconclusiveError, match="of the previous release names no Django"):
        previous_release.checkout_release(git.head().sha, tmp_path)


def test_a_commit_that_is_not_here_is_not_judged(project: Project, tmp_path: Path) -> None:
    with pytest.raises(InconclusiveError, match="cannot export the previous release: 000000000000"):
        previous_release.checkout_release("0" * 40, tmp_path)
    assert project.root.exists()
