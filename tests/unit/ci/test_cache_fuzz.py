"""The cache fuzz test finds wrong hits; `--isolated` finds reads outside of the areas."""

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
    """A folder for a fuzz run, which changes the folder and environment of this process."""
    before, folder = dict(os.environ), Path.cwd()
    yield tmp_path
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(before)


def test_random_changes_match_fresh_run(trial_folder: Path) -> None:
    """A few changes; `nox -s cache-fuzz` makes hundreds."""
    trial = generated_repo.run(trial_folder, mutations=5, seed=3)
    assert trial.hits > 0
    assert trial.runs > len(generated_repo.NAMES)


def test_wrong_hit_is_found(trial_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The content of the files is left out of the cache key."""
    monkeypatch.setattr("pipeline.ci.cache.worktree._content_id", lambda *_: "always the same")
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
    """A fuzz run as on this repository, with three sessions that take no time."""
    run_in_repo(repo)
    return this_repo.ThisRepoFuzz(trial_folder, RepositoryCopy(repo.root), seed=3, jobs=repo.names)


def test_statistics_count_every_outcome(
    repo: SampleRepo, toy_trial: this_repo.ThisRepoFuzz
) -> None:
    assert toy_trial.check("the beginning")
    repo.write("red/one.txt", "BROKEN")
    assert not toy_trial.check("an edit")
    repo.write("red/one.txt", "fixed")
    assert toy_trial.check("another")
    assert toy_trial.check("none")
    assert toy_trial.statistics() == "1 hits, 9 skipped, 2 runs (1 failed)"


def test_wrongly_cached_failure_is_found(
    repo: SampleRepo, toy_trial: this_repo.ThisRepoFuzz, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.write("red/one.txt", "an edit")
    toy_trial.check("an edit")
    monkeypatch.setattr("pipeline.ci.cache.worktree._content_id", lambda *_: "always the same")
    repo.write("red/one.txt", "another")
    toy_trial.check("another")
    repo.write("red/one.txt", "BROKEN")
    with pytest.raises(
        CacheMismatchError, match="a fault: red is cached, but fails in a fresh run"
    ):
        toy_trial.check("a fault")


def test_wrongly_skipped_failure_is_found(
    repo: SampleRepo, toy_trial: this_repo.ThisRepoFuzz
) -> None:
    repo.write("check.py", "import sys\nsys.exit('BROKEN' in open('blue/one.txt').read())\n")
    toy_trial.check("every session reads blue")
    repo.commit()
    repo.git("branch", "--force", "main")
    repo.write("blue/one.txt", "BROKEN")
    with pytest.raises(CacheMismatchError, match="is skipped, but fails in a fresh run"):
        toy_trial.check("a fault")


FILES = (
    *("backend/apps/shop/api.py", "docs/one.md", "frontend/src/one.tsx", "tests/test_one.py"),
    *("pipeline/one.py", "requirements/one.txt"),
)


@pytest.fixture
def checkout(repo: SampleRepo, run_in_repo: RunInRepo) -> mutations.Checkout:
    """A checkout with a file for every kind of mutation."""
    run_in_repo(repo)
    for name in FILES:
        repo.write(name, "")
    repo.commit()
    checkout = mutations.Checkout(random.Random(3))  # noqa: S311 - no secret
    checkout.save_state()
    return checkout


def test_every_mutation_can_be_reverted(repo: SampleRepo, checkout: mutations.Checkout) -> None:
    no_change = {mutations.variable, mutations.touch, mutations.checkout_earlier}
    for mutate in mutations.MUTATIONS:
        assert mutate(checkout)
        assert bool(repo.git("status", "--porcelain")) == (mutate not in no_change), mutate
        mutations.revert(checkout)


def test_mutations_are_drawn_without_repeats() -> None:
    deck = mutations.random_mutations(random.Random(3))  # noqa: S311 - no secret
    assert {next(deck) for _ in mutations.MUTATIONS} == {*mutations.MUTATIONS}


def test_isolated_session_within_areas_passes(ci: InProcessCI) -> None:
    ci.toy.write("check.py", "import sys\nopen(sys.argv[1] + '/one.txt')\n")
    output = ci(isolated="red")
    assert "verified: red passes with only " in output
    assert ci.code == 0


def test_isolated_session_outside_areas_fails(ci: InProcessCI) -> None:
    ci.toy.write("check.py", "open('blue/one.txt')\n")
    output = ci(isolated="red")
    assert "error: red fails with only " in output
    assert "then add an area to the session" in output
    assert ci.code == 1
