"""Change a copy of this repository at random, and compare `invoke ci` with a fresh run.

The copy is on a branch, so that the planner is put to the test too: what it leaves out has to be
green, as what it takes from the cache. Only that is run afresh, since what ran is a fresh run.
The jobs are those that take seconds and whose result may be remembered, each with areas of its own.
`docs` and `pre-commit` are not among them: they read every area, so that every change runs them.
"""

import os
import random
import sys
from collections import Counter
from collections.abc import Collection
from pathlib import Path

from pipeline import config
from pipeline.ci.cache import session_environment
from pipeline.ci.cache.store import FAILED, ResultStore
from pipeline.ci.result import CACHED, EXECUTED, SKIPPED
from pipeline.fault_injection.repository_copy import RepositoryCopy, copy_repository
from tests.fuzz.cache.mutations import Checkout, random_mutations, revert
from tests.fuzz.cache.reference_run import LOG, CacheMismatchError, reference_outcomes
from tests.support import run_selected

JOBS = (
    *("lint", "typecheck", "backend-check", "migrations"),
    *("frontend-lint", "frontend-typecheck"),
    *("parity", "workflows"),
)


class ThisRepoFuzz:
    """A checkout, and what came of the runs in it."""

    def __init__(
        self, folder: Path, made: RepositoryCopy, seed: int, jobs: Collection[str] = JOBS
    ) -> None:
        made.branch("work")
        os.chdir(made.root)
        self.checkout = Checkout(random.Random(seed))  # noqa: S311 - no secret
        self.store = ResultStore(folder / "cache")
        self.jobs = jobs
        self.counts = Counter[str]()

    def counted(self) -> str:
        """Return what there was to compare."""
        ran = sum(self.counts[outcome] for outcome in EXECUTED)
        judged = f"{self.counts[CACHED]} hits, {self.counts[SKIPPED]} skipped"
        return f"{judged}, {ran} runs ({self.counts[FAILED]} red)"

    def check(self, mutation: str) -> bool:
        """Run `invoke ci`, and afresh what it did not run; return whether all is green.

        Raises:
            WrongError: A session is red that it takes for green, or its exit code is wrong.
        """
        report = run_selected.run_selected_jobs(self.jobs, self.store)
        outcomes = {each["session"]: each["outcome"] for each in report["sessions"]}
        self.counts.update(outcomes.values())
        believed = [name for name, how in outcomes.items() if how in {CACHED, SKIPPED}]
        for name in failed_in_reference(believed):
            wrong = f"{mutation}: {name} is {outcomes[name]}, and a fresh run is red"
            raise CacheMismatchError(f"{wrong}\n\n{LOG.read_text()}")
        green = FAILED not in outcomes.values()
        if green != (report["exit_code"] == 0):
            raise CacheMismatchError(f"{mutation}: exit code {report['exit_code']}")
        return green


def failed_in_reference(sessions: Collection[str]) -> list[str]:
    """Run some sessions as `invoke ci` would, had it to; return the red ones."""
    env = session_environment.session_environment(config.load().ci.variables)
    at_once = f"-j{os.cpu_count()}", "--allow-parallel"
    return reference_outcomes(env, *at_once, "--session", *sessions) if sessions else []


def run(folder: Path, mutations: int, seed: int) -> ThisRepoFuzz:
    """Mutate and compare; return the trial. What turned a session red is taken back by the next.

    Args:
        folder: An empty one.
        mutations: How many.
        seed: What to draw them by.

    Raises:
        WrongError: `invoke ci` and a fresh run differ.
    """
    trial = ThisRepoFuzz(folder, copy_repository(Path.cwd(), folder / "copy"), seed)
    green, deck = trial.check("the beginning"), random_mutations(trial.checkout.draw)
    for number in range(1, mutations + 1):
        mutate = next(deck) if green else revert
        if green:
            trial.checkout.keep()
        said = mutate(trial.checkout)
        green = trial.check(f"mutation {number}, {said}")
        print(f"{number} of {mutations}: {said}: {trial.counted()}", file=sys.stderr, flush=True)
    return trial
