"""The cache and a fresh run agree, and the areas hold all that sessions read."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.fault_injection.repository_copy import RepositoryCopy
from tests.fuzz.cache import generated_repo, mutations, this_repo
from tests.fuzz.cache.reference_run import CacheMismatchError
from tests.support.sample_repo import SampleRepo
from tests.unit.ci.conftest import InProcessCI, RunInRepo


@pytest.fixture(autouse=True)
def trial_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for a trial, which makes itself at home in this process."""
    before, where = dict(os.environ), Path.cwd()
    yield tmp_path
    os.chdir(where)
    os.environ.clear()
    os.environ.update(before)


def test_after_changes_at_random_it_agrees_with_a_fresh_run(trial_folder: Path) -> None:
    """A few; `nox -s cache-fuzz` makes hundreds."""
    trial = generated_repo.run(trial_folder, mutations=5, seed=3)
    assert trial.hits > 0
    assert trial.runs > len(generated_repo.NAMES)


def test_a_wrong_hit_would_be_found(trial_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here what is in a file is left out of the key."""
    monkeypatch.setattr("pipeline.ci.cache.worktree._id", lambda *_: "always the same")
    trial = generated_repo.GeneratedRepoFuzz(trial_folder, seed=3)
    trial.check("the beginning")
    for name in generated_repo.NAMES:
        trial.toy.write(f"{name}/one.txt", "other")
    with pytest.raises(CacheMismatchError, match=r"after an edit: area.. is cached"):
        trial.check("an edit")


@pytest.fixture
def toy_trial(
    repo: SampleRepo, run_in_repo: RunInRepo, trial_folder: Path
) -> this_repo.ThisRepoFuzz:
    """A trial as of this repository, of three sessions that take no time."""
    run_in_repo(repo)
    return this_repo.ThisRepoFuzz(trial_folder, RepositoryCopy(repo.root), seed=3, jobs=repo.names)


def test_what_ran_what_is_remembered_and_what_is_left_out_are_counted(
    repo: SampleRepo, toy_trial: this_repo.ThisRepoFuzz
) -> None:
    assert toy_trial.check("the beginning")
    repo.write("red/one.txt", "BROKEN")
    assert not toy_trial.check("an edit")
    repo.write("red/one.txt", "mended")
    assert toy_trial.check("another")
    assert toy_trial.check("none")
    assert toy_trial.counted() == "1 hits, 9 skipped, 2 runs (1 red)"


def test_a_red_session_that_is_remembered_as_green_is_found(
    repo: SampleRepo, toy_trial: this_repo.ThisRepoFuzz, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.write("red/one.txt", "an edit")
    toy_trial.check("an edit")
    monkeypatch.setattr("pipeline.ci.cache.worktree._id", lambda *_: "always the same")
    repo.write("red/one.txt", "another")
    toy_trial.check("another")
    repo.write("red/one.txt", "BROKEN")
    with pytest.raises(CacheMismatchError, match="a fault: red is cached, and a fresh run is red"):
        toy_trial.check("a fault")


def test_a_red_session_that_is_left_out_is_found(
    repo: SampleRepo, toy_trial: this_repo.ThisRepoFuzz
) -> None:
    repo.write("check.py", "import sys\nsys.exit('BROKEN' in open('blue/one.txt').read())\n")
    toy_trial.check("every session reads blue")
    repo.commit()
    repo.git("branch", "--force", "main")
    repo.write("blue/one.txt", "BROKEN")
    with pytest.raises(CacheMismatchError, match="is skipped, and a fresh run is red"):
        toy_trial.check("a fault")


FILES = (
    *("backend/apps/shop/api.py", "docs/one.md", "frontend/src/one.tsx", "tests/test_one.py"),
    *("pipeline/one.py", "requirements/one.txt"),
)


@pytest.fixture
def checkout(repo: SampleRepo, run_in_repo: RunInRepo) -> mutations.Checkout:
    """A checkout with a file of every kind that is changed."""
    run_in_repo(repo)
    for name in FILES:
        repo.write(name, "")
    repo.commit()
    checkout = mutations.Checkout(random.Random(3))  # noqa: S311 - no secret
    checkout.keep()
    return checkout


def test_a_checkout_can_be_changed_in_every_way_and_put_back(
    repo: SampleRepo, checkout: mutations.Checkout
) -> None:
    no_change = {mutations.variable, mutations.touch, mutations.checkout_earlier}
    for mutate in mutations.MUTATIONS:
        assert mutate(checkout)
        assert bool(repo.git("status", "--porcelain")) == (mutate not in no_change), mutate
        mutations.revert(checkout)


def test_every_kind_of_change_is_drawn_before_one_comes_again() -> None:
    deck = mutations.random_mutations(random.Random(3))  # noqa: S311 - no secret
    assert {next(deck) for _ in mutations.MUTATIONS} == {*mutations.MUTATIONS}


def test_a_session_that_reads_only_its_areas_is_proved(ci: InProcessCI) -> None:
    ci.toy.write("check.py", "import sys\nopen(sys.argv[1] + '/one.txt')\n")
    said = ci(isolated="red")
    assert "proved: red is green on " in said
    assert ci.code == 0


def test_a_session_that_reads_more_is_told(ci: InProcessCI) -> None:
    ci.toy.write("check.py", "open('blue/one.txt')\n")
    said = ci(isolated="red")
    assert "error: red is red on " in said
    assert "then tag it with another area" in said
    assert ci.code == 1
