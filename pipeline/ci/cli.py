"""`invoke ci`: what was asked for, and who answers; nobody else is imported."""

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
    """What was asked for, as it was typed."""

    all: bool = False
    plan: bool = False
    no_cache: bool = False
    fail_fast: bool = False
    enforce_budgets: bool = False
    jobs: str = ""
    explain: str = ""
    isolated: str = ""

    def max_jobs(self) -> int:
        """Return how many sessions may run at once.

        Raises:
            InputError: That is no number, or less than one.
        """
        jobs = self.jobs or str(os.cpu_count() or 1)
        if not jobs.isdecimal() or int(jobs) < 1:
            raise InputError(f"--jobs is no number: `{jobs}`", hint="invoke ci --jobs 2")
        return int(jobs)


def run_command(options: Options) -> int:
    """Do what was asked for; return the exit code.

    Args:
        options: What that is.

    Raises:
        InputError: An option is wrong, this is no git checkout, or the sessions cannot be listed.
        OverBudgetError: With `strict`: a session took longer than it may.
    """
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)  # ended in order, as by Ctrl-C
    manner = RunOptions(
        options.max_jobs(), options.no_cache, options.fail_fast, options.enforce_budgets
    )
    selection = create_plan(everything=options.all)
    remembered = ResultStore(user_cache_dir(selection.inputs.settings.name))
    if options.plan:
        from pipeline.ci.report import plan_table

        plan_table.print_plan(selection, detect_terminal())
        return 0
    if options.explain:
        from pipeline.ci.report import explain

        explain.explain(
            _find_session(selection, options.explain),
            selection.inputs,
            remembered,
            detect_terminal(),
        )
        return 0
    if options.isolated:
        from pipeline.ci.execution import isolated

        isolated.run_isolated(_find_session(selection, options.isolated), selection.inputs)
        return 0
    return runner.run_plan(selection, manner, remembered)


def _find_session(selection: Plan, name: str) -> CISession:
    known = {row.entry.session: row.entry for row in selection.rows}
    if name not in known:
        raise InputError(f"no job runs such a session: `{name}`", hint="invoke ci --plan")
    return known[name]
