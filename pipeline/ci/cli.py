"""Dispatch the options of `invoke ci`.

The modules of a mode are imported only when that mode runs: a run without changes starts faster.
"""

import os
import signal
from dataclasses import dataclass

from pipeline.ci import runner
from pipeline.ci.cache.store import ResultStore
from pipeline.ci.cache_files import user_cache_dir
from pipeline.ci.plan import Plan, create_plan
from pipeline.ci.runner import RunOptions
from pipeline.ci.sessions import CISession
from pipeline.ci.terminal import detect_terminal
from pipeline.errors import InputError


@dataclass(frozen=True)
class Options:
    """The options of the command line, not yet validated."""

    all: bool = False
    plan: bool = False
    no_cache: bool = False
    fail_fast: bool = False
    enforce_budgets: bool = False
    jobs: str = ""
    explain: str = ""
    isolated: str = ""

    def max_jobs(self) -> int:
        """Return how many sessions may run at the same time; by default one per processor.

        Raises:
            InputError: `--jobs` is not a positive number.
        """
        jobs = self.jobs or str(os.cpu_count() or 1)
        if not jobs.isdecimal() or int(jobs) < 1:
            raise InputError(
                f"--jobs is not a positive number: `{jobs}`", hint="invoke ci --jobs 2"
            )
        return int(jobs)


def run_command(options: Options) -> int:
    """Run the mode that the options select; return the exit code.

    Raises:
        InputError: An option is wrong, the working directory is not a git checkout, or the sessions
            cannot be listed.
        BudgetExceededError: With `--enforce-budgets`: a session took longer than its budget.
    """
    # `kill` and a closed terminal raise KeyboardInterrupt too, so that the scheduler stops the
    # process groups of its sessions
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    run_options = RunOptions(
        options.max_jobs(), options.no_cache, options.fail_fast, options.enforce_budgets
    )
    selection = create_plan(everything=options.all)
    store = ResultStore(user_cache_dir(selection.inputs.settings.name))
    if options.plan:
        from pipeline.ci.report import plan_table

        plan_table.print_plan(selection, detect_terminal())
        return 0
    if options.explain:
        from pipeline.ci.report import explain

        explain.explain(
            _find_session(selection, options.explain),
            selection.inputs,
            store,
            detect_terminal(),
        )
        return 0
    if options.isolated:
        from pipeline.ci.execution import isolated

        isolated.run_isolated(_find_session(selection, options.isolated), selection.inputs)
        return 0
    return runner.run_plan(selection, run_options, store)


def _find_session(selection: Plan, name: str) -> CISession:
    entries = {row.entry.session: row.entry for row in selection.rows}
    if name not in entries:
        raise InputError(f"no CI job runs the session `{name}`", hint="invoke ci --plan")
    return entries[name]
