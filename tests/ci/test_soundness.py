"""The cache and a fresh run agree, and the areas hold all that sessions read."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ci import soundness
from tests.ci.conftest import Here


@pytest.fixture
def trial_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for a trial, which makes itself at home in this process."""
    before, where = dict(os.environ), Path.cwd()
    yield tmp_path
    os.chdir(where)
    os.environ.clear()
    os.environ.update(before)


def test_after_changes_at_random_it_agrees_with_a_fresh_run(trial_folder: Path) -> None:
    """A few; `nox -s cache-soundness` makes hundreds."""
    trial = soundness.run(trial_folder, mutations=5, seed=3)
    assert trial.hits > 0
    assert trial.runs > len(soundness.NAMES)


def test_a_wrong_hit_would_be_found(trial_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here what is in a file is left out of the key."""
    monkeypatch.setattr("pipeline.ci.tree._id", lambda *_: "always the same")
    trial = soundness.Trial(trial_folder, seed=3)
    trial.check("the beginning")
    for name in soundness.NAMES:
        trial.toy.write(f"{name}/one.txt", "other")
    with pytest.raises(soundness.WrongError, match=r"after an edit: area.. is cached"):
        trial.check("an edit")


def test_a_session_that_reads_only_its_areas_is_proved(here: Here) -> None:
    here.toy.write("check.py", "import sys\nopen(sys.argv[1] + '/one.txt')\n")
    said = here(prove="red")
    assert "proved: red is green on " in said
    assert here.code == 0


def test_a_session_that_reads_more_is_told(here: Here) -> None:
    here.toy.write("check.py", "open('blue/one.txt')\n")
    said = here(prove="red")
    assert "error: red is red on " in said
    assert "then tag it with another area" in said
    assert here.code == 1
