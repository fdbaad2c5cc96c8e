"""The same is red, and the same is green, in an empty home and in one full of settings."""

import sys
from pathlib import Path

import pytest

from pipeline.scratch_repository import ScratchRepository
from tests.home import Place
from tests.unit.test_secret_scan import KEY

HOMES = (False, True)  # empty, and full of settings
CHECKED = ("lint", "locks", "workflows")
LOCKS = {"lint.txt", "locks.txt", "parity.txt", "types.txt", "workflows.txt"}
BAD = "backend/apps/projects/lib/bad.py"  # the user ignores lib/
BUILD = "RUN apt-get update && apt-get install curl\n"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A copy with the locks of the sessions that are run, since each takes its time."""
    place = Place(tmp_path)
    for lock in [*place.copy.glob("requirements/*.txt"), *place.copy.glob("*/requirements/*.txt")]:
        if lock.name not in LOCKS:
            lock.unlink()
    return place


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def plant(copy: Path) -> None:
    """Plant a fault for each check, in what the user ignores where there is such a thing."""
    (copy / BAD).parent.mkdir()
    (copy / BAD).write_text("import os\n\nnumber: int = 'one'\n")
    edit(copy / "requirements/lint.in", "ruff", "ruff\nsix")
    with (copy / "frontend/Dockerfile").open("a") as file:
        file.write(BUILD)


def plant_another(copy: Path) -> None:
    """Plant what `workflows` finds only if it finds nothing before."""
    edit(copy / "frontend/Dockerfile", BUILD, "")
    workflow = copy / ".github/workflows/backend-ci.yml"
    edit(workflow, "persist-credentials: false", "persist-credentials: true")


def plant_secret(copy: Path) -> None:
    """Commit a secret, and leave another where only the user would ignore it."""
    ScratchRepository(copy).git("switch", "--quiet", "--create=work")
    (copy / "old.pem").write_text(KEY)
    ScratchRepository(copy).commit("Work")
    (copy / "old.pem").unlink()
    ScratchRepository(copy).commit("Go on")
    (copy / "lib").mkdir()
    (copy / "lib/new.pem").write_text(KEY)


def test_what_is_green_is_green_in_a_full_home(place: Place) -> None:
    sessions = (*CHECKED, "parity")
    found, output = place.nox(*sessions, hostile=True)
    assert found == dict.fromkeys(sessions, "success"), output


def test_what_is_red_is_red_in_both_homes(place: Place) -> None:
    plant(place.copy)
    for hostile in HOMES:
        found, output = place.nox(*CHECKED, hostile=hostile)
        assert found == dict.fromkeys(CHECKED, "failed"), output
        for sign in ("F401", "locks are stale: requirements/lint.txt", "DL3008"):
            assert sign in output
        assert "Incompatible types" in place.nox("typecheck", hostile=hostile, options=[BAD])[1]
    plant_another(place.copy)
    for hostile in HOMES:
        assert "artipacked" in place.nox("workflows", hostile=hostile)[1]


@pytest.mark.parametrize("hostile", HOMES, ids=["empty", "full"])
def test_a_secret_is_found_in_both_homes(place: Place, *, hostile: bool) -> None:
    plant_secret(place.copy)
    output = place.run(sys.executable, "-m", "pipeline.checks.secret_scan", hostile=hostile).stdout
    assert "lib/new.pem:1: " in output
    assert "old.pem:1: " in output
