"""Change a copy of this repository at random, and compare `invoke ci` with a fresh run.

The copy is on a branch, so the planner is tested as well: a skipped session must pass in a fresh
run, as must a cached one. Only skipped and cached sessions run again for the comparison. The jobs
take seconds, may be cached, and read different areas. `docs` and `pre-commit` are not included:
they read every area, so every change runs them.
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
    """The copy of this repository, and the number of sessions by outcome."""

    def __init__(
        self, folder: Path, copy: RepositoryCopy, seed: int, jobs: Collection[str] = JOBS
    ) -> None:
        copy.branch("work")
        os.chdir(copy.root)
        self.checkout = Checkout(random.Random(seed))  # noqa: S311 - no secret
        self.store = ResultStore(folder / "cache")
        self.jobs = jobs
        self.counts = Counter[str]()

    def statistics(self) -> str:
        """Return the numbers of hits, skipped sessions and runs."""
        ran = sum(self.counts[outcome] for outcome in EXECUTED)
        compared = f"{self.counts[CACHED]} hits, {self.counts[SKIPPED]} skipped"
        return f"{compared}, {ran} runs ({self.counts[FAILED]} failed)"

    def check(self, mutation: str) -> bool:
        """Run `invoke ci`, then the sessions that it did not run; return whether none failed.

        Raises:
            CacheMismatchError: A cached or skipped session fails in the fresh run, or the exit code
                of `invoke ci` is wrong.
        """
        report = run_selected.run_selected_jobs(self.jobs, self.store)
        outcomes = {each["session"]: each["outcome"] for each in report["sessions"]}
        self.counts.update(outcomes.values())
        trusted = [name for name, outcome in outcomes.items() if outcome in {CACHED, SKIPPED}]
        for name in failed_in_reference(trusted):
            message = f"{mutation}: {name} is {outcomes[name]}, but fails in a fresh run"
            raise CacheMismatchError(f"{message}\n\n{LOG.read_text()}")
        green = FAILED not in outcomes.values()
        if green != (report["exit_code"] == 0):
            raise CacheMismatchError(f"{mutation}: exit code {report['exit_code']}")
        return green


def failed_in_reference(sessions: Collection[str]) -> list[str]:
    """Run sessions in the environment of `invoke ci`; return the names of the failed ones."""
    env = session_environment.session_environment(config.load().ci.variables)
    at_once = f"-j{os.cpu_count()}", "--allow-parallel"
    return reference_outcomes(env, *at_once, "--session", *sessions) if sessions else []


def run(folder: Path, mutations: int, seed: int) -> ThisRepoFuzz:
    """Mutate and compare; return the finished fuzz run.

    After a mutation that makes a session fail, the next step reverts that mutation.

    Args:
        folder: An empty folder.
        mutations: The number of mutations.
        seed: The seed of the random choices.

    Raises:
        CacheMismatchError: A result of `invoke ci` differs from a fresh run.
    """
    trial = ThisRepoFuzz(folder, copy_repository(Path.cwd(), folder / "copy"), seed)
    green, deck = trial.check("the beginning"), random_mutations(trial.checkout.draw)
    for number in range(1, mutations + 1):
        mutate = next(deck) if green else revert
        if green:
            trial.checkout.save_state()
        description = mutate(trial.checkout)
        green = trial.check(f"mutation {number}, {description}")
        print(
            f"{number} of {mutations}: {description}: {trial.statistics()}",
            file=sys.stderr,
            flush=True,
        )
    return trial
